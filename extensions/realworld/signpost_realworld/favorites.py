"""/articles/<slug>/favorite: what one likes."""

from __future__ import annotations

from typing import Any

from signpost import expose
from signpost_realworld import shapes
from signpost_realworld.articles import ArticleEndpoint
from signpost_realworld.namespace import ns
from signpost_realworld.rules.articles import ArticleService
from signpost_realworld.shapes import answers


@expose(
    ns,
    "/articles/<slug>/favorite",
    post=answers("likeConduitArticle", 200, shapes.ArticleAnswer, 401, 404),
    delete=answers("unlikeConduitArticle", 200, shapes.ArticleAnswer, 401, 404),
)
class Favorite(ArticleEndpoint):
    """Whether an article is among the caller's favorites."""

    access = "signed-in"

    def post(self, slug: str) -> dict[str, Any]:
        """Favorite an article (RealWorld)"""
        return self.shown(self.change(ArticleService, lambda articles: articles.favorite(slug)))

    def delete(self, slug: str) -> dict[str, Any]:
        """Take an article from one's favorites (RealWorld)"""
        return self.shown(self.change(ArticleService, lambda articles: articles.unfavorite(slug)))
