"""A small proxy with TLS in front of a server, as operators run one: prefix stripped or kept."""

from __future__ import annotations

import ipaddress
import mimetypes
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Headers that belong to one connection. Source: RFC 9110, section 7.6.1.
_OWN = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}


@dataclass
class Proxy:
    """Where it listens, and the certificate that clients have to trust."""

    url: str
    certificate: Path
    upstream: str = ""
    """URL of the server behind; set it once that runs."""
    app: Path | None = None
    """A folder whose files stand below ``app/``, as deploy/nginx.conf has it."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong, but not that a browser first refuses the certificate."""
        if not isinstance(sys.exception(), ssl.SSLError):
            super().handle_error(request, client_address)


@contextmanager
def tls_proxy(folder: Path, prefix: str, *, strips: bool) -> Iterator[Proxy]:
    """Run a proxy on a free port that hands everything below ``prefix`` on, and nothing else."""
    key_file, certificate = _certificate(folder)
    server = _Server(("127.0.0.1", 0), BaseHTTPRequestHandler)
    proxy = Proxy(f"https://127.0.0.1:{server.server_port}{prefix}", certificate)
    client = httpx.Client(trust_env=False, timeout=30)
    server.RequestHandlerClass = _handler(proxy, prefix if strips else "", prefix, client)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_file)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()


def _handler(
    proxy: Proxy, stripped: str, prefix: str, client: httpx.Client
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            """Hand the request on, and the answer back."""
            if not f"{self.path}/".startswith(f"{prefix}/"):
                self.send_error(404, "Not below the prefix")
                return
            if proxy.app and self.path.startswith(f"{prefix}/app/"):
                _send_file(self, proxy.app, self.path.removeprefix(f"{prefix}/app/"))
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
            answer = client.request(
                self.command,
                proxy.upstream + (self.path.removeprefix(stripped) or "/"),
                headers=sent | {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"},
                content=body,
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep the output of tests free of requests."""

    return Handler


def _send_file(answer: BaseHTTPRequestHandler, folder: Path, name: str) -> None:
    """Answer with a file of a folder as it is."""
    file = folder / (name or "index.html")
    if not file.is_file():
        answer.send_error(404, "No such file")
        return
    content = file.read_bytes()
    answer.send_response(200)
    answer.send_header("Content-Type", mimetypes.guess_type(file.name)[0] or "text/plain")
    answer.send_header("Content-Length", str(len(content)))
    answer.end_headers()
    answer.wfile.write(content)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a key and of a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = folder / "key.pem", folder / "certificate.pem"
    files[0].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files[1].write_bytes(certificate.public_bytes(pem))
    return files
