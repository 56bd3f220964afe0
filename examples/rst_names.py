"""The roles and directives of Python Enhancement Proposals, and a form for any other."""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en

PEPS = "https://peps.python.org/"
PEP_PATH = "pep-%04d/"

_ROLE = re.compile(r":([A-Za-z][\w.+:-]*):`")
_DIRECTIVE = re.compile(r"^[ \t]*\.\. +([A-Za-z][\w.+:-]*)::", re.MULTILINE)
_TITLED = re.compile(r"(.+?)\s*<([^<>]+)>", re.DOTALL)
#: Sphinx's ways to say: write the last part only, link nowhere.
_MARKS = "~!"
#: Roles of Sphinx whose text is prose; that of the others is code.
_PROSE = {"ref", "doc", "term", "keyword", "pypi", "cpython-issue", "cpython-pr", "abbr"}
_NUMBERED = {"pep": PEPS + PEP_PATH, "rfc": "https://www.rfc-editor.org/rfc/rfc%d"}
_ISSUES = {
    "cpython-issue": ("gh-", "https://github.com/python/cpython/issues/"),
    "cpython-pr": ("gh-", "https://github.com/python/cpython/pull/"),
    "pypi": ("", "https://pypi.org/project/"),
}
_ASIDES = {
    "canonical-doc": "Documentation",
    "canonical-pypa-spec": "Specification",
    "canonical-typing-spec": "Specification",
}
_ADMONITIONS = {"attention", "caution", "danger", "error", "hint", "important", "note", "tip"}
_ADMONITIONS |= {"warning"}


class _AnyOption(UserDict[str, Callable[[str], str]]):
    """Options of any name, as they are written."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: str) -> Callable[[str], str]:
        return directives.unchanged


class _Tolerant(Directive):
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = _AnyOption()


class Dropped(_Tolerant):
    """What only says how to lay the document out."""

    def run(self) -> list[nodes.Node]:
        """Return nothing."""
        return []


class Code(_Tolerant):
    """Code, or what else is to stay as it was typed; its argument is a language or nothing."""

    def run(self) -> list[nodes.Node]:
        """Return a literal block, led by its caption if there is one."""
        text = "\n".join(self.content)
        caption = self.options.get("caption")
        lead = [nodes.paragraph("", "", nodes.strong("", caption))] if caption else []
        return [*lead, nodes.literal_block(text, text)]


class Verbatim(_Tolerant):
    """A grammar, whose argument is its first line."""

    def run(self) -> list[nodes.Node]:
        """Return a literal block of all of it."""
        text = "\n".join([*self.arguments, *self.content])
        return [nodes.literal_block(text, text)]


class Aside(_Tolerant):
    """A note, or any directive that is not known: its name, its argument and its content."""

    def run(self) -> list[nodes.Node]:
        """Return a quotation that begins with the name in bold."""
        name = self.name.lower()
        title = _ASIDES.get(name) or name.replace("-", " ").capitalize()
        lead = nodes.paragraph("", "", nodes.strong("", title))
        block = nodes.block_quote("", lead)
        if self.arguments:
            found, messages = self.state.inline_text(self.arguments[0], self.lineno)
            lead += [nodes.Text(": "), *found, *messages]
        self.state.nested_parse(self.content, self.content_offset, block)
        return [block]


@contextmanager
def known(text: str) -> Iterator[None]:
    """Make docutils know every role and directive that a text names, until the block ends."""
    before = dict(directives._directives), dict(roles._roles)  # type: ignore[attr-defined]
    try:
        _register(text)
        yield
    finally:
        for now, then in zip((directives._directives, roles._roles), before, strict=True):  # type: ignore[attr-defined]
            now.clear()
            now.update(then)


def _register(text: str) -> None:
    """Register what PEPs use, and a form for what neither they nor docutils know."""
    for name in set(_DIRECTIVE.findall(text)):
        if name.lower() not in en.directives:
            directives.register_directive(name.lower(), Aside)
    for name in _ADMONITIONS:
        directives.register_directive(name, Aside)
    for name in ("contents", "highlight", "sectnum"):
        directives.register_directive(name, Dropped)
    for name in ("code", "code-block", "sourcecode"):
        directives.register_directive(name, Code)
    directives.register_directive("productionlist", Verbatim)
    for name in {each.lower() for each in _ROLE.findall(text)} - set(en.roles):
        roles.register_local_role(name, _sphinx)
    for name in _NUMBERED:
        roles.register_local_role(name, _numbered)


def _split(text: str) -> tuple[str | None, str]:
    """Return the title, if there is one, and the target of ``title <target>``."""
    found = _TITLED.fullmatch(nodes.unescape(text))
    return (found[1], found[2]) if found else (None, nodes.unescape(text))


def _numbered(name: str, raw: str, text: str, line: int, inliner: Any, *_: Any, **__: Any) -> Any:
    """Link to a proposal or an RFC: `8`, `8#section` or `title <8>`."""
    title, target = _split(text)
    number, _hash, part = target.partition("#")
    if not number.isdecimal():
        return [nodes.Text(title or target)], []
    kind = name.lower()
    address = _NUMBERED[kind] % int(number) + (f"#{part}" if part else "")
    return [nodes.reference(raw, title or f"{kind.upper()} {number}", refuri=address)], []


def _sphinx(name: str, raw: str, text: str, line: int, inliner: Any, *_: Any, **__: Any) -> Any:
    """Return the text of a role of Sphinx, as code or prose; what it names is elsewhere."""
    title, target = _split(text)
    kind = name.lower().rpartition(":")[2]
    if kind in _ISSUES:
        prefix, base = _ISSUES[kind]
        return [nodes.reference(raw, title or prefix + target, refuri=base + target)], []
    if kind == "ref" and title is None:
        return [nodes.inline(raw, target.rpartition(":")[2], label=target.lower())], []
    if kind in _PROSE or (title is not None and " " in title):
        return [nodes.Text((title or target).lstrip(_MARKS))], []
    shown = target.rpartition(".")[2] if target.startswith("~") else target
    return [nodes.literal(raw, (title or shown).lstrip(_MARKS))], []
