"""Files that came in: told what they are, stored, and made files of their owner's.

``Form`` is what one request brought (api/multipart.py reads it); ``keep`` decides about each of
its files. Nothing slow is done while a transaction is open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from services import contents
from services.errors import Fault, Invalid, ServiceError
from services.files import FileService
from services.pictures import TYPES, BrokenPicture, strip
from services.storage import Storage
from services.transaction import transact
from services.uploads.kinds import kind_of
from services.uploads.spool import Part, Spool
from services.uploads.storing import let_go, put, store
from services.validation import invalid

__all__ = ["Form", "Incoming", "Part", "Spool", "keep", "let_go", "store"]


@dataclass
class Incoming:
    """One file as it came; ``problem`` says why it is not going to be stored."""

    name: str
    part: Part
    problem: ServiceError | None = None
    media_type: str = ""
    width: int | None = None
    height: int | None = None
    row: Any = None
    """With the columns of the service, once it is stored."""

    @property
    def data(self) -> dict[str, Any]:
        """Input of ``FileService.create``."""
        return {
            "name": self.name,
            "media_type": self.media_type,
            "size": self.part.size,
            "sha256": self.part.sha256,
            "width": self.width,
            "height": self.height,
        }


@dataclass
class Form:
    """What one request brought."""

    spool: Spool
    files: list[Incoming] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    """``visibility``, if it was given."""

    @property
    def good(self) -> list[Incoming]:
        """Files about which nothing is wrong so far."""
        return [each for each in self.files if each.problem is None]


def keep(
    form: Form,
    session: Session,
    service: Callable[[Session], FileService],
    storage: Storage,
    place: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Store the files of ``form``; each has its row or its problem afterwards.

    Args:
        place: held while there is work for the processor or the database, and not while a
            storage is written to.

    Raises:
        ServiceError: nothing was stored.
    """
    with place():
        for number, each in enumerate(form.files):
            if each.problem is None:
                _look_at(form.spool, each, f"files.{number}")
        sizes = {each.part.sha256: each.part.size for each in form.good}
        if not sizes:
            return
        held = transact(session, lambda: contents.hold(session, sizes))
    try:
        _store(form, storage, held)
        with place():
            transact(session, lambda: _make(form, service(session), held))
    except BaseException:
        contents.abandon(session, storage, held, sizes)
        raise
    if left := sizes.keys() - {each.part.sha256 for each in form.good}:
        with place():
            contents.drop_quietly(session, storage, left)


def _look_at(spool: Spool, each: Incoming, path: str) -> None:
    """Find out what a file is; of a picture, take off what it tells of its maker."""
    if not each.part.size:
        each.problem = invalid([Fault(path, "too_short", "The file is empty.")])
        return
    try:
        each.media_type = kind_of(each.part.opened(), each.part.size, each.name)
        if each.media_type in TYPES:
            _strip(spool, each)
    except BrokenPicture as exc:
        each.problem = Invalid(str(exc), faults=[Fault(path, exc.code, str(exc))])
    except ServiceError as exc:
        each.problem = exc


def _strip(spool: Spool, each: Incoming) -> None:
    with spool.copied(each.part) as source, spool.scratch() as target:
        each.width, each.height = strip(source, target)
        target.seek(0)
        each.part = spool.add(target)


def _store(form: Form, storage: Storage, held: contents.Held) -> None:
    for part in {each.part.sha256: each.part for each in form.good}.values():
        put(form.spool, part, storage, held)


def _make(form: Form, service: FileService, held: contents.Held) -> None:
    """Make the rows, as far as they fit into what the owner may have."""
    for each in form.files:
        each.row = None  # of a transaction that did not come about
    left = service.left()
    contents.confirm(service.session, held)
    held_files = form.good
    for each in held_files:
        if each.part.size > left:
            each.problem = service.over_quota(left)
        else:
            left -= each.part.size
            data = service.prepare({**each.data, **form.fields})
            each.row = service.created(service.create(data))
    contents.let_go(service.session, {each.part.sha256 for each in held_files if each.problem})
