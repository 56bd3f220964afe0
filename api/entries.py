"""Commands that are imported when they are run or explained: the scaffold, and those of packages.

A package names one in the group ``signpost.commands``. What it calls ``people.greet`` is
``flask people greet``; the package brings the extension ``people``, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from typing import Any

import click

from api.loading import COMMANDS, Extension


class Lazy(click.Command):
    """Stands for a command, or a group of them, until it is needed."""

    def __init__(self, name: str, entry: metadata.EntryPoint) -> None:
        super().__init__(name)
        self._entry = entry

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Return a context of the command itself.

        Raises:
            click.ClickException: it cannot be imported.
        """
        return self._imported().make_context(*args, **kwargs)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return what a list of commands says of it; that it fails, if it does."""
        try:
            return self._imported().get_short_help_str(limit)
        except click.ClickException as exc:
            return exc.format_message()

    def _imported(self) -> click.Command:
        try:
            found = self._entry.load()
        except (Exception, SystemExit) as exc:  # a stranger's code
            raise click.ClickException(f"{self._entry.value} cannot be imported: {exc}") from exc
        if not isinstance(found, click.Command):
            raise click.ClickException(f"{self._entry.value} is no command")
        return found


def of(extension: Extension) -> Iterator[Lazy]:
    """Yield the commands that an extension's package names."""
    for entry in extension.commands:
        namespace, _, name = entry.name.rpartition(".")
        if namespace == extension.name:
            yield Lazy(name, entry)


def scaffold() -> Lazy:
    """Return ``flask extension``, which only authors of extensions run."""
    value = "signpost.scaffold.commands:group"
    return Lazy("extension", metadata.EntryPoint("extension", value, COMMANDS))
