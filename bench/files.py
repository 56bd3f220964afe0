"""Files: uploads and downloads beside the bare server, and thumbnails, in MB/s and in memory."""

from __future__ import annotations

import http.client
import io
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import client
from bench.report import Row
from bench.servers import Server, signpost

if TYPE_CHECKING:
    from bench.measures import Setting

#: Bytes of the one large file, and of each of the small ones; how many of these, in one request.
LARGE, SMALL, MANY = 10**9, 10**5, 200
#: Pictures, their width and height, and the width of their thumbnails.
_PICTURES, _SIZE, _WIDTH = 48, (2400, 1600), 512
_CHUNK = 2**20
#: Clients who ask for thumbnails.
_AT_ONCE = 4
_BOUNDARY = "----bench"


def files(setting: Setting) -> list[Row]:
    """Measure a server of its own, over the same database, that takes a gigabyte."""
    workers, threads = str(len(setting.signpost.workers())), "4"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signpost-bench-")))
        ours = signpost(setting.signpost.environment["DATABASE_URL"], folder)
        ours.environment |= {"MAX_FILE_BYTES": str(2 * LARGE), "QUOTA_BYTES": str(100 * LARGE)}
        ours.environment |= {"SECRET_KEY": secrets.token_hex(32)}
        bare = _bare(folder, workers, threads)
        for server in (ours, bare):
            stack.callback(server.stop)
            server.start()
        bearer = client.bearer(client.token(ours))
        rounds = max(2, setting.plan.rounds // 2)
        return [
            *_large(ours, bare, bearer, rounds),
            _many(ours, bearer, rounds),
            *_thumbnails(ours, bearer),
        ]


def _large(ours: Server, bare: Server, bearer: dict[str, str], rounds: int) -> list[Row]:
    """Send and fetch a gigabyte, in turns with the bare server."""
    for server in (ours, bare):
        server.forget_peak()  # signing in takes 64 MB
    before = ours.peak_megabytes()
    sent: dict[str, list[float]] = {"signpost": [], "bare": []}
    read: dict[str, list[float]] = {"signpost": [], "bare": []}
    for _ in range(rounds):
        seconds, made = _upload(ours, bearer, [LARGE])
        sent["signpost"].append(seconds)
        sent["bare"].append(_upload(bare, {}, [LARGE])[0])
        path = f"/api/v1/files/{made['items'][0]['id']}/content"
        read["signpost"].append(_download(ours, path, bearer))
        read["bare"].append(_download(bare, f"/{LARGE}", {}))
    growth = ours.peak_megabytes() - before
    figure = f"+{growth:.0f} MB, {ours.peak_megabytes():.0f} MB at most"
    bare_peak = bare.peak_megabytes()
    return [
        _speeds("upload of 1 GB, stored and hashed, beside the bare server", sent),
        _speeds("download of 1 GB, hashed, beside the bare server", read),
        Row(
            "a worker's memory after both",
            f"{figure} (bare {bare_peak:.0f} MB)",
            "within 50 MB",
            growth <= 50,
            {"before": before, "growth": growth, "bare": bare_peak},
        ),
    ]


def _many(ours: Server, bearer: dict[str, str], rounds: int) -> Row:
    """Send many small files in one request."""
    taken = [_upload(ours, bearer, [SMALL] * MANY)[0] for _ in range(rounds)]
    rate = MANY / median(taken)
    name = f"upload of {MANY} files of {SMALL // 1000} KB in one request"
    return Row(name, f"{rate:,.0f} files/s", details={"seconds": taken})


def _thumbnails(ours: Server, bearer: dict[str, str]) -> list[Row]:
    """Ask for thumbnails of new pictures, then for the same ones."""
    paths = []
    for number in range(_PICTURES):
        made = _send(ours, bearer, [_picture(number)])
        paths.append(f"/api/v1/files/{made['items'][0]['id']}/thumbnail?width={_WIDTH}")
    first, again = (_together(ours, paths, bearer) for _ in range(2))
    shown = "x".join(map(str, _SIZE))
    return [
        Row(
            f"thumbnails of pictures of {shown}, made",
            f"{_PICTURES / first:.1f}/s",
            details={"seconds": first},
        ),
        Row("... kept", f"{_PICTURES / again:,.0f}/s", details={"seconds": again}),
        Row("a worker's memory after them", f"{ours.peak_megabytes():.0f} MB at most"),
    ]


def _speeds(name: str, taken: dict[str, list[float]]) -> Row:
    ours, bare = (LARGE / 1e6 / median(taken[each]) for each in ("signpost", "bare"))
    return Row(name, f"{ours:,.0f} against {bare:,.0f} MB/s ({ours / bare:.2f} x)", details=taken)


def _bare(folder: Path, workers: str, threads: str) -> Server:
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", "{port}"),
        *("--workers", workers, "--blocking-threads", threads, "bench.bare:app"),
    ]
    return Server("bare", command, {}, probe="/", folder=folder)


def _upload(server: Server, headers: dict[str, str], sizes: list[int]) -> tuple[float, Any]:
    """Send files of noise; return the seconds that it took, and the answer."""
    started = time.perf_counter()
    made = _send(server, headers, [_noise(size) for size in sizes])
    return time.perf_counter() - started, made


def _send(server: Server, headers: dict[str, str], parts: list[tuple[int, Iterator[bytes]]]) -> Any:
    """Send files, each as (bytes, pieces), in one form."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
    ).encode()
    end = f"--{_BOUNDARY}--\r\n".encode()
    length = sum(len(head) + size + 2 for size, _ in parts) + len(end)

    def body() -> Iterator[bytes]:
        for _, pieces in parts:
            yield head
            yield from pieces
            yield b"\r\n"
        yield end

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    form = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    told = {**headers, **form, "Content-Length": str(length)}
    connection.request("POST", "/api/v1/files", body(), told)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status in (200, 201), content[:500]
    return json.loads(content) if content[:1] == b"{" else None


def _download(server: Server, path: str, headers: dict[str, str]) -> float:
    """Fetch something and throw it away; return the seconds that it took."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    while answer.read1(_CHUNK):
        pass
    connection.close()
    if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        time.sleep(0.1)  # it was told to come back
        _download(server, path, headers)
    else:
        assert answer.status == http.HTTPStatus.OK, (path, answer.status)
    return time.perf_counter() - started


def _together(server: Server, paths: list[str], headers: dict[str, str]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda path: _download(server, path, headers), paths))
    return time.perf_counter() - started


def _noise(size: int) -> tuple[int, Iterator[bytes]]:
    """Return bytes that are like no others: the same ones would be stored once."""
    block = secrets.token_bytes(min(size, _CHUNK))

    def pieces() -> Iterator[bytes]:
        left = size
        while left:
            yield block[:left]
            left -= min(left, len(block))

    return size, pieces()


def _picture(number: int) -> tuple[int, Iterator[bytes]]:
    """Return a JPEG of soft noise, as large as those of cameras."""
    from PIL import Image  # the benchmark of searches needs none

    noise = Image.effect_noise((_SIZE[0] // 8, _SIZE[1] // 8), 60 + number)
    file = io.BytesIO()
    noise.resize(_SIZE).convert("RGB").save(file, "JPEG", quality=85)
    return file.tell(), iter([file.getvalue()])
