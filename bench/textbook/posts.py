"""The textbook app's posts: ``marshal_with``, ``reqparse``, ``validate=True``, ``jwt_required``."""

# Flask-RESTX has no types.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any

import nh3
import pyromark
from flask_jwt_extended import get_jwt_identity, jwt_required
from flask_restx import Namespace, Resource, fields, inputs, reqparse
from slugify import slugify
from sqlalchemy.orm import joinedload

from bench.textbook.models import Post, User, db

ns = Namespace("posts", description="Posts.")

author = ns.model(
    "Author",
    {
        "id": fields.Integer(),
        "username": fields.String(),
        "name": fields.String(),
        "avatar_url": fields.String(),
    },
)
post = ns.model(
    "Post",
    {
        "id": fields.Integer(),
        "title": fields.String(),
        "slug": fields.String(),
        "body": fields.String(),
        "html": fields.String(),
        "excerpt": fields.String(),
        "status": fields.String(),
        "published_at": fields.DateTime(),
        "tags": fields.List(fields.String()),
        "author": fields.Nested(author),
        "comments_count": fields.Integer(),
        "likes_count": fields.Integer(),
        "version": fields.Integer(),
        "created_at": fields.DateTime(),
        "updated_at": fields.DateTime(),
    },
)
page = ns.model(
    "PostPage",
    {
        "items": fields.List(fields.Nested(post)),
        "page": fields.Integer(),
        "pages": fields.Integer(),
        "per_page": fields.Integer(),
        "total": fields.Integer(),
    },
)
post_input = ns.model(
    "PostInput",
    {
        "title": fields.String(required=True, min_length=1, max_length=200),
        "body": fields.String(required=True, min_length=1, max_length=100_000),
        "excerpt": fields.String(max_length=500),
        "status": fields.String(enum=["draft", "published", "archived"]),
        "tags": fields.List(fields.String(min_length=1, max_length=50), max_items=20),
    },
)

paging = reqparse.RequestParser()
paging.add_argument("page", type=inputs.positive, default=1, location="args")
paging.add_argument("per_page", type=inputs.int_range(1, 100), default=20, location="args")
paging.add_argument(
    "total", type=inputs.boolean, default=True, location="args", help="Without: for comparison."
)
paging.add_argument("q", location="args", help="Part of the title or the body.")


@ns.route("")
class PostList(Resource):
    @ns.expect(paging)
    @ns.marshal_with(page)
    def get(self) -> Any:
        """List published posts, newest first."""
        args = paging.parse_args()
        posts = _public()
        if args["q"]:
            part = f"%{args['q']}%"
            posts = posts.where(db.or_(Post.title.ilike(part), Post.body.ilike(part)))
        return db.paginate(
            posts.order_by(Post.published_at.desc(), Post.id.desc()),
            page=args["page"],
            per_page=args["per_page"],
            count=args["total"],
        )

    @jwt_required()
    @ns.expect(post_input, validate=True)
    @ns.marshal_with(post, code=HTTPStatus.CREATED)
    def post(self) -> Any:
        """Write a post."""
        data = ns.payload
        user = db.session.get(User, int(get_jwt_identity()))
        created = Post(
            author=user,
            title=data["title"],
            body=data["body"],
            html=_render(data["body"]),
            slug=_free_slug(data["title"]),
            excerpt=data.get("excerpt") or data["body"][:300],
            status=data.get("status", "draft"),
            tags=data.get("tags", []),
        )
        db.session.add(created)
        db.session.commit()
        return created, HTTPStatus.CREATED, {"Location": f"/api/posts/{created.id}"}


@ns.route("/<int:id>")
class PostItem(Resource):
    @ns.marshal_with(post)
    def get(self, id: int) -> Any:
        """Read one post."""
        return db.first_or_404(_public().filter_by(id=id))


def _public() -> Any:
    published = db.select(Post).filter_by(status="published", deleted_at=None)
    return published.options(joinedload(Post.author))  # type: ignore[arg-type]


def _free_slug(title: str) -> str:
    slug = slugify(title)
    while db.session.execute(db.select(Post.id).filter_by(slug=slug, deleted_at=None)).first():
        slug = f"{slugify(title)}-{uuid.uuid4().hex[:8]}"
    return slug


def _render(markdown: str) -> str:
    return nh3.clean(pyromark.html(markdown, options=pyromark.Options.ENABLE_TABLES))
