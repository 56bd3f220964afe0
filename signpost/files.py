"""The core's files, made by an extension: of what a form brought, or of what a command reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

__all__ = ["MAX_NAME", "Form", "Incoming", "clean_name", "keep", "read_in"]


def keep(
    config: Config,
    session: Session,
    actor: Actor,
    form: Form,
    service: type[FileService] = FileService,
) -> None:
    """Store what came as files of the actor's; each has its ``row`` or its ``problem`` then.

    Args:
        form: what ``uploads.received`` gave; ``form.fields`` are what all files have in common.
        service: creates them.

    Raises:
        ServiceError: nothing was stored.
    """

    def made(session: Session) -> FileService:
        return service(session, actor, config)

    storage = storage_of(config)
    if not has_request_context():
        return uploads.keep(form, session, made, storage)
    with waiting():
        return uploads.keep(form, session, made, storage, working)


@contextmanager
def read_in(config: Config, name: str, source: BinaryIO, **fields: str) -> Iterator[Form]:
    """Read one file as if a form had brought it, in pieces; its spool is closed afterwards.

    Args:
        fields: ``visibility``.
    """
    spool = Spool(storage_of(config).draft)
    try:
        yield Form(spool, [Incoming(clean_name(name), spool.add(source))], fields)
    finally:
        spool.close()
