"""Rules about comments on articles: flat, whatever answers what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signpost import models, services
from signpost_realworld.errors import about
from signpost_realworld.rules.articles import ArticleService
from signpost_realworld.rules.people import author_of

#: RealWorld has no pages of comments; there is an end nonetheless.
MOST = 1_000


class RemarkService(services.CommentService):
    """Comments of articles as RealWorld shows them."""

    def columns(self) -> tuple[Any, ...]:
        comment = models.Comment
        return (
            *(comment.id, comment.body, comment.created_at, comment.updated_at),
            *author_of(self),
        )

    def of_article(self, slug: str) -> Sequence[Any]:
        """Return the newest comments, the newest first: two queries.

        Raises:
            NotFound: there is no such article.
        """
        comment = models.Comment
        found = self.only(self.visible().where(comment.post_id == self._article(slug)))
        ordered = found.order_by(comment.created_at.desc(), comment.id.desc())
        return self.session.execute(ordered.limit(MOST), self.params).all()

    def may_write(self, slug: str) -> None:
        """Raise NotFound or Forbidden unless the caller may comment an article."""
        self._article(slug)
        with about("comment"):
            self.check("create", None)

    def write(self, slug: str, body: str) -> int:
        """Comment an article; return the comment's id. Raises as ``of_article``."""
        id = self._article(slug)
        with about("comment"):
            return self.create({"post_id": id, "body": body})

    def discard(self, slug: str, id: int) -> None:
        """Move a comment of an article to the trash.

        Raises:
            NotFound, Forbidden: there is no such article or comment, or it is another's.
        """
        comment = models.Comment
        found = self.visible_ids().where(comment.id == id, comment.post_id == self._article(slug))
        with about("comment"):
            if self.session.scalar(found, self.params) is None:
                raise services.NotFound()
            self.delete(id)

    def _article(self, slug: str) -> int:
        return ArticleService(self.session, self.actor, self.config).id_of(slug)
