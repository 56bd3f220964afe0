"""The routes of the running application, for tests of what must hold on all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from flask import Flask

READS = frozenset({"GET", "HEAD", "OPTIONS"})
API = "/api/"


class Route(NamedTuple):
    """One method of one URL, with values filled in for its variables."""

    method: str
    url: str
    rule: str


def routes(app: Flask) -> Iterator[Route]:
    """Yield every method of every rule of the API, and of what stands beside it."""
    for rule in app.url_map.iter_rules():
        if rule.rule != API:  # RESTX's own root, which answers 404
            for method in sorted(rule.methods or ()):
                yield Route(method, _filled(rule.rule), rule.rule)


def _filled(rule: str) -> str:
    rule = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule)
    rule = re.sub(r"<(?:id|user_id):\w+>", "1", rule)
    return re.sub(r"<(?:\w+:)?\w+>", "x", rule)
