"""Markdown to safe HTML: rendered by cmark-gfm, sanitised by ammonia (nh3)."""

from __future__ import annotations

import html
import re

import cmarkgfm
import nh3
from cmarkgfm.cmark import Options

#: Raw HTML passes the renderer, because the sanitiser comes after it.
_OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_VALIDATE_UTF8
_SAFE = nh3.Cleaner(link_rel="noopener noreferrer nofollow")
_BARE = nh3.Cleaner(tags=set())
_EXCERPT_LENGTH = 200
_BLANKS = re.compile(r"\s+")


def render(text: str) -> str:
    """Return GitHub-flavoured Markdown as sanitised HTML."""
    return _SAFE.clean(
        cmarkgfm.markdown_to_html_with_extensions(
            text, _OPTIONS, ["table", "strikethrough", "autolink"]
        )
    )


def excerpt(rendered: str) -> str:
    """Return the first words of rendered HTML as plain text, up to 200 characters."""
    text = _BLANKS.sub(" ", html.unescape(_BARE.clean(rendered[:4_000]))).strip()
    if len(text) <= _EXCERPT_LENGTH:
        return text
    return text[: _EXCERPT_LENGTH - 1].rsplit(" ", 1)[0] + "…"
