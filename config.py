"""Settings: every one is a field of ``Config``, named as its environment variable.

Nothing else reads the environment. ``.env.example`` and the table in docs/operations.md are made
from the fields below (``flask settings``). A wrong setting stops the start with one line that
names it. How texts become settings is in config_env.py; extensions declare theirs in the same way.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import config_env as env
import config_rules as rules
from config_env import ConfigError, setting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "Config",
    "ConfigError",
    "NoSettings",
    "made_once",
    "read_settings",
    "setting",
    "shell_names",
]

D = TypeVar("D", bound="DataclassInstance")

_DAY = 86_400
#: Settings of parts that are not there yet: an ``.env`` may have them already.
_LATER = frozenset({"REDIS_URL", "HISTORY_RETENTION"})
#: Databases of one process alone.
_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the service. Durations are in seconds, sizes in bytes."""

    HOST: str = setting("127.0.0.1", "Address to listen on; 0.0.0.0 is every IPv4 address.")
    PORT: int = setting(8000, "Port to listen on.", rules.between(1, 65_535))
    ENV: str = setting(
        "production",
        "`production`, or `development`: local origins may call the API.",
        rules.one_of("production", "development"),
    )
    PUBLIC_URL: str = setting(
        "",
        "URL under which clients see the service, also with a path prefix; `Location`, `Link`, "
        "problem types and specs derive from it. Unset: links are path-absolute.",
        rules.public_url,
    )
    ALLOWED_HOSTS: tuple[str, ...] = setting(
        (),
        "Host names that requests may name, comma separated, beside that of PUBLIC_URL. "
        "Checked when this or PUBLIC_URL is set.",
        rules.hosts,
    )
    TRUSTED_PROXIES: int = setting(
        0, "How many proxies stand in front and set the X-Forwarded headers.", rules.between(0, 10)
    )
    WORKERS: int = setting(0, "Processes; 0 means one for each core.", rules.between(0, 256))
    THREADS: int = setting(
        4,
        "Requests that a process works on at once; also the size of its database pool.",
        rules.between(1, 256),
    )
    DRAIN_DELAY: int = setting(
        0,
        "How long after SIGTERM requests are still accepted while `/readyz` says 503, so that load "
        "balancers notice.",
        rules.between(0, 5),
    )
    DATA_DIR: Path = setting(  # noqa: RUF009 - makes a dataclass field
        Path("instance"), "Folder of the SQLite database and of what is made once, such as keys."
    )
    DATABASE_URL: str = setting(
        "",
        "`sqlite:///path` or `postgresql://user:password@host/name`. Unset: SQLite in DATA_DIR.",
        rules.database,
        secret=True,
    )
    SECRET_KEY: str = setting(
        "",
        "At least 32 random bytes for cursors and refresh tokens. Unset: made once in DATA_DIR; "
        "several hosts must share it.",
        rules.secret_key,
        secret=True,
    )
    JWT_KEYS: tuple[str, ...] = setting(
        (),
        "Ed25519 private keys, 32 bytes each in base64url, comma separated: the first signs "
        "access tokens, all verify them. Unset: made once in DATA_DIR.",
        rules.keys,
        secret=True,
    )
    ACCESS_TOKEN_TTL: int = setting(
        900,
        "Life of an access token, a day at most: what ends one earlier is remembered as long, by "
        "every worker.",
        rules.between(10, _DAY),
    )
    REFRESH_TOKEN_TTL: int = setting(
        30 * _DAY, "How long a refresh token lives unused.", rules.between(60, 366 * _DAY)
    )
    SESSION_TTL: int = setting(
        90 * _DAY, "How long a sign-in lasts in all.", rules.between(60, 3660 * _DAY)
    )
    REGISTRATION: str = setting(
        "open",
        "`open`: anyone may sign up; `closed`: admins make users.",
        rules.one_of("open", "closed"),
    )
    ADMIN_USERNAME: str = setting(
        "admin",
        "Name of the admin that is made at the first start, if there is none.",
        rules.username,
    )
    ADMIN_EMAIL: str = setting("admin@example.com", "That admin's email address.", rules.email)
    ADMIN_PASSWORD: str = setting(
        "",
        "That admin's password. Unset: a random one is printed once.",
        rules.password,
        secret=True,
    )
    PASSWORD_BLOCKLIST: Path | None = setting(  # noqa: RUF009 - makes a dataclass field
        None,
        "File of refused passwords, one a line, or `off`. Unset: the 10,000 commonest.",
        rules.readable,
    )
    CORS_ORIGINS: tuple[str, ...] = setting(
        (), "Exact origins whose pages may call the API, comma separated.", rules.origins
    )
    RATE_LIMITS: bool = setting(True, "`off` lifts every limit of requests; for tests only.")
    SIGN_IN_LIMIT: int = setting(
        10, "Sign-ins a minute per account and address.", rules.between(1, 1_000_000)
    )
    REQUIRE_IF_MATCH: bool = setting(
        False, "`on`: PUT, PATCH and DELETE without If-Match are refused with 428."
    )
    MAX_JSON_BYTES: int = setting(
        2 * 1024 * 1024, "Largest JSON body.", rules.between(1024, 1024 * 1024 * 1024)
    )
    MAX_FILE_BYTES: int = setting(
        10 * 1024 * 1024, "Largest file that may be uploaded.", rules.between(1, 2**40)
    )
    QUOTA_BYTES: int = setting(
        2**30, "What all files of a user may have together.", rules.between(1, 2**50)
    )
    FILES_DIR: Path | None = setting(  # noqa: RUF009 - makes a dataclass field
        None, "Folder of the contents of files. Unset: `files` in DATA_DIR."
    )
    S3_BUCKET: str = setting(
        "",
        "Bucket of an S3-compatible store for the contents of files, instead of FILES_DIR.",
        rules.bucket,
    )
    S3_ENDPOINT: str = setting(
        "", "URL of that store. Unset: Amazon's in S3_REGION.", rules.endpoint
    )
    S3_PUBLIC_ENDPOINT: str = setting(
        "",
        "URL of that store for clients: they download from it, by URLs that are good for a minute. "
        "Unset: they download from this service.",
        rules.endpoint,
    )
    S3_REGION: str = setting("us-east-1", "Region that requests to that store are signed for.")
    S3_ACCESS_KEY: str = setting("", "Name of the key to that store.", secret=True)
    S3_SECRET_KEY: str = setting("", "The key itself.", secret=True)
    LOG_FORMAT: str = setting(
        "json", "`json`: one object a line; `text`: for people.", rules.one_of("json", "text")
    )
    LOG_LEVEL: str = setting(
        "info",
        "Least level that is logged: `debug`, `info`, `warning` or `error`.",
        rules.one_of("debug", "info", "warning", "error"),
    )
    SENTRY_DSN: str = setting(
        "", "Where crashes are reported to. Unset: nowhere.", rules.report_url, secret=True
    )
    METRICS_TOKEN: str = setting(
        "",
        "Bearer token for `/metrics`, at least 16 characters. Unset: loopback only.",
        rules.long_if_set,
        secret=True,
    )
    EXTENSIONS_DISABLED: tuple[str, ...] = setting(
        (),
        "Names of installed extensions that are not loaded, comma separated; `*`: all.",
        rules.extensions,
    )

    def __post_init__(self) -> None:
        """Derive what depends on other settings, then check each one.

        Raises:
            ConfigError: all that is wrong.
        """
        cores = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
        derived = {
            "DATA_DIR": Path(self.DATA_DIR).absolute(),
            "FILES_DIR": self.FILES_DIR and self.FILES_DIR.absolute(),
            "PUBLIC_URL": self.PUBLIC_URL.rstrip("/"),
            "WORKERS": self.WORKERS or len(cores(0)),
            "LOG_LEVEL": self.LOG_LEVEL.lower(),
        }
        derived["DATABASE_URL"] = _absolute(
            self.DATABASE_URL or f"sqlite:///{derived['DATA_DIR']}/signpost.sqlite"
        )
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        env.check(self)
        if self.S3_BUCKET and not (self.S3_ACCESS_KEY and self.S3_SECRET_KEY):
            raise ConfigError(["S3_BUCKET: needs S3_ACCESS_KEY and S3_SECRET_KEY"])

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, file: Path = Path(".env")) -> Config:
        """Read the environment and ``file``, of which the environment wins; empty means unset.

        Makes DATA_DIR, and in it the secret key, if they are needed and not there.

        Raises:
            ConfigError: after printing a line for each fault.
        """
        os.environ.pop("FLASK_DEBUG", None)  # else `flask run` would offer Werkzeug's debugger
        faults: list[str] = []
        texts = env.file_texts(file, _is_ours, faults)
        texts |= {each.name: environ[each.name] for each in fields(cls) if each.name in environ}
        if environ.get("DEBUG", "").lower() in ("1", "on", "true", "yes"):
            faults.append("DEBUG: there is no debug mode; unset it, or use ENV=development")
        values = env.parsed(cls, texts, faults)
        if faults:
            ConfigError(faults).stop()
        try:
            if "SECRET_KEY" not in values:
                values["SECRET_KEY"] = _secret_in(values.get("DATA_DIR", cls.DATA_DIR))
            config = cls(**values)
        except ConfigError as error:
            error.stop()
        if config.DATABASE_URL.partition("?")[0] in _MEMORY:
            fault = "DATABASE_URL: needs a file, each process has a memory of its own"
            ConfigError([fault]).stop()
        return config

    @property
    def is_development(self) -> bool:
        """Whether this is a developer's machine."""
        return self.ENV == "development"

    @property
    def prefix(self) -> str:
        """Path prefix under which clients see the service: empty, or ``/blog``."""
        return urlsplit(self.PUBLIC_URL).path

    @property
    def files(self) -> Path:
        """Folder of the contents of files, where no bucket is set."""
        return self.FILES_DIR or self.DATA_DIR / "files"

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that a request may name, in lower case, some with a port; empty: any."""
        named = {urlsplit(self.PUBLIC_URL).netloc, *self.ALLOWED_HOSTS}
        return frozenset(host.lower() for host in named if host)


@dataclass(frozen=True)
class NoSettings:
    """Those of an extension that declares none."""


def read_settings(
    cls: type[D],
    name: str,
    environ: Mapping[str, str] = os.environ,
    file: Path = Path(".env"),
) -> D:
    """Read the settings of the extension ``name``: ``PAGE_SIZE`` of ``people`` is PEOPLE_PAGE_SIZE.

    Args:
        cls: a frozen dataclass whose fields are made by ``setting``.

    Raises:
        ConfigError: after printing a line for each fault.
        TypeError: a field is declared in a way that cannot be read, or is a setting of the core.
    """
    known = env.names_of(cls, name)
    if taken := sorted(known.keys() & env.names_of(Config).keys()):
        raise TypeError(f"{', '.join(taken)}: a setting of the core is called so")
    faults: list[str] = []

    def is_its(text: str) -> bool | None:
        return text in known or (False if env.owner_of(text, [name]) == name else None)

    texts = env.file_texts(file, is_its, faults)
    texts |= {each: environ[each] for each in known if each in environ}
    values = env.parsed(cls, texts, faults, name)
    if faults:
        ConfigError(faults).stop()
    try:
        settings = cls(**values)
        env.check(settings, name)
    except ConfigError as error:
        error.stop()
    return settings


def made_once(path: Path, make: Callable[[], str]) -> str:
    """Return what the file holds; if there is none, let one process write ``make()`` (mode 600).

    Raises:
        OSError: the folder cannot be made, or the file not be read or written.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, fails if another process was first
        except FileExistsError:
            pass  # theirs counts
        finally:
            draft.unlink()
    return path.read_text()


def _secret_in(folder: object) -> str:
    path = Path(str(folder)).absolute() / "secret-key"
    try:
        return made_once(path, lambda: secrets.token_urlsafe(48)).strip()
    except OSError as exc:
        raise ConfigError([f"DATA_DIR: {path} cannot be made or read: {exc.strerror}"]) from exc


def _absolute(url: str) -> str:
    """Return a SQLite URL with its relative path made absolute, any other URL as it is."""
    path, question, query = url.removeprefix("sqlite:///").partition("?")
    if not url.startswith("sqlite:///") or path in ("", ":memory:"):
        return url
    return f"sqlite:///{Path(path).absolute()}{question}{query}"


def shell_names() -> frozenset[str]:
    """Return the names of all environment variables."""
    return frozenset(os.environ)


def _is_ours(name: str) -> bool | None:
    """Whether a name in the file is a setting of the core; None if it may be an extension's."""
    if name in _LATER:
        return None
    return name in env.names_of(Config) or (None if env.owner_of(name) else False)
