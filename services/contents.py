"""When contents come and go: each is stored once, and dropped after the last file that has it.

The database always knows of a content before the storage does: its row comes first and goes last,
and a hold stands beside it while somebody stores or drops it. So nobody has to look through the
storage for what nobody refers to, on however many hosts, and whatever dies in between is told by
a hold whose time is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from models import Content, ContentHold, File
from models.upsert import insert_into
from services import clock
from services.errors import ServiceError, Unavailable
from services.pictures import thumbnails
from services.storage import Storage
from services.transaction import reading, transact

#: How long a process may take to store what it received.
LEASE = timedelta(minutes=30)
#: Contents that are dropped in one transaction: on SQLite all others wait for it.
_BATCH = 20
#: Holds that one sweep looks at.
_MOST = 1_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """Contents that stay while a request stores them."""

    ids: frozenset[int]
    wanted: frozenset[str]
    """Those that the storage may not have; whoever holds them puts them there."""


def hold(session: Session, sizes: Mapping[str, int]) -> Held:
    """Keep contents from being dropped for ``LEASE``, in a transaction of its own; make new ones.

    Args:
        sizes: SHA-256 → bytes.
    """
    now = session.info["now"]
    ids, wanted = set(), set()
    for sha256 in sorted(sizes):  # all in one order, or two requests would wait for each other
        if not _ensure(session, sha256, sizes[sha256]):
            wanted.add(sha256)
        added = sa.insert(ContentHold).values(sha256=sha256, until=now + LEASE)
        ids.add(session.execute(added.returning(ContentHold.id)).scalar_one())
    return Held(frozenset(ids), frozenset(wanted))


def confirm(session: Session, held: Held) -> None:
    """Say that all of it is stored now, in the transaction that makes the files; ends the holds.

    Raises:
        Unavailable: it took so long that some of it may have been dropped.
    """
    mine = ContentHold.id.in_(held.ids)
    holds = session.scalars(sa.select(ContentHold.sha256).where(mine)).all()
    locked = _lock(session, holds)
    if len(holds) != len(held.ids) or locked != set(holds):
        raise Unavailable("It took too long to store this; try again.", retry_after=1)
    session.execute(sa.delete(ContentHold).where(mine))
    stored = sa.update(Content).where(Content.sha256.in_(held.wanted))
    session.execute(stored.values(stored_at=session.info["now"]))


def let_go(session: Session, contents: Collection[str]) -> None:
    """Note which contents may be dropped after this transaction, which needs them no longer."""
    for sha256 in sorted(set(contents)):
        session.execute(sa.insert(ContentHold).values(sha256=sha256, until=session.info["now"]))


def drop(session: Session, storage: Storage, contents: Collection[str]) -> int:
    """Remove those contents that no file has and nobody holds; return how many that were.

    They are marked as not stored first: whoever dies after removing one from the storage leaves
    a row that tells the next upload of the same content to store it.
    """
    dropped = 0
    every = sorted(set(contents))
    for start in range(0, len(every), _BATCH):
        batch = every[start : start + _BATCH]
        if doomed := transact(session, partial(_mark, session, batch)):
            dropped += transact(session, partial(_remove, session, storage, doomed))
    return dropped


def drop_quietly(session: Session, storage: Storage, contents: Collection[str]) -> None:
    """Drop contents after the work is done; what fails is told the log and swept later."""
    try:
        drop(session, storage, contents)
    except (ServiceError, SQLAlchemyError) as exc:
        _log.warning("Contents are not dropped yet: %s", exc)


def abandon(session: Session, storage: Storage, held: Held, sizes: Mapping[str, int]) -> None:
    """End holds whose files did not come about, and drop what they held."""

    def work() -> None:
        session.execute(sa.delete(ContentHold).where(ContentHold.id.in_(held.ids)))
        for sha256 in sorted(sizes):
            _ensure(session, sha256, sizes[sha256])
        let_go(session, sizes)

    try:
        transact(session, work)
    except (ServiceError, SQLAlchemyError) as exc:
        _log.warning("Holds of contents end by themselves: %s", exc)
    else:
        drop_quietly(session, storage, sizes)


def sweep(session: Session, storage: Callable[[], Storage]) -> int:
    """Drop what those left behind who died while they stored or dropped it; return how many.

    Args:
        storage: asked only if there is something to drop.
    """
    with reading(session):
        over = sa.select(ContentHold.sha256).where(ContentHold.until <= clock.now())
        found = session.scalars(over.order_by(ContentHold.until).limit(_MOST)).all()
    return drop(session, storage(), found) if found else 0


def is_stored(session: Session, sha256: str) -> bool:
    """Whether a content is in the storage, and nobody is about to remove it."""
    stored = sa.select(Content.stored_at).where(Content.sha256 == sha256)
    return session.scalar(stored) is not None


def _ensure(session: Session, sha256: str, size: int) -> bool:
    """Make and lock the row of a content; return whether the storage is known to have it."""
    fresh = insert_into(session, Content)
    made = fresh.values(sha256=sha256, size=size, created_at=session.info["now"])
    locked = made.on_conflict_do_update(
        index_elements=[Content.sha256], set_={"size": made.excluded.size}
    )
    return session.execute(locked.returning(Content.stored_at)).scalar_one() is not None


def _mark(session: Session, contents: Collection[str]) -> list[str]:
    doomed = _unwanted(session, contents)
    gone = sa.update(Content).where(Content.sha256.in_(doomed))
    session.execute(gone.values(stored_at=None))
    return doomed


def _remove(session: Session, storage: Storage, contents: Collection[str]) -> int:
    doomed = _unwanted(session, contents)
    for sha256 in doomed:
        thumbnails.drop(storage, sha256)
        storage.delete(sha256)
    session.execute(sa.delete(Content).where(Content.sha256.in_(doomed)))
    return len(doomed)


def _unwanted(session: Session, contents: Collection[str]) -> list[str]:
    """Lock contents, end the holds that are over, and return those that may be dropped."""
    now = session.info["now"]
    locked = _lock(session, contents)
    held = set(
        session.scalars(
            sa.select(ContentHold.sha256).where(
                ContentHold.sha256.in_(contents), ContentHold.until > now
            )
        )
    )
    used = set(session.scalars(sa.select(File.sha256).where(File.sha256.in_(contents)).distinct()))
    used |= {each for each in sorted(locked - held - used) if _is_referred_to(session, each)}
    session.execute(
        sa.delete(ContentHold).where(ContentHold.sha256.in_(used), ContentHold.until <= now)
    )
    return sorted(locked - held - used)


def _is_referred_to(session: Session, sha256: str) -> bool:
    """Whether something needs a content, be it of an extension that is not installed any more.

    The database alone knows the tables that there are, so it is asked to let the content go.
    """
    attempt = session.begin_nested()
    try:
        session.execute(sa.delete(Content).where(Content.sha256 == sha256))
    except IntegrityError:
        return True
    finally:
        attempt.rollback()
    return False


def _lock(session: Session, contents: Collection[str]) -> set[str]:
    there = sa.select(Content.sha256).where(Content.sha256.in_(contents))
    return set(session.scalars(there.order_by(Content.sha256).with_for_update()))
