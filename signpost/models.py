"""What the tables of an extension are made of, and the core's tables to refer to."""

from __future__ import annotations

from models import Comment, File, Post, User, base_of, registry_of
from models.base import PrimaryKey, SoftDeletable, Versioned
from models.extended import Extended

__all__ = [
    "Comment",
    "Extended",
    "File",
    "Post",
    "PrimaryKey",
    "SoftDeletable",
    "User",
    "Versioned",
    "base_of",
    "registry_of",
]
