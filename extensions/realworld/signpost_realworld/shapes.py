"""Shapes: what RealWorld's objects have, in their envelopes, and what may be sent of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from signpost import fields, patch_of
from signpost_realworld.namespace import ns

_PASSWORD = "an elephant in Cairo"  # noqa: S105 - an example
_BIO = "Writes about engines."
_IMAGE = "https://example.org/ada.png"


def _people(**members: Any) -> dict[str, Any]:
    return {
        **members,
        "bio": fields.String(
            required=True, nullable=True, max_length=500, multiline=True, example=_BIO
        ),
        "image": fields.String(
            required=True, nullable=True, max_length=10_000, multiline=True, example=_IMAGE
        ),
    }


def _named() -> dict[str, Any]:
    return {
        "username": fields.String(required=True, kind="username", example="ada"),
        "email": fields.String(required=True, kind="email", example="ada@example.org"),
    }


def _password(kind: Any = "password") -> Any:
    return fields.String(required=True, kind=kind, example=_PASSWORD)


user = ns.model(
    "ConduitUser", _people(**_named(), token=fields.String(required=True, example="eyJ0eXAi..."))
)
sign_up = ns.model("ConduitSignUp", {**_named(), "password": _password()})
sign_in = ns.model(
    "ConduitSignIn",
    {
        "email": fields.String(required=True, max_length=320, example="ada@example.org"),
        "password": _password("secret"),
    },
)
user_patch = patch_of(
    ns,
    "ConduitUserPatch",
    _people(
        **_named(),
        password=_password(),
        currentPassword=fields.String(
            kind="secret", description="Needed for a new email address or password."
        ),
    ),
)
profile = ns.model(
    "ConduitProfile",
    _people(
        username=fields.String(required=True, example="ada"),
        following=fields.Boolean(required=True, description="By the caller."),
    ),
)


def _tags(*, required: bool) -> Any:
    return fields.List(
        fields.String(min_length=1, max_length=50, kind="tag"),
        required=required,
        max_items=20,
        attribute="tags",
        example=["dragons", "training"],
    )


def _texts() -> dict[str, Any]:
    return {
        "title": fields.String(
            required=True, min_length=1, max_length=200, example="How to train your dragon"
        ),
        "description": fields.String(
            required=True,
            min_length=1,
            max_length=500,
            multiline=True,
            attribute="excerpt",
            example="Ever wonder how?",
        ),
    }


def _body() -> Any:
    return fields.String(
        required=True,
        min_length=1,
        max_length=100_000,
        multiline=True,
        description="Markdown.",
        example="You have to *believe*.",
    )


def _times() -> dict[str, Any]:
    return {
        "createdAt": fields.DateTime(required=True, attribute="created_at"),
        "updatedAt": fields.DateTime(required=True, attribute="updated_at"),
        "author": fields.Inline(profile, required=True),
    }


def _article() -> dict[str, Any]:
    return {
        "slug": fields.String(required=True, example="how-to-train-your-dragon"),
        **_texts(),
        "tagList": _tags(required=True),
        "favorited": fields.Boolean(required=True, description="By the caller."),
        "favoritesCount": fields.Integer(required=True, attribute="likes_count", example=0),
        **_times(),
    }


article = ns.model("ConduitArticle", {**_article(), "body": _body()})
card = ns.model("ConduitCard", _article())
article_input = ns.model(
    "ConduitArticleInput", {**_texts(), "body": _body(), "tagList": _tags(required=False)}
)
article_patch = patch_of(ns, "ConduitArticlePatch", article_input)
comment_input = ns.model(
    "ConduitCommentInput",
    {
        "body": fields.String(
            required=True, min_length=1, max_length=5_000, multiline=True, example="Well said."
        )
    },
)
comment = ns.model(
    "ConduitComment",
    {
        "id": fields.Integer(required=True, example=42),
        "body": fields.String(required=True, example="Well said."),
        **_times(),
    },
)


def _wrapped(name: str, member: str, inner: Any) -> Any:
    """Declare an envelope."""
    return ns.model(f"Conduit{name}", {member: fields.Nested(inner, required=True)})


UserAnswer = _wrapped("UserAnswer", "user", user)
ProfileAnswer = _wrapped("ProfileAnswer", "profile", profile)
ArticleAnswer = _wrapped("ArticleAnswer", "article", article)
CommentAnswer = _wrapped("CommentAnswer", "comment", comment)
SignUpRequest = _wrapped("SignUpRequest", "user", sign_up)
SignInRequest = _wrapped("SignInRequest", "user", sign_in)
UserRequest = _wrapped("UserRequest", "user", user_patch)
ArticleRequest = _wrapped("ArticleRequest", "article", article_input)
ArticleChange = _wrapped("ArticleChange", "article", article_patch)
CommentRequest = _wrapped("CommentRequest", "comment", comment_input)
ArticlesAnswer = ns.model(
    "ConduitArticlesAnswer",
    {
        "articles": fields.List(fields.Nested(card), required=True),
        "articlesCount": fields.Integer(
            required=True, description="All that match, on whatever page.", example=1
        ),
    },
)
CommentsAnswer = ns.model(
    "ConduitCommentsAnswer", {"comments": fields.List(fields.Nested(comment), required=True)}
)
TagsAnswer = ns.model(
    "ConduitTagsAnswer", {"tags": fields.List(fields.String(example="dragons"), required=True)}
)
errors = ns.model(
    "ConduitErrors",
    {"errors": fields.Raw(required=True, example={"title": ["can't be blank"]})},
)


def answers(id: str, success: int, model: Any, *failures: int, body: Any = None) -> dict[str, Any]:
    """Return the documentation of a verb."""
    shown: dict[str, Any] = {str(success): (HTTPStatus(success).phrase, model)}
    shown |= {str(status): (HTTPStatus(status).phrase, errors) for status in failures}
    shown["default"] = ("Any other error.", errors)
    return {"id": id, "responses": shown} | ({"expect": [body]} if body else {})
