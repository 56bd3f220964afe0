"""Rows for tests: those of the kit for authors, signpost/contract/factories.py."""

from __future__ import annotations

from signpost.contract.factories import (
    PASSWORD,
    PASSWORD_HASH,
    actor_of,
    index,
    make_comment,
    make_file,
    make_post,
    make_user,
)

__all__ = [
    "PASSWORD",
    "PASSWORD_HASH",
    "actor_of",
    "index",
    "make_comment",
    "make_file",
    "make_post",
    "make_user",
]
