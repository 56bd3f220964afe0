"""The core's files, made by an extension: of what a form brought, or of what a command reads."""

from __future__ import annotations

from typing import BinaryIO

from flask import has_request_context
from sqlalchemy.orm import Session

from config import Config
from services import uploads
from services.actor import Actor
from services.files import MAX_NAME, FileService, clean_name
from services.storage import storage_of
from services.uploads import Form, Incoming, Spool
from signpost.uploads import waiting, working

__all__ = ["MAX_NAME", "Form", "Incoming", "add", "clean_name", "keep"]


def keep(config: Config, session: Session, actor: Actor, form: Form) -> None:
    """Store what came as files of the actor's; each has its ``row`` or its ``problem`` then.

    Args:
        form: what ``uploads.received`` gave; ``form.fields`` are what all files have in common.

    Raises:
        ServiceError: nothing was stored.
    """

    def service(session: Session) -> FileService:
        return FileService(session, actor, config)

    storage = storage_of(config)
    if not has_request_context():
        return uploads.keep(form, session, service, storage)
    with waiting():
        return uploads.keep(form, session, service, storage, working)


def add(
    config: Config, session: Session, actor: Actor, name: str, source: BinaryIO, **fields: str
) -> Incoming:
    """Store one file of the actor's; it has its ``row`` or its ``problem`` then.

    Args:
        source: its content, read in pieces.
        fields: ``visibility``.

    Raises:
        ServiceError: the storage or the database cannot be used.
    """
    spool = Spool(storage_of(config).draft)
    try:
        file = Incoming(clean_name(name), spool.add(source))
        keep(config, session, actor, Form(spool, [file], fields))
    finally:
        spool.close()
    return file
