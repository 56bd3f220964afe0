"""Imports lines in batches: each line is checked, then stored whole or not at all.

A batch is one transaction. If the database refuses it, each of its lines gets one of its own, so
that the one to blame is found and the others are stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services import statistics
from services.base import Service
from services.errors import Conflict, Fault, Invalid, NotFound, Unavailable
from services.posts import PostService
from services.transaction import reading, transact
from services.transfer.admission import Admission
from services.transfer.drafts import Current, Draft, Memory, Unprepared
from services.transfer.lines import (
    FORMAT,
    NO_PASSWORD,
    VERSIONS,
    Line,
    Options,
    Refusal,
    Report,
    Unusable,
)
from services.transfer.present import known
from services.users import UserService
from services.validation import Faults, shown

_SERVICES: Mapping[str, type[Service[Any]]] = {"user": UserService, "post": PostService}
#: Characters of text that a batch holds, and what is made of them, at most.
_MAX_TEXT = 1_000_000
#: New items after which plans for the tables as they were are of no use.
_MANY = 1_000
#: Times that a batch is tried while the database cannot be written to.
_TRIES = 5


def import_records(engine: sa.Engine, lines: Iterable[Line], options: Options) -> Report:
    """Import all lines, in order, in memory that does not grow with their number.

    Raises:
        Unusable: it is another version of the format; what came before it is stored.
        ServiceError: the database is away or full; what was stored so far stays.
    """
    report = Report()
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        work = _Import(session, options, report)
        for batch in work.batches(_Section(report, options).checked(lines)):
            work.store(batch)
    if report.outcomes["created"] >= _MANY and not options.dry_run:
        statistics.renew(engine)
    return report


class _Section:
    """Looks at headers and ends: each export between them must be whole."""

    def __init__(self, report: Report, options: Options) -> None:
        self._report, self._options = report, options
        self._last: Line | None = None
        self._records: int | None = None

    def checked(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Yield the lines between headers and ends."""
        for line in lines:
            if self._last is not None and line.source != self._last.source:
                self._finish()
            self._last = line
            kind = line.record.get("type") if isinstance(line.record, dict) else None
            if kind == "header" and isinstance(line.record, dict):
                self._begin(line, line.record)
            elif kind == "end" and isinstance(line.record, dict):
                self._end(line, line.record)
            else:
                if self._records is not None:
                    self._records += 1
                yield line
        self._finish()

    def _begin(self, line: Line, record: Mapping[str, Any]) -> None:
        self._finish()
        cleaned = _check(self._options, "header", record)
        if isinstance(cleaned, list):
            self._refuse(line, cleaned)
        elif cleaned["format"] != FORMAT or cleaned["version"] not in VERSIONS:
            raise Unusable(
                f"{line.source}, line {line.number}: this is not version "
                f"{' or '.join(map(str, VERSIONS))} of the format."
            )
        self._records = 0

    def _end(self, line: Line, record: Mapping[str, Any]) -> None:
        cleaned = _check(self._options, "end", record)
        if isinstance(cleaned, list):
            self._refuse(line, cleaned)
        elif cleaned["records"] != self._records:
            message = f"There should be {cleaned['records']:,} records; lines are missing or added."
            self._refuse(line, [Fault("records", "cut", message)])
        self._records = None

    def _finish(self) -> None:
        """Refuse an export that has no end."""
        if self._records is not None and self._last is not None:
            message = "The export ends here without its last line: it was cut off."
            self._refuse(self._last, [Fault("", "cut", message)])
        self._records = None

    def _refuse(self, line: Line, faults: list[Fault]) -> None:
        self._report.outcomes["refused"] += 1
        self._options.refused(Refusal(line.number, line.source, faults))


