"""Tags: those that public posts have, and how many posts have each; exact after every write.

What a transaction changes is collected, and applied by one statement within the log's lock: so no
two writers ever wait for each other's tags. Posts that are scheduled are in the numbers already;
they are taken off when a list is read, so that nothing has to happen when their time comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from models import Post, PostTag, Tag, User
from models.prepared import Command
from models.tag import key_of
from services import log
from services.base import NOW, Service
from services.listing import LIMIT, OFFSET, Filter, Page, Query, Sort, fetch, paged, rows_of

_SHIFTS = "tag_shifts"
#: Posts whose tags are in memory at a time.
_BATCH = 1_000


def once(tags: Iterable[str]) -> list[str]:
    """Return the tags as a post keeps them: each once, as it was written first."""
    return list(_by_key(tags).values())


def keys_of(tags: Iterable[str]) -> list[str]:
    """Return the keys of tags, sorted."""
    return sorted(_by_key(tags))


def shift(session: Session, tags: Iterable[str], by: int) -> None:
    """Count ``by`` more posts with each of ``tags`` when the session's transaction commits."""
    shifts: dict[str, list[Any]] = session.info.setdefault(_SHIFTS, {})
    for key, name in _by_key(tags).items():
        shifts.setdefault(key, [key, name, 0])[2] += by
    log.run_within(session, _steps)


def shift_each(session: Session, posts: sa.ColumnElement[bool], by: int) -> None:
    """Count ``by`` more of each of the published ``posts``, whose authors hold still."""
    lists = sa.select(Post.tags).where(Post.status == "published", posts).order_by(Post.id)
    for tags in session.scalars(lists.execution_options(yield_per=_BATCH)):
        shift(session, tags, by)


def _by_key(tags: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(key_of(tag), tag)
    return found


def _steps(session: Session) -> Sequence[tuple[Command, Sequence[Mapping[str, Any]]]]:
    shifts = [each for each in session.info.pop(_SHIFTS, {}).values() if each[2]]
    if not shifts:
        return ()
    apply = (_apply(session.get_bind().dialect.name), [{"shifts": shifts}])
    return (apply, (_FORGET, [{}])) if any(by < 0 for _, _, by in shifts) else (apply,)


def _scheduled() -> sa.Subquery:
    """Return the tags of posts that are still to appear, with their ``number``: few."""
    later = (
        sa.select(PostTag.key, sa.func.count().label("number"))
        .join(Post, Post.id == PostTag.post_id)
        .join(User, User.id == Post.author_id)
        .where(Post.status == "published", Post.published_at > NOW, Post.deleted_at.is_(None))
        .where(User.status == "active")
    )
    return later.group_by(PostTag.key).subquery("scheduled")


def _lessened() -> sa.Subquery:
    scheduled = _scheduled()
    left = (Tag.posts_count - scheduled.c.number).label("posts_count")
    tags = sa.select(Tag.id, Tag.key, Tag.name, left).join(scheduled, scheduled.c.key == Tag.key)
    return tags.where(Tag.posts_count > scheduled.c.number).subquery("lessened")


def _starts_with(key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition on a key; how texts are ordered is the database's business."""
    prefix = sa.bindparam("prefix", type_=sa.Text)
    return sa.and_(key >= prefix, sa.func.substr(key, 1, sa.func.length(prefix)) == prefix)


@cache
def _apply(dialect: str) -> Command:
    """Return what adds to the numbers, by key, name and difference."""
    is_sqlite = dialect == "sqlite"
    rows: Any = sa.func.json_each if is_sqlite else sa.func.json_array_elements
    each = rows(sa.bindparam("shifts", type_=sa.JSON)).table_valued(sa.column("value", sa.JSON))
    key, name, by = (each.c.value[place] for place in range(3))
    values = sa.select(key.as_string(), name.as_string(), by.as_integer())
    insert: Any = (sqlite if is_sqlite else postgresql).insert(Tag)
    # SQLite wants a condition between SELECT and ON CONFLICT.
    insert = insert.from_select(["key", "name", "posts_count"], values.where(sa.true()))
    sum = Tag.posts_count + insert.excluded.posts_count
    return Command(insert.on_conflict_do_update(index_elements=["key"], set_={"posts_count": sum}))


#: What no post has any more, it is as if nobody had ever written it.
_FORGET = Command(sa.delete(Tag).where(Tag.posts_count < 1))


class TagService(Service[Tag]):
    """The same for everybody; nobody writes tags but by writing posts."""

    model: ClassVar[Any] = Tag
    type = "tags"
    sorts: ClassVar = {"name": Sort(Tag.key), "posts_count": Sort(Tag.posts_count)}
    default_sort = "name"
    filters: ClassVar = {
        "prefix": Filter(
            lambda service, _value: _starts_with(service.model.key),
            shape=lambda _value: None,
            params=lambda value: {"prefix": key_of(value.strip())},
        ),
    }

    def visible(self) -> sa.Select[Any]:
        scheduled = _scheduled()
        number = sa.func.coalesce(scheduled.c.number, 0)
        lessened = sa.select(Tag).join(scheduled, scheduled.c.key == Tag.key, isouter=True)
        return lessened.where(Tag.posts_count > number)

    def columns(self) -> tuple[Any, ...]:
        return self.model.id, self.model.name, self.model.posts_count

    def list(self, query: Query) -> Page:
        """Return one page, in two queries at most."""
        return fetch(self, query, _merged)


class _Plain(TagService):
    """Tags without scheduled posts: nearly all, in the order of an index."""

    def visible(self) -> sa.Select[Any]:
        return sa.select(Tag).where(Tag.key.not_in(sa.select(_scheduled().c.key)))


class _Lessened(TagService):
    """Tags with scheduled posts, and less than they have."""

    model = aliased(Tag, _lessened(), adapt_on_names=True)
    sorts: ClassVar = {"name": Sort(model.key), "posts_count": Sort(model.posts_count)}

    def visible(self) -> sa.Select[Any]:
        return sa.select(self.model)


def _merged(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Select a page from the first rows of both kinds."""
    whole = replace(query, page=None)
    arms = [
        rows_of(kind(service.session), whole).limit(LIMIT + OFFSET) for kind in (_Plain, _Lessened)
    ]
    found = sa.union_all(*(sa.select(arm.subquery()) for arm in arms)).subquery()
    order = (found.c.sort_value, found.c.id)
    is_descending = (query.sort or service.default_sort).startswith("-")
    ordered = sa.select(found).order_by(*(each.desc() if is_descending else each for each in order))
    return paged(ordered, query)
