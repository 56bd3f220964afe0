"""Which namespaces the API serves, in the order in which the documentation shows them."""

from __future__ import annotations

from flask_restx import Api, Namespace

from api.posts import ns as posts
from api.sessions import ns as sessions
from api.tokens import ns as auth
from api.trash import ns as trash
from api.users import ns as users

CORE: tuple[Namespace, ...] = (posts, users, trash, auth, sessions)


def mount(api: Api) -> None:
    """Add every namespace to ``api``."""
    for namespace in CORE:
        api.add_namespace(namespace)