class _Import:
    """One run: what is to be remembered from batch to batch."""

    def __init__(self, session: Session, options: Options, report: Report) -> None:
        self._session, self._options, self._report = session, options, report
        self._memory = Memory()

    def batches(self, lines: Iterable[Line]) -> Iterator[list[Draft]]:
        """Yield drafts of all lines; a batch has a limited number, and limited text."""
        batch: list[Draft] = []
        text = 0
        for line in lines:
            draft = self._draft(line)
            batch.append(draft)
            text += len(draft.data.get("contents", draft.data).get("body", ""))
            if len(batch) >= self._options.batch or text >= _MAX_TEXT:
                yield batch
                batch, text = [], 0
        if batch:
            yield batch

    def store(self, batch: list[Draft]) -> None:
        """Store a batch and tell what became of it; a line by itself if they disturb it."""
        self._prepare(batch, apart_from=self._known(batch))
        try:
            self._commit(batch)
        except Unprepared:  # what was there a moment ago has gone
            self._prepare(batch)
            self.store(batch)
            return
        except (Conflict, Invalid, NotFound) as exc:
            if len(batch) > 1:
                for draft in batch:
                    self.store([draft])
                return
            batch[0].refuse(*exc.faults or [Fault("", exc.public_code, exc.public_message)])
            self._memory.current = Current()
        self._tell(batch)

    def _known(self, batch: list[Draft]) -> set[int]:
        """Return which lines' items are there, so that they are not prepared in vain."""
        if self._options.on_conflict == "update":
            return set()
        with reading(self._session):
            return known(self._session, batch)

    def _commit(self, batch: list[Draft]) -> None:
        def work() -> Admission:
            admission = Admission(self._session, self._options, self._memory)
            admission.admit(batch)
            return admission

        try:
            admission = self._rehearse(work) if self._options.dry_run else self._run(work)
        finally:
            self._session.expunge_all()
        admission.remember(self._memory)
        for draft, verdict in zip(batch, admission.verdicts, strict=True):
            draft.outcome, draft.faults = verdict.outcome, list(verdict.faults)

    def _run(self, work: Callable[[], Admission]) -> Admission:
        """Run ``work``; while others write all the time, or the database restarts, be patient."""
        for _ in range(_TRIES - 1):
            try:
                return transact(self._session, work)
            except Unavailable as exc:
                time.sleep(exc.retry_after or 1)
        return transact(self._session, work)

    def _rehearse(self, work: Callable[[], Admission]) -> Admission:
        """Run ``work``, and take back what it stored."""
        done: list[Admission] = []

        def rehearsed() -> None:
            done.append(work())
            raise _Undone

        with suppress(_Undone):
            transact(self._session, rehearsed)
        return done[-1]

    def _tell(self, batch: list[Draft]) -> None:
        for draft in batch:
            self._report.outcomes[draft.outcome] += 1
            if draft.faults:
                line = draft.line
                self._options.refused(Refusal(line.number, line.source, draft.faults))

    def _draft(self, line: Line) -> Draft:
        if isinstance(line.record, Fault):
            return Draft(line, "", {}, [line.record])
        kind = line.record.get("type")
        if not isinstance(kind, str) or kind not in self._options.shapes.records:
            return Draft(line, "", {}, [_unknown_type(kind)])
        cleaned = _check(self._options, kind, line.record)
        if isinstance(cleaned, list):
            return Draft(line, kind, {}, cleaned, is_prepared=True)
        if kind == "user" and "password" not in cleaned:
            cleaned.setdefault("password_hash", NO_PASSWORD)
        return Draft(line, kind, cleaned, [])

    def _prepare(self, batch: list[Draft], apart_from: Container[int] = ()) -> None:
        """Do the slow work on valid lines while no transaction is open; once."""
        for place, draft in enumerate(batch):
            if draft.kind in _SERVICES and not draft.is_prepared and place not in apart_from:
                draft.is_prepared = True
                try:
                    draft.data = _SERVICES[draft.kind].prepare(draft.data)
                except Invalid as exc:
                    draft.refuse(*exc.faults)


class _Undone(Exception):
    """Takes back what a dry run did."""


def _unknown_type(kind: object) -> Fault:
    if kind is None:
        return Fault("type", "required", "Missing required field.")
    return Fault("type", "choice", f"There is no type of line called {shown(kind)!r}.")


def _check(options: Options, kind: str, record: Mapping[str, Any]) -> dict[str, Any] | list[Fault]:
    """Return a record without its type, cleaned, or all that is wrong with it."""
    faults = Faults()
    given = {name: value for name, value in record.items() if name != "type"}
    cleaned = options.shapes.records[kind].check(given, "", faults)
    if kind == "revision":
        _check_contents(options, cleaned, faults)
    return faults.listed if faults.count else cleaned


def _check_contents(options: Options, revision: dict[str, Any], faults: Faults) -> None:
    keys = [key for key in options.shapes.contents if key in revision]
    if len(keys) != 1:
        faults.add("user", "required", "Name a user, a post or a comment's post.")
    elif "contents" in revision:
        record = options.shapes.contents[keys[0]]
        revision["contents"] = record.check(revision["contents"], "contents", faults)
