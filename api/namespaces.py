"""The namespaces of the core, in the order of the documentation. Others: api/mounting.py."""

from __future__ import annotations

from flask_restx import Api, Namespace

from api.comments import ns as comments
from api.extensions import ns as extensions
from api.feed import ns as feed
from api.follows import ns as follows
from api.item import Item
from api.likes import ns as likes
from api.posts import ns as posts
from api.sessions import ns as sessions
from api.spec import Spec
from api.tags import ns as tags
from api.thumbnails import ns as files
from api.tokens import ns as auth
from api.trash import ns as trash
from api.users import ns as users

CORE: tuple[Namespace, ...] = (
    posts,
    comments,
    likes,
    tags,
    users,
    follows,
    feed,
    files,
    trash,
    auth,
    sessions,
    extensions,
)


def mount(api: Api) -> dict[str, Spec]:
    """Add every namespace to ``api``; return the declared resources by type."""
    specs = {}
    for namespace in CORE:
        api.add_namespace(namespace)
        for cls in (resource.resource for resource in namespace.resources):
            if issubclass(cls, Item):
                specs[cls.spec.service.type] = cls.spec
    return specs
