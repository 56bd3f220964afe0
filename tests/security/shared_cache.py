"""A shared cache as careless as one may be: it keeps whatever no header forbids it to keep.

It does not know that ``Authorization`` makes a request private (RFC 9111, section 3.5), as proxies
that are configured in a hurry do not; ``Cache-Control`` and ``Vary`` alone must protect callers.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_NEVER = {"no-store", "private"}


@dataclass(frozen=True)
class Told:
    """What a client sees of an answer."""

    status: int
    body: bytes


@dataclass(frozen=True)
class _Kept:
    told: Told
    vary: dict[str, str | None]
    tag: str | None
    must_ask: bool


class SharedCache:
    """Sits between callers and the service, which it asks by ``client``."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.hits = 0
        self._kept: dict[str, list[_Kept]] = {}

    def get(self, url: str, headers: dict[str, str]) -> Told:
        """Answer from the cache where the headers of what it kept allow it."""
        kept = next((each for each in self._kept.get(url, ()) if _matches(each, headers)), None)
        if kept is not None and not kept.must_ask:
            self.hits += 1
            return kept.told
        condition = {"If-None-Match": kept.tag} if kept is not None and kept.tag else {}
        answer = self.client.get(url, headers=headers | condition)
        if kept is not None and answer.status_code == 304:
            self.hits += 1
            return kept.told
        self._keep(url, headers, answer)
        return Told(answer.status_code, answer.data)

    def _keep(self, url: str, headers: dict[str, str], answer: TestResponse) -> None:
        rules = {rule.strip().lower() for rule in answer.headers["Cache-Control"].split(",")}
        names = {name.strip() for name in answer.headers.get("Vary", "").split(",") if name.strip()}
        if rules & _NEVER or "*" in names:
            return
        given = {name.lower(): value for name, value in headers.items()}
        vary = {name.lower(): given.get(name.lower()) for name in names}
        told = Told(answer.status_code, answer.data)
        kept = _Kept(told, vary, answer.headers.get("ETag"), "no-cache" in rules)
        self._kept.setdefault(url, []).insert(0, kept)


def _matches(kept: _Kept, headers: dict[str, str]) -> bool:
    given = {name.lower(): value for name, value in headers.items()}
    return all(given.get(name) == value for name, value in kept.vary.items())
