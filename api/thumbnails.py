"""A picture made small: /files/{id}/thumbnail. The work is in services/pictures/thumbnails.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, request

from api import arguments, downloads, query
from api.arguments import Refused
from api.contents import Contents, sends
from api.downloads import Download
from api.files import ns
from api.preconditions import names
from api.resource import expose
from services import contents
from services.errors import NotFound
from services.pictures import TYPES
from services.pictures.thumbnails import EDITION, WIDTHS, thumbnails_of

__all__ = ["ns"]

_TYPE = "image/webp"


@dataclass(frozen=True)
class Width:
    """One of the widths that thumbnails have."""

    @property
    def __schema__(self) -> dict[str, Any]:
        return {"type": "integer", "enum": list(WIDTHS)}

    def __call__(self, text: str) -> int:
        """Return the width.

        Raises:
            Refused: it is none of them.
        """
        found = {str(width): width for width in WIDTHS}.get(text)
        if found is None:
            raise Refused("choice", f"One of: {', '.join(map(str, WIDTHS))}.")
        return found


_width = arguments.parser()
_width.add_argument(
    "width", Width(), default=256, help="Pixels; the picture is never made larger than it is."
)
_read_width = query.compile(_width)


def _sends() -> dict[str, Any]:
    said = sends("getFileThumbnail")
    return said | {"produces": [_TYPE, "application/problem+json"], "expect": [_width]}


@expose(ns, "/files/<id:id>/thumbnail", get=_sends())
class FileThumbnail(Contents):
    def get(self, id: int) -> Response:
        """Get a picture made small

        As WebP, of an animation the first frame; at most twice as high as wide. 404 for a file
        that is no picture, or cannot be decoded.
        """
        width = _read_width()["width"]
        row = self.read(lambda session: self.service(session).row(id))
        if row.media_type not in TYPES or row.width is None:
            raise NotFound("There is no thumbnail of this file.")
        return downloads.answer(self._small(row, width))

    def _small(self, row: Any, width: int) -> Download:
        tag = f"{row.sha256}-{width}-{EDITION}"
        content = b"" if _has(tag) else self._made(row, width)
        return Download(
            name=f"{row.name.rpartition('.')[0] or row.name}-{width}.webp",
            media_type=_TYPE,
            size=len(content),
            tag=tag,
            made_at=row.created_at,
            read=lambda start, end: content[start:end],
            touch=lambda: None,
        )

    def _made(self, row: Any, width: int) -> bytes:
        def is_wanted() -> bool:
            return self.read(lambda session: contents.is_stored(session, row.sha256))

        return thumbnails_of(self.config).get(row.sha256, row.size, width, is_wanted)


def _has(tag: str) -> bool:
    """Whether the client has it already: then it need not be made."""
    header = request.headers.get("If-None-Match")
    return header is not None and names(header, f'"{tag}"')
