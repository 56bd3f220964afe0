"""``flask import --from``: what others keep, as lines of our own format.

The converters are services/transfer/markdown.py and services/transfer/wordpress.py.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.transfer import Line

if TYPE_CHECKING:
    from services.transfer.markdown import MarkdownFolder
    from services.transfer.wordpress import WordPressExport

#: What can be read beside JSON Lines.
FORMATS = ("markdown", "wordpress")
_TOLD = 20


@contextmanager
def converted(kind: str, names: Sequence[str], author: str | None) -> Iterator[Iterable[Line]]:
    """Read folders of Markdown or WordPress exports; tell at the end what was left out.

    Args:
        kind: one of ``FORMATS``.
        author: username of the author of posts that name none.

    Raises:
        click.UsageError: a folder where a file is due, or the other way about.
    """
    paths = [Path(name) for name in names]
    if kind == "markdown":
        if not all(path.is_dir() for path in paths):
            raise click.UsageError("--from markdown reads folders.")
        from services.transfer.markdown import MarkdownFolder  # 6 MB with what both of them need

        sources: list[MarkdownFolder | WordPressExport] = [
            MarkdownFolder(path, author) for path in paths
        ]
        total = sum(1 for path in paths for _ in MarkdownFolder(path).paths())
    else:
        if not all(path.is_file() for path in paths):
            raise click.UsageError("--from wordpress reads files.")
        from services.transfer.wordpress import WordPressExport

        sources = [WordPressExport(path, author) for path in paths]
        total = sum(path.stat().st_size for path in paths)
    try:
        with _progress(sources, total) as lines:
            yield lines
    finally:
        _tell(sum((source.left_out for source in sources), Counter()))


@contextmanager
def _progress(
    sources: Sequence[MarkdownFolder | WordPressExport], total: int
) -> Iterator[Iterable[Line]]:
    """Show on a terminal how much was read."""
    if not sys.stderr.isatty():
        yield chain.from_iterable(sources)
        return
    with click.progressbar(length=total, label="Import", file=sys.stderr) as bar:
        for source in sources:
            source.note = bar.update
        yield chain.from_iterable(sources)


def _tell(left_out: Counter[str]) -> None:
    """Say what was not taken over, the most frequent first."""
    told = [f"{what} ({count:,})" for what, count in left_out.most_common(_TOLD)]
    if len(left_out) > _TOLD:
        told.append("other things")
    if told:
        click.echo(f"Left out: {', '.join(told)}.")
