"""How settings are declared and made of texts; where the texts are from is said in config.py.

The same for the core's settings and for those of extensions: one way to parse, to check and to
refuse. A dataclass declares them, a field for each, made by ``setting``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, field, fields
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_type_hints

from dotenv.parser import parse_stream

from config_rules import Check

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

#: Entry points of this group are extensions; their names are prefixes of settings.
EXTENSIONS = "signpost.extensions"

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

    def stop(self) -> NoReturn:
        """Print a line for each fault and raise."""
        sys.stderr.writelines(f"{line}\n" for line in self.faults)
        raise self


def setting(default: T, meaning: str, check: Check[T] | None = None, secret: bool = False) -> T:
    """Declare one setting: a field of a dataclass.

    Its type is ``str``, ``int``, ``float``, ``bool``, ``Path`` or ``tuple[str, ...]``; or one of
    these ``| None``. Durations are in seconds, sizes in bytes.

    Args:
        default: what holds while it is unset.
        meaning: a sentence or two for operators.
        check: returns what is wrong with a value, beginning with a verb, or None.
        secret: its value is shown nowhere.
    """
    metadata = {"meaning": meaning, "check": check, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


def prefix_of(extension: str) -> str:
    """Return what the names of an extension's settings begin with."""
    return f"{extension.upper()}_" if extension else ""


def names_of(cls: type[DataclassInstance], extension: str = "") -> dict[str, Field[Any]]:
    """Return the settings that a dataclass declares, by their names in the environment."""
    prefix = prefix_of(extension)
    return {prefix + (each.name.upper() if prefix else each.name): each for each in fields(cls)}


def owner_of(name: str, known: Iterable[str] = ()) -> str | None:
    """Return the extension whose setting this could be; of several the longest name wins.

    Args:
        known: names of extensions beside those that are installed.
    """
    installed = {entry.name for entry in metadata.entry_points(group=EXTENSIONS)}
    owners = [each for each in {*installed, *known} if name.startswith(prefix_of(each))]
    return max(owners, key=len, default=None)


def file_texts(
    path: Path, is_wanted: Callable[[str], bool | None], faults: list[str]
) -> dict[str, str]:
    """Return what a file of settings says.

    Args:
        is_wanted: whether a name is read; None if it is somebody else's.
        faults: gets a line for each that is wrong.
    """
    texts: dict[str, str] = {}
    if not path.exists():
        return texts
    try:
        bindings = list(parse_stream(StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError) as exc:
        faults.append(f"{path}: cannot be read: {exc}")
        return texts
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            faults.append(f"{path}, line {binding.original.line}: is not NAME=value")
        elif binding.key is not None and (found := is_wanted(binding.key)) is not None:
            if found:
                texts[binding.key] = binding.value or ""
            else:
                faults.append(f"{binding.key}: there is no such setting ({path})")
    return texts


def parsed(
    cls: type[DataclassInstance],
    texts: Mapping[str, str],
    faults: list[str],
    extension: str = "",
) -> dict[str, Any]:
    """Return the values of a dataclass's fields, of those that are set; nothing means unset.

    Raises:
        TypeError: a field is declared in a way that cannot be read.
    """
    values: dict[str, Any] = {}
    hints = get_type_hints(cls)
    for name, each in names_of(cls, extension).items():
        kind, parse = _kind(f"{cls.__qualname__}.{each.name}", each, hints[each.name])
        if text := texts.get(name, "").strip():
            try:
                values[each.name] = parse(text)
            except (KeyError, ValueError):
                shown = "its value" if each.metadata["secret"] else repr(text)
                faults.append(f"{name}: {shown} is not {kind}")
    return values


def check(settings: DataclassInstance, extension: str = "") -> None:
    """Ask each setting's check.

    Raises:
        ConfigError: all that is wrong.
    """
    faults = []
    for name, each in names_of(type(settings), extension).items():
        ask: Check[Any] | None = each.metadata["check"]
        if ask and (fault := ask(getattr(settings, each.name))):
            faults.append(f"{name}: {fault}")
    if faults:
        raise ConfigError(faults)


def _kind(name: str, each: Field[Any], hint: Any) -> tuple[str, Callable[[str], object]]:
    if "meaning" not in each.metadata:
        raise TypeError(f"{name} is not made by setting(default, meaning)")
    choices = [part for part in get_args(hint) if part is not type(None)]
    kind = _KINDS.get(hint) or (_KINDS.get(choices[0]) if len(choices) == 1 else None)
    if kind is None:
        raise TypeError(f"{name}: a setting cannot be of type {hint}")
    return kind


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,15}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text, re.ASCII):
        raise ValueError(text)
    return float(text)


def _switch(text: str) -> bool:
    return _BOOLEANS[text.lower()]


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_KINDS: dict[Any, tuple[str, Callable[[str], object]]] = {
    str: ("a text", str),
    int: ("a whole number", _whole),
    float: ("a number", _number),
    bool: ("on or off", _switch),
    Path: ("a path", Path),
    tuple[str, ...]: ("a list", _parts),
}
