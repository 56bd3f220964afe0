"""What tests of streams share: posts in bulk, and what is read of NDJSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import Post, User
from services import clock
from services.posts import PostService

POSTS = "/api/v1/posts"
NDJSON = {"Accept": "application/x-ndjson"}
CSV = {"Accept": "text/csv"}


def lines(answer: TestResponse) -> list[Any]:
    """Return the values of an NDJSON answer."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def rows(answer: TestResponse) -> list[dict[str, str]]:
    """Return the rows of a CSV answer."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


def fill(session: Session, author: User, count: int, size: int = 5_000) -> None:
    """Insert published posts whose texts are ``size`` bytes each, one second apart."""
    begin = clock.now() - timedelta(days=1)
    moments = [begin + timedelta(seconds=number) for number in range(count)]
    made = [
        {
            "author_id": author.id,
            "title": f"Number {number}",
            "body": "b" * size,
            "html": "h" * size,
            "slug": f"number-{number}",
            "excerpt": "",
            "status": "published",
            "published_at": moment,
            "created_at": moment,
            "updated_at": moment,
        }
        for number, moment in enumerate(moments)
    ]
    session.execute(sa.insert(Post), made)
    session.commit()


def index(session: Session) -> None:
    """Have all posts found by their words."""
    searched = PostService.searched
    assert searched is not None
    posts = session.scalars(sa.select(Post))
    words = [{"rowid": post.id, "words": searched.document(post, None)} for post in posts]
    session.execute(sa.insert(searched.table), words)
    session.commit()
