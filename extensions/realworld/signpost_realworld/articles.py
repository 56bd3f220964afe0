"""/articles, /articles/<slug>: read and write articles."""

from __future__ import annotations

from typing import Any

from signpost import expose, plan
from signpost_realworld import bodies, shapes
from signpost_realworld.endpoint import ConduitEndpoint
from signpost_realworld.lists import asked, narrowed
from signpost_realworld.namespace import ns
from signpost_realworld.rules.articles import ArticleService
from signpost_realworld.rules.pages import ArticlePages
from signpost_realworld.shapes import answers

#: RealWorld's names → ours.
_OURS = {"description": "excerpt", "tagList": "tags"}


class ArticleEndpoint(ConduitEndpoint):
    """What answers one article."""

    def shown(self, id: int) -> dict[str, Any]:
        """Return an article by id."""
        found = self.look(ArticleService, lambda articles: articles.by_id(id))
        return plan(shapes.ArticleAnswer)({"article": found})

    def prepared(self, shape: Any) -> dict[str, Any]:
        """Return the body's article in our words, prepared."""
        sent = bodies.read(shape, "article")
        return ArticleService.prepare({_OURS.get(name, name): sent[name] for name in sent})


@expose(
    ns,
    "/articles",
    get={
        **answers("listConduitArticles", 200, shapes.ArticlesAnswer, 401, 422),
        "expect": [narrowed],
    },
    post=answers(
        "createConduitArticle", 201, shapes.ArticleAnswer, 401, 403, 422, body=shapes.ArticleRequest
    ),
)
class ArticleCollection(ArticleEndpoint):
    """All articles."""

    access = {"GET": "anyone", "POST": "signed-in"}

    def get(self) -> dict[str, Any]:
        """List articles (RealWorld)

        The newest first; `articlesCount` is the number of all that match.
        """
        values = asked(narrowed)
        limit, offset = values.pop("limit"), values.pop("offset")
        found = self.look(ArticlePages, lambda articles: articles.page(values, limit, offset))
        return plan(shapes.ArticlesAnswer)(found)

    def post(self) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Publish an article (RealWorld)"""
        with self.rights_first(ArticleService, lambda articles: articles.may_write()):
            prepared = self.prepared(shapes.article_input)
        id = self.change(ArticleService, lambda articles: articles.write(prepared))
        made = self.shown(id)
        return made, 201, {"Location": self.path("articles", made["article"]["slug"])}


@expose(
    ns,
    "/articles/<slug>",
    get=answers("getConduitArticle", 200, shapes.ArticleAnswer, 401, 404),
    put=answers(
        "patchConduitArticle",
        200,
        shapes.ArticleAnswer,
        *(401, 403, 404, 422),
        body=shapes.ArticleChange,
    ),
    delete=answers("deleteConduitArticle", 204, None, 401, 403, 404),
)
class Article(ArticleEndpoint):
    """One article."""

    access = {"GET": "anyone", "PUT": "signed-in", "DELETE": "signed-in"}

    def get(self, slug: str) -> dict[str, Any]:
        """Get an article (RealWorld)"""
        found = self.look(ArticleService, lambda articles: articles.article(slug))
        return plan(shapes.ArticleAnswer)({"article": found})

    def put(self, slug: str) -> dict[str, Any]:
        """Change an article (RealWorld)

        What is absent stays as it is. A new title makes a new slug.
        """
        with self.rights_first(ArticleService, lambda articles: articles.may_revise(slug)):
            prepared = self.prepared(shapes.article_patch)
        id = self.change(ArticleService, lambda articles: articles.revise(slug, prepared))
        return self.shown(id)

    def delete(self, slug: str) -> tuple[None, int]:
        """Move an article to the trash (RealWorld)"""
        self.change(ArticleService, lambda articles: articles.discard(slug))
        return None, 204
