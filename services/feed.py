"""The feed: published posts of those whom the caller follows.

Who follows many active authors finds a page among the newest posts of all, walking these in order.
Who follows few, or such as have not written for long, would walk far: for them each author's newest
are gathered. So the walk ends after a while, and the gathering is asked for if that was in vain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models import Follow, Post, User
from services import listing, search
from services.base import ACTOR, Service
from services.listing import Order, Page, Query
from services.posts import PostService

#: Posts that the walk looks at for each one that is wanted, and at least.
_EACH, _LEAST = 25, 500
#: Posts that are wanted: of this page, of those before it, and one more.
_REACH = sa.bindparam("reach", type_=sa.Integer)
_WINDOW = sa.bindparam("window", type_=sa.Integer)
#: Whom editors follow is no reason to show them what others don't see.
_IS_ACTIVE = User.status == "active"


class FeedService(PostService):
    """Posts as everybody sees them."""

    def visible(self) -> sa.Select[Any]:
        follow = aliased(Follow)
        follows = sa.exists().where(
            follow.follower_id == ACTOR, follow.followed_id == Post.author_id
        )
        # Put like this, it is no way in for either database's planner.
        return super().visible().where(_IS_ACTIVE, follows.correlate(Post).is_(True))

    def list(self, query: Query) -> Page:
        """Return one page; three queries at most. Raises as ``Service.list``."""
        if "q" in query.filters:
            return super().list(query)
        params = listing.params_of(self, query)
        if query.after:
            params |= {"after": query.after[0], "after_id": query.after[1]}
        reach = params["limit"] + params["offset"]
        params |= {"reach": reach, "window": max(_LEAST, _EACH * reach)}
        found = listing.kept(self, query, "walk", _walk).ask(self.session, params)
        if len(found) <= query.limit:
            kind = f"gather {self.session.get_bind().dialect.name}"
            found = listing.kept(self, query, kind, _gather).ask(self.session, params)
        total = listing.total_of(self, query, params, _counted) if query.total else None
        rows = found[: query.limit]
        following = (rows[-1].sort_value, rows[-1].id) if len(found) > query.limit else None
        return Page(self.complete(rows, self.params), following, total)


def _walk(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Select from among the next posts of all, in order, up to the end of a window."""
    order = listing.order_of(service, query)
    place = (order.column, Post.id)
    window = sa.select(order.column.label("value"), Post.id)
    window = window.where(Post.deleted_at.is_(None), order.column.is_not(None))
    if query.after is not None:
        window = window.where(listing.beyond(service, order, query.after))
    ahead = window.order_by(*order.by(*place)).limit(_WINDOW).cte("ahead")
    back = replace(order, descending=not order.descending)
    last = sa.select(ahead).order_by(*back.by(*ahead.c)).limit(1).cte("last")
    end = tuple(sa.select(each).scalar_subquery() for each in last.c)
    return listing.rows_of(service, query).where(back.past(place, (end[0], end[1])))


def _gather(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Select what the page needs of each author: first of all one post, which tells whom it needs.

    As many authors as there are posts on a page, those whose next post comes first, have all of
    that page.
    """
    order = listing.order_of(service, query)
    found = listing.ordered(service, query).with_only_columns(Post.id, maintain_column_froms=True)
    one = found.where(Post.author_id == Follow.followed_id).limit(1).correlate(Follow)
    heads = sa.select(Follow.followed_id, one.scalar_subquery().label("id"))
    first = heads.where(Follow.follower_id == ACTOR).cte("heads").prefix_with("MATERIALIZED")
    head = aliased(Post)
    authors = sa.select(first.c.followed_id).join(head, head.id == first.c.id)
    authors = authors.order_by(*order.by(_of(head, order), head.id)).limit(_REACH)
    posts = _posts_of(service, authors.cte("authors"), found, order)
    page = posts.order_by(*order.by(*posts.selected_columns)).limit(_REACH).cte("page")
    statement = sa.select().select_from(search.entered_by(page, page.c.id, service))
    statement = service.only(statement).add_columns(page.c.value.label("sort_value"))
    return listing.paged(statement.order_by(*order.by(*page.c)), query)


def _posts_of(
    service: Service[Any], authors: sa.CTE, found: sa.Select[Any], order: Order
) -> sa.Select[Any]:
    """Select value and id of as many posts of each author as a page has."""
    each = found.where(Post.author_id == authors.c.followed_id).limit(_REACH).correlate(authors)
    if service.session.get_bind().dialect.name == "postgresql":
        shown = (order.column.label("value"), Post.id)
        posts = each.with_only_columns(*shown, maintain_column_froms=True).lateral()
        return sa.select(*posts.c).select_from(sa.join(authors, posts, sa.true()))
    own = aliased(Post)  # SQLite has no LATERAL
    found = sa.select(_of(own, order).label("value"), own.id)
    return found.select_from(sa.join(authors, own, own.id.in_(each)))


def _of(posts: Any, order: Order) -> Any:
    """Return the column that is ordered by, of an alias."""
    return getattr(posts, order.column.key)


def _counted(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Count what ``visible`` has, by whichever way in the planner likes."""
    posts = PostService(service.session, service.actor, service.config)
    followed = sa.select(Follow.followed_id).where(Follow.follower_id == ACTOR)
    found = listing.narrowed(posts, query.filters)
    found = found.where(Post.author_id.in_(followed), _IS_ACTIVE)
    return found.with_only_columns(sa.func.count(), maintain_column_froms=True)
