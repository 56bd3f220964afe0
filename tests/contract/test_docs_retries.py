"""docs/clients.md, "Retries": its functions repeat what may be repeated, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.examples import blocks, compiled, run, section
from tests.servers import ROOT

PAGE = ROOT / "docs" / "clients.md"


def retries(language: str) -> str:
    """Return the page's way to repeat requests."""
    parts = blocks(section(PAGE.read_text(), "Retries"))
    [code] = [part.code for part in parts if part.language == language]
    return code


#: Stands in for what the page has above its last section, and for the clock.
FAILING = """
const waits: number[] = [];
globalThis.setTimeout = ((done: () => void, after: number) => (waits.push(after), done())) as any;
type Answer = Response | Error;
const soon = { status: 503, headers: { "Retry-After": "7" } };
const busy = () => new Response('{"code": "unavailable"}', soon);
const unsure = () => new Response('{"outcome": "unknown"}', { status: 503 });
const lost = () => new TypeError("fetch failed");
const fine = () => new Response("{}");
let left: Answer[] = [fine()];
async function call(_method: string, _path: string, _body?: unknown): Promise<Response> {
  const next = left.shift()!;
  if (next instanceof Error) throw next;
  return next;
}
"""
ASKING = """
async function ask(method: string, ...answers: Answer[]) {
  left = answers;
  waits.length = 0;
  const status = await persist(method, "/posts/1").then((answer) => answer.status, () => "lost");
  console.log(`${method} ${status}, ${left.length} left, waited [${waits}]`);
}
await ask("POST", busy(), busy(), fine());
await ask("GET", busy(), busy(), busy(), busy(), fine());
await ask("PUT", lost(), unsure(), new Response("", { status: 502 }), fine());
await ask("POST", unsure(), fine());
await ask("PATCH", new Response("", { status: 504 }), fine());
await ask("POST", lost(), fine());
await ask("GET", new Response("{}", { status: 404 }), fine());
"""
ASKED = """200
POST 200, 0 left, waited [7000,7000]
GET 503, 1 left, waited [7000,7000,7000]
PUT 200, 0 left, waited [1000,1000,1000]
POST 503, 1 left, waited []
PATCH 504, 1 left, waited []
POST lost, 1 left, waited []
GET 404, 1 left, waited []
"""


@pytest.mark.node
def test_persist_in_typescript(tmp_path: Path) -> None:
    # given
    code = compiled(FAILING + retries("ts") + ASKING, tmp_path, "--noCheck")
    # when
    (tmp_path / "client.mjs").write_text(code)
    # then
    assert run(["node", tmp_path / "client.mjs"], tmp_path) == ASKED


BUSY = httpx.Response(503, headers={"Retry-After": "7"}, json={"code": "unavailable"})
UNSURE = httpx.Response(503, json={"code": "unavailable", "outcome": "unknown"})
FINE = httpx.Response(200)


class TestPersist:
    """The page's way to repeat requests, against a service that is made to fail."""

    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """Return the seconds that it waits; they pass at once."""
        waits: list[float] = []
        monkeypatch.setattr(time, "sleep", waits.append)
        return waits

    def persist(self, method: str, *answers: httpx.Response | Exception) -> tuple[int, int]:
        """Return the status it ends with and how many answers it did not ask for."""
        left = iter([FINE, *answers])  # the page asks once itself

        def answer(_: httpx.Request) -> httpx.Response:
            if isinstance(given := next(left), Exception):
                raise given
            return given

        api = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://service")
        names: dict[str, Any] = {"api": api, "httpx": httpx}
        exec(retries("python"), names)  # noqa: S102 - our own page
        return names["persist"](method, "/posts/1").status_code, len(list(left))

    def test_waits_as_long_as_it_is_told(self, waits: list[float]) -> None:
        assert self.persist("POST", BUSY, BUSY, FINE) == (200, 0)
        assert waits == [7, 7]

    def test_gives_up(self, waits: list[float]) -> None:
        assert self.persist("GET", *[BUSY] * 5) == (503, 1)
        assert len(waits) == 3

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_repeats_what_may_be_done_twice(self, method: str, waits: list[float]) -> None:
        lost = httpx.ReadError("gone")
        assert self.persist(method, lost, UNSURE, httpx.Response(502), FINE) == (200, 0)
        assert waits == [1, 1, 1]

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_does_not_repeat_what_may_be_stored(self, method: str, waits: list[float]) -> None:
        assert self.persist(method, UNSURE, FINE) == (503, 1)
        assert self.persist(method, httpx.Response(504), FINE) == (504, 1)
        with pytest.raises(httpx.ReadError):
            self.persist(method, httpx.ReadError("gone"), FINE)
        assert waits == []

    @pytest.mark.parametrize("status", [400, 404, 412, 500])
    def test_does_not_repeat_what_will_not_change(self, status: int, waits: list[float]) -> None:
        assert self.persist("GET", httpx.Response(status), FINE) == (status, 1)
        assert waits == []
