"""Which extensions there are: found by their entry points and imported.

A package names what it brings in the group ``signpost.extensions``; the key is the name in the URL.
What goes wrong within one of them is its own problem; two that claim one name stop the start.
api/mounting.py mounts them.
"""

from __future__ import annotations

import faulthandler
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import structlog

from config import Config, ConfigError, NoSettings, read_settings
from services import schema

GROUP = "signpost.extensions"
#: Seconds that the import of one may take.
PATIENCE = 20.0

_NAME = re.compile("[a-z][a-z0-9_]*", re.ASCII)
_RESERVED = re.compile("v[0-9]+", re.ASCII)
_HANGS = 70  # EX_SOFTWARE of sysexits.h
_STDERR = 2


class NameTaken(SystemExit):
    """Two packages want one name, or one wants what it may not have; the start ends."""

    def __init__(self, faults: Iterable[str]) -> None:
        super().__init__("Signpost cannot start: " + "; ".join(faults))


@dataclass(frozen=True)
class Extension:
    """What one entry point brought."""

    name: str
    """Segment of its URLs, prefix of its settings and tables."""
    package: str
    """Distribution, as pip knows it."""
    version: str
    state: Literal["loaded", "failed", "disabled"] = "loaded"
    error: str | None = None
    """Why it failed: one line, for operators."""
    namespace: Any = None
    """A RESTX namespace or a Flask blueprint, if it is loaded."""
    module: str = ""
    """Where ``create`` is."""

    @property
    def folder(self) -> Path:
        """Folder of its module: its migrations are there."""
        return Path(sys.modules[self.module].__file__ or "").parent

    @property
    def history(self) -> schema.History:
        """The versions of its tables; their steps are in ``migrations/`` beside its module.

        Where a module brings several extensions, they are in ``migrations/<name>/``.
        """
        steps = self.folder / getattr(self.namespace, "migrations", "migrations")
        own = steps / self.name
        return schema.history_of(self.name, own if own.is_dir() else steps)

    def settings(self) -> Any:
        """Read its settings.

        Raises:
            ConfigError: after printing a line for each that is wrong.
            TypeError: they are declared in a way that cannot be read.
        """
        declared = getattr(self.namespace, "settings_class", None)
        return read_settings(declared or NoSettings, self.name)

    def failed(self, error: BaseException) -> Extension:
        """Return it as one that failed, and log why."""
        log = structlog.get_logger("signpost")
        log.error("extension failed", extension=self.name, package=self.package, exc_info=error)
        return replace(self, state="failed", error=_line(error), namespace=None)


def load(config: Config) -> list[Extension]:
    """Find, import and make every extension, in the order of their names.

    Raises:
        NameTaken: a name is claimed twice, is reserved or no name; says by whom.
        ConfigError: a setting of one of them is wrong; it has been told.
    """
    found = sorted(_found(), key=lambda each: each[0].name)
    wanted = [entry.name for entry, _ in found if not is_disabled(entry.name, config)]
    _check_names([(entry, dist) for entry, dist in found if entry.name in wanted])
    return [_loaded(entry, dist, entry.name in wanted) for entry, dist in found]


def is_disabled(name: str, config: Config) -> bool:
    """Return whether the settings name an extension, or all by ``*``."""
    return name in config.EXTENSIONS_DISABLED or "*" in config.EXTENSIONS_DISABLED


def names() -> frozenset[str]:
    """Return the names of all that are installed, without importing one."""
    return frozenset(entry.name for entry in metadata.entry_points(group=GROUP))


def _found() -> Iterator[tuple[metadata.EntryPoint, metadata.Distribution]]:
    for entry in metadata.entry_points(group=GROUP):
        if entry.dist is not None:  # always, of what is installed
            yield entry, entry.dist


def _check_names(found: Sequence[tuple[metadata.EntryPoint, metadata.Distribution]]) -> None:
    owners: dict[str, str] = {}
    faults = []
    for entry, dist in found:
        owner = owners.setdefault(entry.name, dist.name)
        if not _NAME.fullmatch(entry.name):
            faults.append(f"{dist.name} brings an extension {entry.name!r}: not [a-z][a-z0-9_]*")
        elif _RESERVED.fullmatch(entry.name):
            faults.append(f"{dist.name} and signpost both claim /api/{entry.name}")
        elif owner != dist.name:
            faults.append(f"{owner} and {dist.name} both claim /api/{entry.name}")
    if faults:
        raise NameTaken(faults)


def _loaded(entry: metadata.EntryPoint, dist: metadata.Distribution, is_wanted: bool) -> Extension:
    extension = Extension(entry.name, dist.name, dist.version, module=entry.module)
    if not is_wanted:
        return replace(extension, state="disabled")
    try:
        with watched(extension):
            made = replace(extension, namespace=entry.load()())
            made.settings()  # a wrong one is told before the database is touched
            return made
    except ConfigError:
        raise
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever a stranger's code raises
        return extension.failed(exc)


@contextmanager
def watched(extension: Extension) -> Iterator[None]:
    """End the process if an import hangs: nothing else ends it, whatever it waits for."""

    def end() -> None:
        said = f"the extension {extension.name} ({extension.package}) hangs when it is imported"
        sys.stderr.write(f"Signpost cannot start: {said}\n")
        sys.stderr.flush()
        os._exit(_HANGS)

    watchdog = threading.Timer(PATIENCE, end)
    watchdog.daemon = True
    watchdog.start()
    # What never lets go of the interpreter keeps that thread waiting too. This needs no lock, and
    # shows the lines that hang.
    faulthandler.dump_traceback_later(PATIENCE + 1, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        watchdog.cancel()


def _line(error: BaseException) -> str:
    said = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
