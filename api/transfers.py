"""``flask import`` and ``flask export``: JSON Lines, as docs/operations.md describes them.

What a line may hold is what a request may send; services/transfer does the rest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast, get_args

import click
import orjson
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from api import conversions
from api.comments import comments
from api.database import db
from api.input import record_of
from api.json_lines import lines_of, progress
from api.operating import operation
from api.posts import posts
from api.users import users
from services import schema, transfer
from services.transaction import meaning
from services.transfer import Line, OnConflict, Options, Refusal, Report, Shapes
from services.transfer.files import FileExists, whole
from services.transfer.lines import Outcome
from services.transfer.shapes import LOCAL
from services.validation import Record


class _Unusable(click.ClickException):
    """Nothing can be imported, or exported, as things are."""

    exit_code = 2


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    for command in (_import, _export):
        app.cli.add_command(command)


def shapes() -> Shapes:
    """Return what users, posts and comments may be: what an admin's requests may send."""
    return Shapes(
        user=record_of(cast(Any, users.create).admins),
        post=_portable(record_of(cast(Any, posts.create))),
        comment=record_of(cast(Any, comments.create)),
    )


def _portable(record: Record) -> Record:
    """Return the rules without the members that another installation has no use for."""
    return Record({n: member for n, member in record.members.items() if n not in LOCAL})


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, readable=True, allow_dash=True),
)
@click.option(
    "--from",
    "kind",
    type=click.Choice(conversions.FORMATS),
    help="What FILE is, if not JSON Lines: a folder of Markdown, a WordPress export.",
)
@click.option("--author", help="With --from: username of the author of posts that name none.")
@click.option(
    "--on-conflict",
    type=click.Choice(["refuse", "skip", "update"]),
    default="refuse",
    show_default=True,
    help="What to do with an item that is there with other contents.",
)
@click.option("--dry-run", is_flag=True, help="Check every line, store nothing.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="File for refused lines, as JSON Lines.",
)
@with_appcontext
@operation
def _import(
    files: tuple[str, ...],
    kind: str | None,
    author: str | None,
    on_conflict: OnConflict,
    dry_run: bool,
    report: Path | None,
) -> None:
    """Import users, posts, histories and trash from JSON Lines; - is standard input."""
    with conversions.converted(kind, files, author) if kind else _lines(files) as lines:
        run_import(lines, on_conflict, dry_run, report)


@contextmanager
def _lines(files: tuple[str, ...]) -> Iterator[Iterable[Line]]:
    if files.count("-") > 1:
        raise click.UsageError("Standard input can be read once only.")
    if folders := [name for name in files if Path(name).is_dir()]:
        raise click.UsageError(f"{folders[0]} is a folder; say what is in it by --from.")
    with progress(files) as note:
        yield lines_of(files, note)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option("--without-passwords", is_flag=True, help="Leave the password hashes out.")
@with_appcontext
@operation
def _export(file: Path, force: bool, without_passwords: bool) -> None:
    """Write users, posts, histories and trash to FILE as JSON Lines; - is standard output."""
    _be_ready(stores=False)
    lines = transfer.export(db.engine, passwords=not without_passwords)
    if str(file) == "-":
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
        return
    try:
        with whole(file, replace=force) as out:
            out.writelines(lines)
    except (FileExists, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(f"{file}: {file.stat().st_size:,} bytes.")


def run_import(
    lines: Iterable[Line], on_conflict: OnConflict, dry_run: bool, report: Path | None
) -> None:
    """Import lines, tell what became of them, and end with the status that says so."""
    _be_ready(stores=not dry_run)
    with ExitStack() as stack:
        tell = _teller(stack.enter_context(_private(report)) if report else None)
        options = Options(
            shapes(), on_conflict, dry_run, current_app.config["SIGNPOST"], refused=tell
        )
        try:
            done = transfer.import_records(db.engine, lines, options)
        except transfer.Unusable as exc:
            raise _Unusable(str(exc)) from exc
    click.echo(_summary(done, dry_run))
    if not done.is_whole:
        raise SystemExit(1)


def _be_ready(*, stores: bool) -> None:
    """Give an empty database its tables, if something is to be stored in it.

    Raises:
        ServiceError: the database is away.
        ClickException: it is of another release.
    """
    try:
        with db.engine.connect() as connection:
            version = schema.current(connection)
        if version is None and stores:
            schema.upgrade(db.engine)
            version = schema.head()
    except SQLAlchemyError as exc:
        raise meaning(exc) from exc
    except schema.SchemaMismatch as exc:
        raise _Unusable(str(exc)) from exc
    if version != schema.head():
        raise _Unusable("The database is of an older release, or empty: start the service first.")


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that only its owner may read: refused lines hold what is private."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    except OSError as exc:
        raise click.BadParameter(f"{path}: {exc.strerror}", param_hint="--report") from exc
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _teller(report: IO[bytes] | None) -> Callable[[Refusal], None]:
    """Return what tells of a refused line: on stderr, and in the report if there is one."""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""  # over the progress bar

    def tell(refusal: Refusal) -> None:
        for fault in refusal.faults:
            what = f"{fault.field}: {fault.message}" if fault.field else fault.message
            where = f"{refusal.source}, line {refusal.number}"
            click.echo(f"{start}{where}: {what} ({fault.code})", err=True)
        if report is not None:
            errors = [vars(fault) for fault in refusal.faults]
            line = {"source": refusal.source, "line": refusal.number, "errors": errors}
            report.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    return tell


def _summary(report: Report, dry_run: bool) -> str:
    counts = ", ".join(f"{report.outcomes[name]:,} {name}" for name in get_args(Outcome))
    return f"{'Would be' if dry_run else 'Lines'}: {counts}."
