"""docs/differences.md: each line's request is sent, on both databases, and answered as it says."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.contract.examples import MARK, blocks
from tests.servers import ROOT, live_server

PAGE = (ROOT / "docs" / "differences.md").read_text()
ROW = re.compile(r"^\|[^|]*\| `(curl [^|]*)` \| `(\d{3})([^|]*)` \|[^|]*\|$", re.M)
#: Request, status and the rest of what is expected.
ROWS = [(row[1], int(row[2]), row[3].strip()) for row in ROW.finditer(PAGE)]
#: From here on, curl says what came, then its status.
TELLING = "\ncurl() { command curl -s -w '\\n%{http_code}' \"$@\"; }\n"

#: Request → status and body.
Answers = dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def answers(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Everything that the page asks, asked in its order."""
    [setup] = [block.code for block in blocks(PAGE) if block.language == "sh"]
    requests = [request for request, *_ in ROWS]
    script = setup + TELLING + "".join(f"echo '{MARK}'; {request}\necho\n" for request in requests)
    with live_server(make_database("differences"), tmp_path_factory.mktemp("server")) as server:
        script = script.replace("http://127.0.0.1:8000", server.url)
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = done.stdout.split(f"{MARK}\n")[1:]
    bodies = [each.rstrip("\n").rpartition("\n") for each in told]
    return {
        request: (int(status), body)
        for request, (body, _, status) in zip(requests, bodies, strict=True)
    }


@pytest.mark.parametrize(("request_", "status", "rest"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_each_line_is_answered_as_it_says(
    answers: Answers, request_: str, status: int, rest: str
) -> None:
    # when
    answered, body = answers[request_]
    # then
    assert (answered, said(body, rest.startswith("{"))) == (status, expected(rest)), body


def said(body: str, as_a_whole: bool) -> Any:
    """Return a body, or the code of a problem and its faults."""
    data: Any = json.loads(body) if body else ""
    if as_a_whole:
        return without_cursor(data)
    if not data:
        return [""]
    return [data["code"], *(f"{each['field']}:{each['code']}" for each in data.get("errors", ()))]


def expected(rest: str) -> Any:
    """Return what the page says, in the same form."""
    return without_cursor(json.loads(rest)) if rest.startswith("{") else rest.split(" ")


def without_cursor(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with any cursor as one mark."""
    return data | ({"next": "..."} if data.get("next") else {})


def test_every_line_is_read() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    headings = [line for line in lines if line.startswith("| Elsewhere")]
    assert len(ROWS) == len(lines) - len(headings) > 30
    assert len({request for request, *_ in ROWS}) == len(ROWS)
