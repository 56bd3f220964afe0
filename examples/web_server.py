"""Serves examples/web on a port of its own, for a service elsewhere: ``make demo`` and the tests.

Any static file server does as well, once index.html names the API; this one writes that line
itself, and has browsers look for newer files on every visit.
"""

from __future__ import annotations

import argparse
import html
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

WEB = Path(__file__).parent / "web"
#: The one line of index.html that says where the API is.
_SETTING = '<meta name="signpost-api" content="{}">'
_DEFAULT = "../api/v1"


def server(port: int, api: str) -> ThreadingHTTPServer:
    """Return a server of the client on the loopback address; 0 is any free port."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, api))


def main() -> None:
    """Serve until interrupted.

    Raises:
        SystemExit: the port is taken; said on stderr.
    """
    parser = argparse.ArgumentParser(prog="python -m examples.web_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--api", default="http://127.0.0.1:8000/api/v1", help="URL of the API")
    options = parser.parse_args()
    try:
        server(options.port, options.api).serve_forever()
    except OSError as error:
        parser.exit(1, f"Port {options.port} cannot be used: {error.strerror}.\n")
    except KeyboardInterrupt:
        return


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, api: str, *args: Any) -> None:
        self.api = api
        super().__init__(*args, directory=str(WEB))

    def send_head(self) -> BytesIO | BinaryIO | None:
        if self.path.split("?")[0] not in ("/", "/index.html"):
            return super().send_head()
        page = (WEB / "index.html").read_text(encoding="utf-8")
        page = page.replace(_SETTING.format(_DEFAULT), _SETTING.format(html.escape(self.api)))
        content = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep the terminal free of requests."""


if __name__ == "__main__":
    main()
