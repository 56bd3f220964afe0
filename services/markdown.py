"""Markdown to safe HTML: rendered by pulldown-cmark (pyromark), sanitised by ammonia (nh3)."""

from __future__ import annotations

import html
import re

import nh3
import pyromark

from services.errors import Fault, Invalid

_OPTIONS = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH
_SAFE = nh3.Cleaner(link_rel="noopener noreferrer nofollow")
_BARE = nh3.Cleaner(tags=set())
MAX_DEPTH = 100
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset({"br", "col", "hr", "img", "wbr"})
_EXCERPT_LENGTH = 200
_BLANKS = re.compile(r"\s+")


def render(text: str) -> str:
    """Return CommonMark, with tables and ~~deletions~~, as sanitised HTML.

    Raises:
        Invalid: it is nested more than 100 levels deep. The sanitiser's time grows with the square
            of the depth: 100,000 times ``>`` took it 69 s.
    """
    # Raw HTML passes the renderer: the sanitiser comes after it.
    raw = pyromark.html(text, options=_OPTIONS)
    if raw.count("<") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        message = f"Nested more than {MAX_DEPTH} levels deep."
        raise Invalid(faults=[Fault("body", "format", message)])
    return _SAFE.clean(raw)


def excerpt(rendered: str) -> str:
    """Return the first words of rendered HTML as plain text, up to 200 characters."""
    text = _plain(rendered[:1_000])
    if len(text) <= _EXCERPT_LENGTH < len(rendered):
        text = _plain(rendered[:4_000])
    if len(text) <= _EXCERPT_LENGTH:
        return text
    return text[: _EXCERPT_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def _plain(rendered: str) -> str:
    return _BLANKS.sub(" ", html.unescape(_BARE.clean(rendered))).strip()


def _depth(raw: str) -> int:
    """Return how deep elements are nested, closed or not."""
    level = deepest = 0
    for is_end, name in _TAG.findall(raw):
        if name.lower() not in _VOID:
            level += -1 if is_end else 1
            deepest = max(deepest, level)
    return deepest
