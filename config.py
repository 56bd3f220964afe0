"""Settings: every one is a field of ``Config``, named as its environment variable.

Nothing else reads the environment. ``.env.example`` and the table in docs/operations.md are made
from the fields below (``flask settings``). A wrong setting stops the start with one line that
names it.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from io import StringIO
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

import config_rules as rules
from config_rules import Check

T = TypeVar("T")

_DAY = 86_400
#: Settings of parts that are not there yet: an ``.env`` may have them already.
_LATER = frozenset({"REDIS_URL", "HISTORY_RETENTION"})
#: Databases of one process alone.
_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
_BOOLEANS = {"on": True, "true": True, "yes": True, "1": True} | {
    "off": False, "false": False, "no": False, "0": False
}  # fmt: skip


class ConfigError(SystemExit):
    """Settings that the service must not start with; ends the process with status 2.

    Args:
        faults: one line each, beginning with the setting's name.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__(2)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(self.faults)


def _setting(default: T, meaning: str, check: Check[T] | None = None, secret: bool = False) -> T:
    metadata = {"meaning": meaning, "check": check, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the service. Durations are in seconds, sizes in bytes."""

    HOST: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 is every IPv4 address.")
    PORT: int = _setting(8000, "Port to listen on.", rules.between(1, 65_535))
    ENV: str = _setting(
        "production",
        "`production`, or `development`: local origins may call the API.",
        rules.one_of("production", "development"),
    )
    PUBLIC_URL: str = _setting(
        "",
        "URL under which clients see the service, also with a path prefix; `Location`, `Link`, "
        "problem types and specs derive from it. Unset: links are path-absolute.",
        rules.public_url,
    )
    ALLOWED_HOSTS: tuple[str, ...] = _setting(
        (),
        "Host names that requests may name, comma separated, beside that of PUBLIC_URL. "
        "Checked when this or PUBLIC_URL is set.",
        rules.hosts,
    )
    TRUSTED_PROXIES: int = _setting(
        0, "How many proxies stand in front and set the X-Forwarded headers.", rules.between(0, 10)
    )
    WORKERS: int = _setting(0, "Processes; 0 means one for each core.", rules.between(0, 256))
    THREADS: int = _setting(
        4,
        "Requests that a process works on at once; also the size of its database pool.",
        rules.between(1, 256),
    )
    DRAIN_DELAY: int = _setting(
        0,
        "How long after SIGTERM requests are still accepted while `/readyz` says 503, so that load "
        "balancers notice.",
        rules.between(0, 5),
    )
    DATA_DIR: Path = _setting(  # noqa: RUF009 - makes a dataclass field
        Path("instance"), "Folder of the SQLite database and of what is made once, such as keys."
    )
    DATABASE_URL: str = _setting(
        "",
        "`sqlite:///path` or `postgresql://user:password@host/name`. Unset: SQLite in DATA_DIR.",
        rules.database,
        secret=True,
    )
    SECRET_KEY: str = _setting(
        "",
        "At least 32 random bytes for cursors and refresh tokens. Unset: made once in DATA_DIR; "
        "several hosts must share it.",
        rules.secret_key,
        secret=True,
    )
    JWT_KEYS: tuple[str, ...] = _setting(
        (),
        "Ed25519 private keys, 32 bytes each in base64url, comma separated: the first signs "
        "access tokens, all verify them. Unset: made once in DATA_DIR.",
        rules.keys,
        secret=True,
    )
    ACCESS_TOKEN_TTL: int = _setting(900, "Life of an access token.", rules.between(10, _DAY))
    REFRESH_TOKEN_TTL: int = _setting(
        30 * _DAY, "How long a refresh token lives unused.", rules.between(60, 366 * _DAY)
    )
    SESSION_TTL: int = _setting(
        90 * _DAY, "How long a sign-in lasts in all.", rules.between(60, 3660 * _DAY)
    )
    REGISTRATION: str = _setting(
        "open",
        "`open`: anyone may sign up; `closed`: admins make users.",
        rules.one_of("open", "closed"),
    )
    ADMIN_USERNAME: str = _setting(
        "admin",
        "Name of the admin that is made at the first start, if there is none.",
        rules.username,
    )
    ADMIN_EMAIL: str = _setting("admin@example.com", "That admin's email address.", rules.email)
    ADMIN_PASSWORD: str = _setting(
        "",
        "That admin's password. Unset: a random one is printed once.",
        rules.password,
        secret=True,
    )
    PASSWORD_BLOCKLIST: Path | None = _setting(  # noqa: RUF009 - makes a dataclass field
        None,
        "File of refused passwords, one a line, or `off`. Unset: the 10,000 commonest.",
        rules.readable,
    )
    CORS_ORIGINS: tuple[str, ...] = _setting(
        (), "Exact origins whose pages may call the API, comma separated.", rules.origins
    )
    RATE_LIMITS: bool = _setting(True, "`off` lifts every limit of requests; for tests only.")
    SIGN_IN_LIMIT: int = _setting(
        10, "Sign-ins a minute per account and address.", rules.between(1, 1_000_000)
    )
    REQUIRE_IF_MATCH: bool = _setting(
        False, "`on`: PUT, PATCH and DELETE without If-Match are refused with 428."
    )
    MAX_JSON_BYTES: int = _setting(
        2 * 1024 * 1024, "Largest JSON body.", rules.between(1024, 1024 * 1024 * 1024)
    )
    MAX_FILE_BYTES: int = _setting(
        10 * 1024 * 1024, "Largest file that may be uploaded.", rules.between(1, 2**40)
    )
    QUOTA_BYTES: int = _setting(
        2**30, "What all files of a user may have together.", rules.between(1, 2**50)
    )
    FILES_DIR: Path | None = _setting(  # noqa: RUF009 - makes a dataclass field
        None, "Folder of the contents of files. Unset: `files` in DATA_DIR."
    )
    S3_BUCKET: str = _setting(
        "",
        "Bucket of an S3-compatible store for the contents of files, instead of FILES_DIR.",
        rules.bucket,
    )
    S3_ENDPOINT: str = _setting(
        "", "URL of that store. Unset: Amazon's in S3_REGION.", rules.endpoint
    )
    S3_PUBLIC_ENDPOINT: str = _setting(
        "",
        "URL of that store for clients: they download from it, by URLs that are good for a minute. "
        "Unset: they download from this service.",
        rules.endpoint,
    )
    S3_REGION: str = _setting("us-east-1", "Region that requests to that store are signed for.")
    S3_ACCESS_KEY: str = _setting("", "Name of the key to that store.", secret=True)
    S3_SECRET_KEY: str = _setting("", "The key itself.", secret=True)
    LOG_FORMAT: str = _setting(
        "json", "`json`: one object a line; `text`: for people.", rules.one_of("json", "text")
    )
    LOG_LEVEL: str = _setting(
        "info",
        "Least level that is logged: `debug`, `info`, `warning` or `error`.",
        rules.one_of("debug", "info", "warning", "error"),
    )
    SENTRY_DSN: str = _setting(
        "", "Where crashes are reported to. Unset: nowhere.", rules.report_url, secret=True
    )
    METRICS_TOKEN: str = _setting(
        "",
        "Bearer token for `/metrics`, at least 16 characters. Unset: loopback only.",
        rules.long_if_set,
        secret=True,
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
        found = ((each, _fault(each, getattr(self, each.name))) for each in fields(self))
        if faults := [f"{each.name}: {fault}" for each, fault in found if fault]:
            raise ConfigError(faults)
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
        texts = _env_file(file, faults) if file.exists() else {}
        texts |= {each.name: environ[each.name] for each in fields(cls) if each.name in environ}
        if environ.get("DEBUG", "").lower() in ("1", "on", "true", "yes"):
            faults.append("DEBUG: there is no debug mode; unset it, or use ENV=development")
        values = _parsed({name: text.strip() for name, text in texts.items()}, faults)
        if faults:
            _stop(ConfigError(faults))
        try:
            if "SECRET_KEY" not in values:
                values["SECRET_KEY"] = _secret_in(values.get("DATA_DIR", cls.DATA_DIR))
            config = cls(**values)  # type: ignore[arg-type]
        except ConfigError as error:
            _stop(error)
        if config.DATABASE_URL.partition("?")[0] in _MEMORY:
            _stop(ConfigError(["DATABASE_URL: needs a file, each process has a memory of its own"]))
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


def _env_file(path: Path, faults: list[str]) -> dict[str, str]:
    known, texts = {each.name for each in fields(Config)}, dict[str, str]()
    try:
        bindings = list(parse_stream(StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError) as exc:
        faults.append(f"{path}: cannot be read: {exc}")
        return texts
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            faults.append(f"{path}, line {binding.original.line}: is not NAME=value")
        elif binding.key in _LATER:
            continue
        elif binding.key is not None and binding.key not in known:
            faults.append(f"{binding.key}: there is no such setting ({path})")
        elif binding.key is not None:
            texts[binding.key] = binding.value or ""
    return texts


def _parsed(texts: Mapping[str, str], faults: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for each in fields(Config):
        if text := texts.get(each.name):
            try:
                values[each.name] = _parse(str(each.type), text)
            except (KeyError, ValueError):
                shown = "its value" if each.metadata["secret"] else repr(text)
                faults.append(f"{each.name}: {shown} is not {_KINDS[str(each.type)]}")
    return values


_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "bool": "on or off",
    "Path": "a path",
    "Path | None": "a path",
    "tuple[str, ...]": "a list",
}


def _parse(kind: str, text: str) -> object:
    if kind == "int":
        if not re.fullmatch(r"-?[0-9]{1,15}", text, re.A):
            raise ValueError(text)
        return int(text)
    if kind == "bool":
        return _BOOLEANS[text.lower()]
    if kind.startswith("Path"):
        return Path(text)
    if kind.startswith("tuple"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _fault(each: Field[object], value: object) -> str | None:
    check: Check[object] | None = each.metadata["check"]
    return check(value) if check else None


def _stop(error: ConfigError) -> NoReturn:
    sys.stderr.writelines(f"{line}\n" for line in error.faults)
    raise error


def shell_names() -> frozenset[str]:
    """Return the names of all environment variables."""
    return frozenset(os.environ)
