"""The resources: one name each, in URLs, in the log and in the trash."""

from __future__ import annotations

from typing import Any

from services.base import Service
from services.comments import CommentService
from services.files import FileService
from services.posts import PostService
from services.users import UserService

RESOURCES: dict[str, type[Service[Any]]] = {
    service.type: service for service in (PostService, UserService, CommentService, FileService)
}
