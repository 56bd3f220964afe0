"""The namespace that all endpoints are declared in, and its settings."""

from __future__ import annotations

from dataclasses import dataclass

from signpost import Namespace, setting
from signpost_realworld.errors import shape


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of this extension, read from ``REALWORLD_...``."""

    CONFIRM_PASSWORD: bool = setting(
        True,
        "`off`: `PUT /user` changes email address and password without `currentPassword`, which "
        "RealWorld's front ends don't send.",
    )


ns = Namespace(
    "RealWorld",
    description="The RealWorld (Conduit) API: articles, comments, favorites, profiles.",
    settings=Settings,
    token_schemes=("Token",),
    shape=shape,
)
