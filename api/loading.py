"""Which extensions there are: found by their entry points and imported.

A package names what it brings in the group ``signpost.extensions``; the key is the name in the URL.
What goes wrong within one of them is its own problem; two that claim one name stop the start.
api/mounting.py mounts them.
"""

from __future__ import annotations

import faulthandler
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import structlog

from config import Config, ConfigError, NoSettings, read_settings
from services import schema

GROUP = "signpost.extensions"
COMMANDS = "signpost.commands"
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
    commands: tuple[metadata.EntryPoint, ...] = ()
    """All that its package names as commands; see api/entries.py."""

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


#: Is told of an extension whose import begins.
Watch = Callable[[Extension], None]


def load(config: Config) -> list[Extension]:
    """Find, import and make every extension, in the order of their names.

    Raises:
        NameTaken: a name is claimed twice, is reserved or no name; says by whom.
        ConfigError: a setting of one of them is wrong; it has been told.
    """
    found = sorted(_found(), key=lambda each: each[0].name)
    wanted = [each for each in found if not is_disabled(each[1].name, config)]
    _check_names([extension for _, extension in wanted])
    with _watching() as watch:
        return [
            _loaded(entry, extension, watch)
            if (entry, extension) in wanted
            else replace(extension, state="disabled")
            for entry, extension in found
        ]


def is_disabled(name: str, config: Config) -> bool:
    """Return whether the settings name an extension, or all by ``*``."""
    return name in config.EXTENSIONS_DISABLED or "*" in config.EXTENSIONS_DISABLED


def names() -> frozenset[str]:
    """Return the names of all that are installed, without importing one."""
    return frozenset(entry.name for entry in metadata.entry_points(group=GROUP))


def _found() -> Iterator[tuple[metadata.EntryPoint, Extension]]:
    for entry in metadata.entry_points(group=GROUP):
        if entry.dist is not None:  # always, of what is installed
            told = entry.dist.metadata  # which is read and parsed each time
            extension = Extension(entry.name, told["Name"], told["Version"], module=entry.module)
            commands = tuple(entry.dist.entry_points.select(group=COMMANDS))
            yield entry, replace(extension, commands=commands)


def _check_names(found: Sequence[Extension]) -> None:
    owners: dict[str, str] = {}
    faults = []
    for name, package in ((each.name, each.package) for each in found):
        owner = owners.setdefault(name, package)
        if not _NAME.fullmatch(name):
            faults.append(f"{package} brings an extension {name!r}: not [a-z][a-z0-9_]*")
        elif _RESERVED.fullmatch(name):
            faults.append(f"{package} and signpost both claim /api/{name}")
        elif owner != package:
            faults.append(f"{owner} and {package} both claim /api/{name}")
    if faults:
        raise NameTaken(faults)


def _loaded(entry: metadata.EntryPoint, extension: Extension, watch: Watch) -> Extension:
    watch(extension)
    try:
        made = replace(extension, namespace=entry.load()())
        made.settings()  # a wrong one is told before the database is touched
    except ConfigError:
        raise
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever a stranger's code raises
        return extension.failed(exc)
    return made


@contextmanager
def watched(extension: Extension) -> Iterator[None]:
    """End the process if an import hangs: nothing else ends it, whatever it waits for."""
    with _watching() as watch:
        watch(extension)
        yield


@contextmanager
def _watching() -> Iterator[Watch]:
    """Give what is to be told of each import before it begins."""
    watchdog = _Watchdog()
    watchdog.start()
    try:
        yield watchdog.watch
    finally:
        watchdog.end()


class _Watchdog(threading.Thread):
    """Ends the process when one import takes more than ``PATIENCE``, naming it.

    An import that never lets go of the interpreter keeps this thread waiting too. What it arms
    besides needs no lock; that shows the lines that hang, a second or two later.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._over = threading.Event()
        self._import: tuple[Extension | None, float] = (None, math.inf)
        self._armed = -math.inf

    def watch(self, extension: Extension) -> None:
        """Give the import of one its time."""
        now = time.monotonic()
        self._import = extension, now + PATIENCE
        if now - self._armed > 1:  # it takes longer than most imports
            faulthandler.dump_traceback_later(PATIENCE + 2, exit=True, file=_STDERR)
            self._armed = now

    def end(self) -> None:
        """Watch no longer."""
        faulthandler.cancel_dump_traceback_later()
        self._over.set()

    def run(self) -> None:
        """Wait for the end of each import's time."""
        while not self._over.wait(min(self._import[1] - time.monotonic(), PATIENCE)):
            extension, until = self._import
            if extension and time.monotonic() >= until:
                said = f"the extension {extension.name} ({extension.package}) hangs"
                sys.stderr.write(f"Signpost cannot start: {said} when it is imported\n")
                sys.stderr.flush()
                os._exit(_HANGS)


def _line(error: BaseException) -> str:
    said = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
