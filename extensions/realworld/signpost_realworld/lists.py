"""/articles (GET), /articles/feed, /tags: what there is to read."""

from __future__ import annotations

from typing import Any

from signpost import RequestParser, arguments, expose, plan, request, services
from signpost_realworld import shapes
from signpost_realworld.endpoint import ConduitEndpoint
from signpost_realworld.namespace import ns
from signpost_realworld.rules.pages import ArticlePages
from signpost_realworld.shapes import answers

MAX_LIMIT = 100
#: RealWorld has no pages of tags; there is an end nonetheless.
MOST_TAGS = 10_000

pages = RequestParser()
pages.add_argument(
    "limit", arguments.Whole(), default=20, help=f"Articles at most; never more than {MAX_LIMIT}."
)
pages.add_argument("offset", arguments.Whole(0), default=0, help="Articles to pass over.")

narrowed = RequestParser()
narrowed.args = list(pages.args)
narrowed.add_argument("tag", help="Articles with this tag.")
narrowed.add_argument("author", help="Articles of this user, by name.")
narrowed.add_argument("favorited", help="Articles that this user favorited, by name.")


def asked(parser: RequestParser) -> dict[str, Any]:
    """Return the arguments of this request; unknown and empty ones are ignored.

    Raises:
        Invalid: one is not what it has to be.
    """
    found, faults = {}, []
    for each in parser.args:
        try:
            text = request.args.get(each.name)
            found[each.name] = each.type(text) if text else each.default
        except arguments.Refused as exc:
            faults.append(services.Fault(each.name, exc.code, exc.message))
    if faults:
        raise services.Invalid(faults=faults)
    found["limit"] = min(found["limit"], MAX_LIMIT)
    return {name: value for name, value in found.items() if value is not None}


@expose(
    ns,
    "/articles/feed",
    get={
        **answers("listConduitFeed", 200, shapes.ArticlesAnswer, 401, 422),
        "expect": [pages],
    },
)
class Feed(ConduitEndpoint):
    """Articles of those whom the caller follows."""

    access = "signed-in"

    def get(self) -> dict[str, Any]:
        """List articles of those whom one follows (RealWorld)

        The newest first.
        """
        values = asked(pages)
        found = self.look(ArticlePages, lambda articles: articles.feed(**values))
        return plan(shapes.ArticlesAnswer)(found)


@expose(ns, "/tags", get=answers("listConduitTags", 200, shapes.TagsAnswer))
class TagList(ConduitEndpoint):
    """Tags of articles."""

    access = "anyone"

    def get(self) -> dict[str, Any]:
        """List the tags of all articles (RealWorld)"""
        query = services.Query(limit=MOST_TAGS)
        page = self.look(services.TagService, lambda tags: tags.list(query))
        return {"tags": [tag.name for tag in page.rows]}
