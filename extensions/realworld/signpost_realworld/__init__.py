"""The RealWorld ("Conduit") API, at ``/api/realworld``: existing front ends run on it unchanged.

An article is a published post, a favourite is a like. Rules are in ``rules/``: the core's, but for
what RealWorld has otherwise. Shapes are in shapes.py, errors in errors.py.
"""

from __future__ import annotations

from signpost import Namespace


def create() -> Namespace:
    """Return the namespace; each module adds its endpoints when it is imported."""
    from signpost_realworld import articles, comments, favorites, lists, profiles, users  # noqa: F401
    from signpost_realworld.namespace import ns

    return ns
