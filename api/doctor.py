"""``flask doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from config import Config
from models import Change, User
from models.engine import database_url, engine_options
from models.engine import prepare as prepare_engine
from services import clock, keys, schema
from services.storage import storage_of

if TYPE_CHECKING:
    from api.loading import Extension

#: Bytes that should be free where the data is.
ROOM = 256 * 1024**2
#: How far this clock may be from the database's.
DRIFT = timedelta(seconds=2)
#: Connections that PostgreSQL should have left for others: backups, migrations, people.
SPARE = 10

#: Different characters of a key that was drawn at random.
_VARIETY = 10


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    subject: str
    """The setting or the part that it is about."""
    fault: str
    remedy: str


Check = Callable[[Config], Iterator[Finding]]


def examine(config: Config, extensions: Iterable[Extension] = ()) -> list[Finding]:
    """Return everything that is wrong; the settings themselves were checked when they were read."""

    def database(config: Config) -> Iterator[Finding]:
        return _database(config, [each for each in extensions if each.state == "loaded"])

    checks: tuple[Check, ...] = (_settings, _folder, _keys, _disk, _files, database)
    found = [finding for check in checks for finding in check(config)]
    remedy = "Correct it, install another version, or name it in EXTENSIONS_DISABLED."
    return found + [
        Finding(f"extension {each.name}", f"it failed: {each.error}", remedy)
        for each in extensions
        if each.state == "failed"
    ]


def _settings(config: Config) -> Iterator[Finding]:
    if len(set(config.SECRET_KEY)) < _VARIETY:
        yield Finding(
            "SECRET_KEY",
            "it can be guessed",
            "Unset it to have one made, or take what `openssl rand -base64 48` prints.",
        )
    if config.HOST not in ("127.0.0.1", "::1", "localhost") and not config.hosts:
        yield Finding(
            "PUBLIC_URL",
            f"the service listens on {config.HOST} and answers to any host name",
            "Set PUBLIC_URL to the URL that clients use.",
        )
    if not config.RATE_LIMITS and not config.is_development:
        yield Finding("RATE_LIMITS", "passwords may be guessed without end", "Unset it.")


def _folder(config: Config) -> Iterator[Finding]:
    folder = config.DATA_DIR
    if not folder.is_dir():
        yield Finding("DATA_DIR", f"there is no folder {folder}", "Start the service once.")
        return
    files = [folder / "secret-key", folder / "jwt-keys.json", *folder.glob("*.sqlite*")]
    if not _is_open(folder):
        files = []
    for path in [*files, Path(".env")]:
        if path.exists() and _is_open(path):
            yield Finding("DATA_DIR", f"others here may read {path}", f"chmod go= {path}")


def _is_open(path: Path) -> bool:
    """Whether others on this machine may do anything with a file or folder."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _keys(config: Config) -> Iterator[Finding]:
    if not config.JWT_KEYS and not config.DATA_DIR.is_dir():
        return  # found already
    try:
        keys.open_keys(config.JWT_KEYS, config.DATA_DIR)
    except keys.KeyFault as exc:
        yield Finding("JWT_KEYS", str(exc), "Restore the file from a backup, or remove it.")


def _disk(config: Config) -> Iterator[Finding]:
    for name, folder in (("DATA_DIR", config.DATA_DIR), ("FILES_DIR", config.FILES_DIR)):
        if folder and folder.is_dir() and (free := shutil.disk_usage(folder).free) < ROOM:
            fault = f"only {free // 1024**2} MiB are free"
            yield Finding(name, fault, "Make room; writes will fail soon.")


def _files(config: Config) -> Iterator[Finding]:
    subject = "S3_BUCKET" if config.S3_BUCKET else "FILES_DIR"
    if subject == "FILES_DIR" and not config.DATA_DIR.is_dir():
        return  # found already
    if fault := storage_of(config).check():
        remedy = "Make the bucket, or correct the settings S3_*." if config.S3_BUCKET else ""
        yield Finding(subject, fault, remedy or "Let the service's user write there.")


def _database(config: Config, extensions: Iterable[Extension]) -> Iterator[Finding]:
    url = database_url(config.DATABASE_URL)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield Finding("DATABASE_URL", f"there is no {url.database}", "Start the service once.")
        return
    engine = sa.create_engine(url, **engine_options(url, threads=1))
    prepare_engine(engine)
    try:
        with engine.connect() as connection:
            yield from _schema(connection)
            yield from _tables(connection, extensions)
            if url.get_backend_name() == "sqlite":
                yield from _sqlite(connection)
            else:
                yield from _postgresql(connection, config)
    except sa.exc.DatabaseError as exc:
        reason = str(exc.orig).partition("\n")[0]
        yield Finding("DATABASE_URL", reason, "Start the database, or correct the setting.")
    finally:
        engine.dispose()


def _schema(connection: sa.Connection) -> Iterator[Finding]:
    try:
        version = schema.current(connection)
    except schema.SchemaMismatch as exc:
        yield Finding("migrations", str(exc), "Install the release that wrote it, or a newer one.")
        return
    if version != schema.head():
        yield Finding("migrations", "the database is of an older release", "Start the service.")
        return
    last = connection.scalar(sa.select(sa.func.max(Change.at)))
    if last is not None and last > clock.now() + DRIFT:
        yield Finding("clock", f"it is behind the last change ({last})", "Set the clock (NTP).")
    admins = sa.select(User.id).where(User.role == "admin", User.status == "active")
    if connection.scalar(admins.where(User.deleted_at.is_(None)).limit(1)) is None:
        remedy = "flask users create NAME EMAIL --role admin"
        yield Finding("users", "there is no active admin", remedy)


def _tables(connection: sa.Connection, extensions: Iterable[Extension]) -> Iterator[Finding]:
    for each in extensions:
        subject = f"extension {each.name}"
        try:
            version = schema.current(connection, each.history)
        except schema.SchemaMismatch as exc:
            yield Finding(subject, str(exc), "Install the version that wrote it, or a newer one.")
            continue
        if (version or "") != schema.head(each.history):
            yield Finding(subject, "its tables are of an older version", "Start the service.")


def _sqlite(connection: sa.Connection) -> Iterator[Finding]:
    for pragma in ("quick_check(1)", "foreign_key_check"):
        found = connection.exec_driver_sql(f"PRAGMA {pragma}").first()
        if found is not None and found[0] != "ok":
            yield Finding("DATABASE_URL", f"the file is damaged: {found[0]}", "Restore a backup.")


def _postgresql(connection: sa.Connection, config: Config) -> Iterator[Finding]:
    drift = abs(connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one() - clock.now())
    if drift > DRIFT:
        yield Finding("clock", f"it is {drift} from the database's", "Set both clocks (NTP).")
    most = int(connection.exec_driver_sql("SHOW max_connections").scalar_one())
    wanted = config.WORKERS * config.THREADS + SPARE
    if most < wanted:
        yield Finding(
            "WORKERS, THREADS",
            f"they may open {wanted - SPARE} connections, PostgreSQL accepts {most}",
            "Lower them, or raise max_connections.",
        )
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        yield Finding("DATABASE_URL", f"the encoding is {encoding}", "Make it anew with UTF8.")
