"""Which hooks there are: those of mounted extensions, then those of entry points.

A package names functions in the group ``signpost.hooks``. One that cannot be imported is logged and
left out. When they are called, and with what: services/hooks.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from importlib import metadata

import structlog

from api import loading
from api.loading import Extension
from config import Config
from services.hooks import Hook, hooks

GROUP = "signpost.hooks"


def init_app(config: Config, extensions: Iterable[Extension]) -> None:
    """Have every hook called from now on, in this process."""
    own = [
        hook
        for extension in extensions
        if extension.state == "loaded"
        for hook in getattr(extension.namespace, "hooks", ())
    ]
    hooks.configure([*own, *declared(config.EXTENSIONS_DISABLED)])


def declared(disabled: Collection[str] = ()) -> Iterator[Hook]:
    """Import the hooks of entry points, in the order of their names.

    Args:
        disabled: names of hooks, and of extensions: a package without any other brings no hooks.
    """
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda each: each.name):
        package = entry.dist.name if entry.dist else "?"
        if _is_disabled(entry, disabled):
            continue
        try:
            with loading.watched(Extension(entry.name, package, "")):
                hook = entry.load()
            if not callable(hook):
                raise TypeError(f"{entry.value} is no function")
        except Exception:  # noqa: BLE001 - whatever a stranger's code raises
            structlog.get_logger("signpost").exception(
                "hook failed", hook=entry.name, package=package
            )
        else:
            yield hook


def _is_disabled(entry: metadata.EntryPoint, disabled: Collection[str]) -> bool:
    beside = entry.dist.entry_points.select(group=loading.GROUP) if entry.dist else ()
    names = {each.name for each in beside}
    own = {"*", entry.name, entry.name.partition(".")[0]}
    return not own.isdisjoint(disabled) or bool(names and names.issubset(disabled))
