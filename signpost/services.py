"""The core's rules, to build on: made per request, ``PostService(session, actor, config)``."""

from __future__ import annotations

from services.actor import SYSTEM, Actor
from services.authored import Authored
from services.base import ACTOR, NOW, Service
from services.comments import CommentService
from services.errors import (
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from services.feed import FeedService
from services.files import FileService
from services.follows import FollowerService, FollowingService
from services.hooks import Changed
from services.likes import LikeService
from services.listing import Filter, Query, Sort, Tally, after, before, equals
from services.posts import PostService
from services.refresh import Grant
from services.sessions import Credentials, begin, sign_in
from services.tags import TagService
from services.transaction import after_commit, reading, transact
from services.users import UserService

__all__ = [
    "ACTOR",
    "NOW",
    "SYSTEM",
    "Actor",
    "Authored",
    "Changed",
    "CommentService",
    "Conflict",
    "Credentials",
    "Fault",
    "FeedService",
    "FileService",
    "Filter",
    "FollowerService",
    "FollowingService",
    "Forbidden",
    "Grant",
    "Invalid",
    "LikeService",
    "NotFound",
    "PostService",
    "Query",
    "Service",
    "ServiceError",
    "Sort",
    "TagService",
    "Tally",
    "Unauthenticated",
    "Unavailable",
    "UserService",
    "after",
    "after_commit",
    "before",
    "begin",
    "equals",
    "reading",
    "sign_in",
    "transact",
]
