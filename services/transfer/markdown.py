"""A folder of Markdown files with front matter, as records of the import format.

It reads what Jekyll, Hugo and Eleventy keep: see docs/operations.md for which names mean what. The
front matter itself is read in services/transfer/frontmatter.py.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services import slugs
from services.errors import Fault
from services.transfer.frontmatter import FrontMatterFault, split, when
from services.transfer.lines import Line
from services.validation import shown

#: Bytes of one file; a body may have 100,000 characters.
MAX_FILE = 1024 * 1024
#: Follow no link that came meanwhile, wait for no pipe; each where the system has it.
_SAFELY = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
_ENDINGS = (".md", ".markdown")
_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-(.+)")
_BLANKS = re.compile(r"[-_\s]+")

#: Field → the names that it has in front matter; the first one that is there counts.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "slug": ("slug",),
    "excerpt": ("excerpt", "summary", "description"),
    "published_at": ("published_at", "date", "publishDate", "pubDate"),
    "author": ("author", "authors"),
    "status": ("status",),
}
_TAGS = ("tags", "tag", "categories", "category")
_STATES = ("draft", "published")
_KNOWN = frozenset({*(name for names in _NAMES.values() for name in names), *_TAGS, *_STATES})
_STATUSES = {
    **dict.fromkeys(("publish", "published", "public"), "published"),
    **dict.fromkeys(("draft", "pending", "private"), "draft"),
    "archived": "archived",
}
_YES = (True, "true", "yes", "on", "1")
_NO = (False, "false", "no", "off", "0")


class Refused(Exception):
    """A file of which nothing can be read."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.fault = Fault("file", code, message)
        self.line = line or 1


class MarkdownFolder:
    """The posts of a folder, in the order of their paths.

    Args:
        root: the folder.
        author: username of the author of files that name none.
    """

    def __init__(self, root: Path, author: str | None = None) -> None:
        self.root = root
        self.author = author
        self.left_out: Counter[str] = Counter()
        """What was not taken over → how often."""
        self.note: Callable[[int], object] = lambda _files: None
        """Told of each file."""
        self._sources: dict[str, str] = {}

    def __iter__(self) -> Iterator[Line]:
        for path in self.paths():
            self.note(1)
            source = _shown(path.relative_to(self.root))
            try:
                yield Line(1, source, {"type": "post", **self._post(path, source)})
            except Refused as exc:
                yield Line(exc.line, source, exc.fault)

    def paths(self) -> Iterator[Path]:
        """Return the Markdown files below the folder; names that begin with a dot are left out."""
        closed: list[Path] = []
        walk = os.walk(self.root, onerror=lambda exc: closed.append(Path(exc.filename)))
        for folder, folders, names in walk:
            here = Path(folder)
            linked = [name for name in folders if (here / name).is_symlink()]
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            self.left_out += Counter({"linked folders": len(linked)})
            for name in sorted(names):
                if not name.lower().endswith(_ENDINGS) or name.startswith("."):
                    continue
                if Path(name).stem == "_index":
                    self.left_out["section pages (_index.md)"] += 1
                else:
                    yield here / name
        yield from closed  # which opening refuses

    def _post(self, path: Path, source: str) -> dict[str, Any]:
        try:
            meta, body = split(_text(path))
        except FrontMatterFault as exc:
            raise Refused("format", exc.message, exc.line) from None
        self.left_out.update(f"field {shown(name)}" for name in meta if name not in _KNOWN)
        post = _fields(meta, path.relative_to(self.root))
        post.setdefault("author", self.author)
        if post["author"] is None:
            del post["author"]
        other = self._sources.setdefault(str(post["slug"]), source)
        if other != source:
            raise Refused("taken", f"{other} has the slug {shown(str(post['slug']))} too.")
        return {**post, "body": body.strip("\n").rstrip()}


def _text(path: Path) -> str:
    """Return what a file holds.

    Raises:
        Refused: it is a link, no regular file, too large, unreadable or not UTF-8.
    """
    data = _bytes(path)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise Refused("format", "It is not UTF-8.", line) from None


def _bytes(path: Path) -> bytes:
    if path.is_symlink():
        raise Refused("format", "It is a link; only files in the folder itself are read.")
    try:
        descriptor = os.open(path, os.O_RDONLY | sum(map(_flag, _SAFELY)))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused("format", "It is not a regular file.")
            data = file.read(MAX_FILE + 1)
    except OSError as exc:
        raise Refused("format", f"It cannot be read: {exc.strerror}.") from None
    if len(data) > MAX_FILE:
        raise Refused("too_long", f"It has over {MAX_FILE:,} bytes.")
    return data


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))


def _fields(meta: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a post without its body; what cannot be understood stays, for validation to tell."""
    given = {field: _first(meta, names) for field, names in _NAMES.items()}
    post = {field: _plain(value) for field, value in given.items() if value is not None}
    name = path.parent.name if path.stem == "index" else path.stem
    dated = _DATED.fullmatch(name)
    if dated:
        post.setdefault("published_at", dated[1])
        name = dated[2]
    post.setdefault("title", _BLANKS.sub(" ", name).strip().capitalize())
    post.setdefault("slug", slugs.from_title(name))
    if "published_at" in post:
        post["published_at"] = when(given["published_at"] or post["published_at"])
    post["status"] = _status(meta, post.get("status"), path)
    post["tags"] = _tags(meta)
    return post


def _first(meta: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((meta[name] for name in names if meta.get(name) is not None), None)


def _plain(value: Any) -> Any:
    """Return a value as text where it says one: the first of a list, the name of a mapping."""
    if isinstance(value, list) and value:
        return _plain(value[0]) if not isinstance(value[0], list) else []
    if isinstance(value, dict):
        named = value.get("username", value.get("name"))
        return named if isinstance(named, str) else {}
    return value


def _status(meta: dict[str, Any], status: Any, path: Path) -> Any:
    """Return the status; ``draft`` and ``published`` of generators count before it."""
    if "_drafts" in path.parts or _in(meta.get("draft"), _YES) or _in(meta.get("published"), _NO):
        return "draft"
    if status is None:
        return "published"
    return _STATUSES.get(status.lower(), status) if isinstance(status, str) else status


def _in(value: Any, wanted: tuple[object, ...]) -> bool:
    return (value.lower() if isinstance(value, str) else value) in wanted


def _tags(meta: dict[str, Any]) -> list[Any]:
    """Return tags and categories, each once; a text may hold several with commas between them."""
    found: dict[Any, Any] = {}
    for name in _TAGS:
        value = meta.get(name)
        values = value.split(",") if isinstance(value, str) else value
        for each in values if isinstance(values, list) else [values]:
            if isinstance(each, str):
                found.setdefault(each.strip().casefold(), each.strip())
            elif each is not None:
                found.setdefault(len(found), {})  # no text: validation says so
    found.pop("", None)
    return list(found.values())


def _shown(path: Path) -> str:
    """Return a path as text that can be printed."""
    text = os.fsencode(path.as_posix()).decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
