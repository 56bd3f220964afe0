"""What the tables of an extension are made of, and the core's tables to refer to."""

from __future__ import annotations

from models import Comment, File, Follow, Like, Post, PostTag, User, base_of, registry_of
from models.base import PrimaryKey, SoftDeletable, Versioned
from models.extended import Extended
from models.tag import key_of

__all__ = [
    "Comment",
    "Extended",
    "File",
    "Follow",
    "Like",
    "Post",
    "PostTag",
    "PrimaryKey",
    "SoftDeletable",
    "User",
    "Versioned",
    "base_of",
    "key_of",
    "registry_of",
]
