"""Contents of one's own: received by a form, stored like those of files, read at any place.

A row has one by a foreign key to ``contents.sha256`` that says ``RESTRICT``, and lets it go in its
service's ``purging``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, TypeVar, cast

from flask import request
from flask_restx import Model, Namespace
from flask_restx.reqparse import RequestParser
from sqlalchemy.orm import Session

from api import fields, gate, stalled
from api.arguments import FilesField, FormField
from api.multipart import MAX_PARTS, MEDIA_TYPE, received
from api.swagger import CONSUMES, JSON_MODEL
from config import Config
from services import contents, uploads
from services.storage import Missing, storage_of
from services.storage.checked import Damaged, contents_of
from services.storage.seekable import Seekable
from services.uploads import Form, Part, Spool

__all__ = [
    "Damaged",
    "Form",
    "Missing",
    "Part",
    "Spool",
    "form",
    "let_go",
    "opened",
    "received",
    "store",
    "waiting",
    "working",
]

T = TypeVar("T")


def form(ns: Namespace, shape: Model, files: str = "files") -> dict[str, Any]:
    """Return the documentation of a form of ``files`` and the fields of ``shape``."""
    sent = fields.Uploads(required=True, max_items=MAX_PARTS, description="A file, or several.")
    whole = ns.model(f"{shape.name}Form", {files: sent, **shape})
    parser = RequestParser()
    parser.args = [FilesField(files), *(FormField(*each) for each in shape.items())]
    return {"expect": [parser], "vendor": {CONSUMES: [MEDIA_TYPE], JSON_MODEL: whole.name}}


def working() -> AbstractContextManager[None]:
    """Take one of the service's places for work on an upload, which holds none while it comes."""
    return gate.place(request.environ)


@contextmanager
def waiting() -> Iterator[None]:
    """Keep the connection of an upload that has come as a whole while it is worked on."""
    with stalled.storing(request.environ.get("REMOTE_ADDR", "")):
        yield


def store(config: Config, session: Session, spool: Spool, part: Part, make: Callable[[], T]) -> T:
    """Store a part of an upload; ``make`` stores the row that refers to ``part.sha256``.

    Returns: what ``make`` did, in one transaction with what makes the content stay.
    """
    return uploads.store(spool, part, session, storage_of(config), make, working)


def let_go(config: Config | None, session: Session, found: list[str]) -> None:
    """Drop contents after the commit, as far as nothing else refers to them.

    Args:
        config: None: they are dropped by the sweep, later.
    """
    if config is None:
        contents.let_go(session, found)
    else:
        uploads.let_go(session, storage_of(config), found)


def opened(config: Config, sha256: str, size: int) -> BinaryIO:
    """Return a content to be read at any place.

    Raises:
        Missing: there is none; perhaps it was purged just now.
        Damaged: it is another one than was stored; logged.
    """
    contents_of(config).check(sha256, size)
    return cast(BinaryIO, Seekable(storage_of(config), sha256, size))
