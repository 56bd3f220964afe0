"""The tables. Importing this package completes the metadata."""

from models.audit_event import AuditEvent
from models.base import Base
from models.change import Change, Revision
from models.comment import Comment
from models.deletion import Deletion
from models.extended import base_of, registry_of
from models.file import Content, ContentHold, File
from models.post import Post, PostSlug, PostTag
from models.relation import Follow, Like
from models.search import POST_WORDS, USER_WORDS
from models.session import LoginAttempt, RefreshToken, Revocation, UserSession
from models.tag import Tag
from models.user import User

__all__ = [
    "POST_WORDS",
    "USER_WORDS",
    "AuditEvent",
    "Base",
    "Change",
    "Comment",
    "Content",
    "ContentHold",
    "Deletion",
    "File",
    "Follow",
    "Like",
    "LoginAttempt",
    "Post",
    "PostSlug",
    "PostTag",
    "RefreshToken",
    "Revision",
    "Revocation",
    "Tag",
    "User",
    "UserSession",
    "base_of",
    "registry_of",
]
