"""Map Python Enhancement Proposals to the import format, JSON Lines on stdout.

python -m examples.peps peps-posts.jsonl.gz peps-users.jsonl > peps.jsonl
flask import peps.jsonl

A row of the posts is ``{number, title, authors, status, tags, published_at, body}``, of the users
``{username, name, email}``. The first author is the author of the post; the others are among its
tags, by username, so that ``?tag=`` finds what somebody wrote with others. The proposal's own
status is among the tags of its row already: all of them are published here. Bodies, which are
reStructuredText, become Markdown (examples/rst.py).
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from examples import rst

Row = dict[str, Any]

#: Tags of a post; further authors give way.
MAX_TAGS = 20


def main(arguments: list[str] | None = None) -> None:
    """Write the records of both files, users first."""
    options = parser(__doc__).parse_args(arguments)
    for record in records(rows(options.posts), rows(options.users), options.only):
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the reader of a command line that names both files."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("posts", type=Path, help="JSON Lines, plain or .gz")
    made.add_argument("users", type=Path, help="JSON Lines, plain or .gz")
    made.add_argument("--only", type=int, nargs="+", metavar="NUMBER", help="only these proposals")
    return made


def rows(path: Path) -> Iterator[Row]:
    """Return the rows of a file of JSON Lines."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def records(
    posts: Iterable[Row], users: Iterable[Row], only: Iterable[int] | None = None
) -> Iterator[Row]:
    """Return a header, users, posts and an end; of ``only`` some posts just their authors."""
    wanted = set(only or ())
    chosen = [row for row in posts if row["number"] in wanted] if wanted else posts
    names = {name for row in chosen for name in row["authors"]} if wanted else None
    written = 0
    yield {"type": "header", "format": "signpost", "version": 1}
    for record in chain(map(user, users), map(post, chosen)):
        if names is None or record["type"] == "post" or record["username"] in names:
            written += 1
            yield record
    yield {"type": "end", "records": written}


def user(row: Row) -> Row:
    """Return the record of an author: without a password nobody can sign in as them yet."""
    return {"type": "user", **{name: row[name] for name in ("username", "email", "name")}}


def post(row: Row) -> Row:
    """Return the record of a proposal."""
    first, *others = row["authors"]
    return {
        "type": "post",
        "slug": f"pep-{row['number']}",
        "author": first,
        "title": row["title"].replace("``", ""),
        "body": rst.markdown(row["body"]),
        "status": "published",
        "published_at": row["published_at"],
        "tags": [*row["tags"], *others][:MAX_TAGS],
    }


if __name__ == "__main__":
    main()
