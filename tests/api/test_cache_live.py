"""Answers that are kept, on a live server: nobody reads less than what was acknowledged before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.servers import LiveServer

POSTS = "/api/v1/posts"
_WRITERS, _ROUNDS, _READERS = 4, 40, 4


def _write_and_read(server: LiveServer, writer: int) -> list[str]:
    """Return what was read wrongly, by connections of their own to whichever worker."""
    wrong = []
    with server.admin as author, ExitStack() as stack:
        readers = [stack.enter_context(server.caller()) for _ in range(_READERS)]
        made = author.post(POSTS, json={"title": "-", "body": "-", "status": "published"})
        url = f"{POSTS}/{made.json()['id']}"
        for n in range(_ROUNDS):
            title = f"{writer}, {n}"
            assert author.patch(url, json={"title": title}).status_code == 200
            found = [reader.get(url).json()["title"] for reader in (*readers, author, *readers)]
            wrong += [f"{each!r} after {title!r}" for each in found if each != title]
    return wrong


def test_whoever_wrote_reads_it_at_once_from_any_worker(server: LiveServer) -> None:
    with ThreadPoolExecutor(_WRITERS) as pool:
        wrong = list(pool.map(_write_and_read, [server] * _WRITERS, range(_WRITERS)))

    assert wrong == [[]] * _WRITERS
