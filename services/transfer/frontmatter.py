"""Front matter of Markdown files: YAML between ``---`` or TOML between ``+++``, as plain values.

Boundaries are found by python-frontmatter; the values are read here, by a loader that makes text,
lists, mappings, true, false and null, and nothing else: numbers and dates stay as written.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from typing import Any

import yaml
from frontmatter.default_handlers import BaseHandler, YAMLHandler

#: Bytes of front matter; the slowest YAML of this size takes about a second.
MAX_SIZE = 32 * 1024
_MAX_DEPTH = 20
_TOML_LINE = re.compile(r" \(at line ([0-9]+), column [0-9]+\)")
_ZONE = re.compile(r"[ \t]+(?=[+-][0-9]{2}:?[0-9]{2}$)|[ \t]*(?:Z|UTC|GMT)$", re.ASCII)


class FrontMatterFault(Exception):
    """Front matter that cannot be read; ``line`` counts from 1 in the file, None if unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def split(text: str) -> tuple[dict[str, Any], str]:
    """Return front matter and the rest; without any, ``{}`` and all of the text.

    Raises:
        FrontMatterFault: it does not end, is too large or cannot be read.
    """
    handler = next((each for each in (_YAML, _TOML) if each.detect(text)), None)
    if handler is None:
        return {}, text
    try:
        written, body = handler.split(text)
    except ValueError:
        raise FrontMatterFault(f"Its front matter has no end: {_end(handler)}.", 1) from None
    if len(written) > MAX_SIZE:
        raise FrontMatterFault(f"Its front matter has over {MAX_SIZE:,} characters.", 1)
    return _mapping(handler.load(written)), body


def when(value: Any) -> Any:
    """Return a date or time as RFC 3339; without a zone it is in UTC. Others stay as they are."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(_ZONE.sub(_zone, value.strip()))
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return value
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _zone(match: re.Match[str]) -> str:
    return "Z" if match[0].strip() else ""


def _end(handler: BaseHandler) -> str:
    return f"a second line of {handler.END_DELIMITER} is missing"


def _mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FrontMatterFault("Its front matter is not a list of names and values.", 1)
    return value


_TAG = "tag:yaml.org,2002:"
_KINDS = frozenset({"bool", "map", "null", "seq", "str"})
_BOOL = (f"{_TAG}bool", re.compile("true|True|TRUE|false|False|FALSE"))
_NULL = (f"{_TAG}null", re.compile("~|null|Null|NULL|"))


class _Loader(yaml.SafeLoader):
    """Plain values only: no aliases (a billion of them fits into a page), tags or repetition."""

    yaml_constructors = {
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in _KINDS
    }
    yaml_implicit_resolvers = {
        first: [(tag, re.compile(f"(?:{pattern.pattern})$"))]
        for tag, pattern in (_BOOL, _NULL)
        for first in {word[:1] for word in pattern.pattern.split("|")}
    }
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise _wrong("Aliases are not read.", self.peek_event())  # type: ignore[no-untyped-call]
        if self._depth >= _MAX_DEPTH:
            raise _wrong(f"Nested more than {_MAX_DEPTH} levels deep.", self.peek_event())  # type: ignore[no-untyped-call]
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != f"{_TAG}str":
                raise _wrong("Names must be text.", key)
            if key.value in seen:
                raise _wrong("A name stands there twice.", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _wrong(message: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=where.start_mark)


class _Yaml(YAMLHandler):
    def load(self, fm: str, **_: object) -> Any:
        try:
            return yaml.load(fm, Loader=_Loader)  # noqa: S506 - a safe one, and narrower
        except yaml.MarkedYAMLError as exc:
            line = exc.problem_mark.line + 1 if exc.problem_mark else None
            raise FrontMatterFault(f"YAML: {exc.problem or exc.context}", line) from None
        except KeyError:  # !!bool before what is neither true nor false
            raise FrontMatterFault("YAML: a value is not what its tag says.", 1) from None
        except yaml.YAMLError as exc:
            raise FrontMatterFault(f"YAML: {str(exc).splitlines()[0]}", 1) from None


class _Toml(BaseHandler):
    FM_BOUNDARY = re.compile(r"^\+{3,}\s*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def load(self, fm: str) -> Any:
        try:
            return tomllib.loads(fm)
        except (tomllib.TOMLDecodeError, RecursionError) as exc:
            found = _TOML_LINE.search(str(exc))
            message = _TOML_LINE.sub("", str(exc))
            raise FrontMatterFault(f"TOML: {message}", int(found[1]) if found else 1) from None


_YAML, _TOML = _Yaml(), _Toml()
