"""What files hold: by id, or by name the newest of that name. How it is sent: api/downloads.py."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api import downloads, query
from api.describe import USER_ID, answers
from api.downloads import Body, Download
from api.files import files, ns
from api.resource import SpecEndpoint, expose
from api.swagger import EXAMPLE, SENDS_FILE
from services.storage import Missing
from services.storage.checked import SMALL, Checked, Damaged, contents_of
from services.users import UserService

_ANY = "application/octet-stream"
_HEADERS = {
    "ETag": {"description": "Of these bytes; strong.", "type": "string"},
    "Last-Modified": {"description": "When they were uploaded.", "type": "string"},
    "Accept-Ranges": {"description": "`bytes`.", "type": "string"},
    "Content-Disposition": {
        "description": "`inline` for pictures, sound, films and JSON, else `attachment`; and the "
        "name of the file.",
        "type": "string",
    },
    "Content-Range": {"description": "Which bytes a 206 has.", "type": "string"},
}
_ASKED = {
    "Range": {
        "in": "header",
        "type": "string",
        "description": "One range of bytes: `bytes=0-999`, `bytes=1000-`, `bytes=-500`. Of several "
        "at once none is sent, but the whole.",
    },
    "If-Range": {
        "in": "header",
        "type": "string",
        "description": "An ETag: if it is another by now, the whole is sent.",
    },
    "If-None-Match": {"in": "header", "type": "string", "description": "304 if it is still that."},
}


def sends(operation: str, **path: Any) -> dict[str, Any]:
    """Return the documentation of a verb that answers bytes."""
    said = answers(200, None, 304, 401, 404, 416, **_HEADERS)
    said["responses"]["206"] = ("Partial Content", None, {"headers": _HEADERS})
    types = [_ANY, "*/*", "application/problem+json"]
    vendor = {SENDS_FILE: True}
    return {"id": operation, "params": _ASKED | path, "produces": types, "vendor": vendor, **said}


class Contents(SpecEndpoint):
    """An endpoint that answers what a file holds."""

    spec = files

    def send(self, find: Any) -> Response:
        """Answer the content of the row that ``find`` returns for a session."""
        query.refuse_any()
        row = self.read(find)
        try:
            return downloads.answer(self._download(row))
        except Missing as exc:
            self.read(find)  # a file that was purged meanwhile is not found
            raise Damaged() from exc

    def _download(self, row: Any) -> Download:
        contents = contents_of(self.config)
        return Download(
            name=row.name,
            media_type=row.media_type,
            size=row.size,
            tag=row.sha256,
            made_at=row.created_at,
            read=lambda start, end: _read(contents, row, start, end),
            touch=lambda: contents.stat(row.sha256, row.size),
        )


@expose(ns, "/files/<id:id>/content", get=sends("getFileContent"))
class FileContent(Contents):
    def get(self, id: int) -> Response:
        """Download a file

        Pictures, sound, films and JSON are shown by browsers, whatever else is saved. Parts and
        conditions as in RFC 9110.
        """
        return self.send(lambda session: self.service(session).row(id))


@expose(ns, "/files/by-name/<name>", get=sends("getFileByName"))
class FileByName(Contents):
    anonymous = frozenset()

    def get(self, name: str) -> Response:
        """Download the newest of your files with a name

        A JSON file that you upload again under its name is a document with one URL.
        """
        return self.send(lambda session: self.service(session).named(name, self.caller.id))


@expose(
    ns,
    "/users/<user_id:id>/files/by-name/<name>",
    get=sends("getUserFileByName", id=USER_ID | {EXAMPLE: "me"}),
)
class UserFileByName(Contents):
    def get(self, id: int, name: str) -> Response:
        """Download the newest public file of a user with a name

        With your own id, or `me`, a private one too.
        """

        def find(session: Session) -> Any:
            UserService(session, self.actor, self.config).see(id)
            return self.service(session).named(name, id)

        return self.send(find)


def _read(contents: Checked, row: Any, start: int, end: int) -> bytes | Body:
    if row.size <= SMALL:
        return contents.read(row.sha256, row.size)[start:end]
    return contents.open(row.sha256, row.size, start, end)
