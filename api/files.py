"""/files: upload files, see one's own, rename or publish them. The rules are in services/files.py.

Forms are read by api/multipart.py; contents go out by api/contents.py.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_restx import Model, Namespace
from flask_restx.reqparse import RequestParser

from api import arguments, errors, fields, gate, multipart, output, stalled
from api.arguments import FilesField, FormField
from api.describe import answers, lists
from api.downloads import FileUrl
from api.fields import patch_of
from api.item import Item
from api.posts import author
from api.problems import CODES
from api.resource import Listing, expose
from api.rights import Rights, rights_of
from api.spec import Spec
from api.swagger import CONSUMES, JSON_MODEL
from services import uploads
from services.errors import ServiceError
from services.files import MAX_NAME, FileService, clean_name
from services.storage import storage_of
from services.text import CONTROLS
from services.uploads import Form, Incoming

ns = Namespace("Files", path="/v1", description="Pictures and whatever else is uploaded.")

_VISIBILITIES = ("private", "public")


def _name(*, required: bool, description: str) -> fields.String:
    return fields.String(
        required=required,
        min_length=1,
        max_length=MAX_NAME,
        pattern=rf"[. ]*[^/\\. {CONTROLS}][^/\\{CONTROLS}]*",
        description=description,
        example="harbour.jpg" if required else None,
    )


def _visibility(*, required: bool) -> fields.String:
    return fields.String(
        required=required,
        enum=_VISIBILITIES,
        description="Private files are seen by you, and wherever you show them as a picture.",
        example="public",
    )


file = ns.model(
    "StoredFile",  # "File" is a type of their own in many languages
    {
        "id": fields.Integer(required=True, readonly=True, example=12),
        "name": _name(required=True, description="What it is called when it is saved."),
        "visibility": _visibility(required=True),
        "media_type": fields.String(
            required=True,
            readonly=True,
            description="What its content is, whatever was said of it.",
            example="image/jpeg",
        ),
        "size": fields.Integer(required=True, readonly=True, description="Bytes.", example=91_733),
        "sha256": fields.String(
            required=True,
            readonly=True,
            description="Of its content, hexadecimal.",
            example="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ),
        "width": fields.Integer(
            required=True, readonly=True, nullable=True, description="Of a picture.", example=1200
        ),
        "height": fields.Integer(
            required=True, readonly=True, nullable=True, description="Of a picture.", example=800
        ),
        "url": FileUrl(
            required=True,
            readonly=True,
            description="Where its content is: a path, or a URL elsewhere that is good for 60 s.",
        ),
        "author": fields.Inline(author, required=True, readonly=True),
        "version": fields.Integer(required=True, readonly=True, example=1),
        "created_at": fields.DateTime(required=True, readonly=True),
        "updated_at": fields.DateTime(required=True, readonly=True),
    },
)
file_input = ns.model(
    "FileInput",
    {
        "name": _name(required=True, description="Without slashes."),
        "visibility": _visibility(required=False),
    },
)
_said = {
    "name": _name(
        required=False,
        description="Instead of the file's own name; of several, stands before each name.",
    ),
    "visibility": _visibility(required=False),
}
file_fields = Model("FileFields", _said)
file_form = ns.model(
    "FileForm",
    {
        "files": fields.Uploads(
            required=True, max_items=multipart.MAX_PARTS, description="Of any kind."
        ),
        **_said,
    },
)
outcome = ns.model(
    "FileOutcome",
    {
        "name": fields.String(required=True, description="Of the file.", example="harbour.jpg"),
        "status": fields.Integer(required=True, description="201, or the problem's.", example=201),
        "id": fields.Integer(required=True, nullable=True, example=12),
        "version": fields.Integer(required=True, nullable=True, example=1),
        "data": fields.Nested(file, required=True, nullable=True, description="If it is stored."),
        "problem": fields.Raw(required=True, description="If not: a problem document, else null."),
    },
)
outcomes = ns.model(
    "FileOutcomePage", {"items": fields.List(fields.Nested(outcome), required=True)}
)

files = Spec(
    name="file",
    service=FileService,
    output=file,
    replace=file_input,
    patch=patch_of(ns, "FilePatch", file_input),
    filters={
        "name": {"type": arguments.Text(MAX_NAME), "help": "Files with exactly this name."},
        "media_type": {"type": arguments.Text(100), "help": "Files of this type: `image/png`."},
        "visibility": {"type": arguments.choice(*_VISIBILITIES), "help": "Only these."},
        "ids": {"type": arguments.Identifiers(), "help": "Files with one of these ids: `1,2,3`."},
    },
)


def _form() -> RequestParser:
    """Document the form of an upload; api/multipart.py reads it."""
    parser = RequestParser()
    parser.args = [FilesField("files"), *(FormField(*each) for each in file_fields.items())]
    return parser


def _uploads() -> dict[str, Any]:
    said = answers(201, outcomes, 401, 403, 413, 415, 507)
    said["responses"]["207"] = ("Multi-Status", outcomes, {})
    return {
        "id": "createFiles",
        "expect": [_form(), files.item_parser],
        "vendor": {CONSUMES: [multipart.MEDIA_TYPE], JSON_MODEL: file_form.name},
        **said,
    }


@expose(ns, "/files", get=lists(ns, files, "listFiles"), post=_uploads())
class FileCollection(Listing):
    spec = files
    is_kept = False  # URLs of a store expire
    anonymous = frozenset()

    def post(self) -> Response:
        """Upload files

        A form with any number of `files`. What they are is told by their contents; metadata of
        pictures is taken off. If some cannot be stored the others are, and the answer is 207; if
        none can, it is the problem of the first.
        """
        self.service(self.session).require("create", None)
        mask = self.mask()
        with multipart.received(self.config, file_fields) as form:
            self._keep(form)
            return self._told(form, mask)

    def _keep(self, form: Form) -> None:
        _rename(form, form.fields.pop("name", None))
        environ = request.environ
        with stalled.storing(environ.get("REMOTE_ADDR", "")):
            uploads.keep(
                form,
                self.session,
                self.service,
                storage_of(self.config),
                lambda: gate.place(environ),
            )

    def _told(self, form: Form, mask: str | None) -> Response:
        """Answer with what became of each file.

        Raises:
            ServiceError: the first problem, if every file has one.
        """
        stored = [each for each in form.files if each.row is not None]
        render = self.plan(file, mask)
        items = [_item(each, render) for each in form.files]
        if not stored:
            raise _refusal(form.files, items)
        status = 201 if len(stored) == len(items) else 207
        body = output.dumps({"items": items})
        response = Response(body, status, content_type="application/json")
        if len(items) == 1:
            response.headers["Location"] = self.path("files", stored[0].row.id)
        response.headers["Vary"] = "X-Fields"
        return response


@expose(ns, "/files/<id:id>")
class FileItem(Item):
    spec = files
    is_kept = False  # as above


@expose(ns, "/files/<id:id>/can", get=rights_of(ns, "getFileRights"))
class FileRights(Rights):
    spec = files


def _rename(form: Form, name: str | None) -> None:
    """Give the file the name that the form has for it; of several, put it before each name."""
    if name is not None:
        for each in form.files:
            each.name = clean_name(name if len(form.files) == 1 else name + each.name)


def _item(each: Incoming, render: Any) -> dict[str, Any]:
    row, problem = each.row, each.problem
    return {
        "name": each.name,
        "status": CODES[problem.public_code].status if problem else 201,
        "id": row.id if row else None,
        "version": row.version if row else None,
        "data": render(row) if row else None,
        "problem": errors.document(problem) if problem else None,
    }


def _refusal(files: list[Incoming], items: list[dict[str, Any]]) -> ServiceError:
    """Return the problem of the first file; of several, with what is wrong with each."""
    first = files[0].problem
    assert first is not None  # noqa: S101 - every file has one
    if len(files) > 1:
        first.extra["items"] = items
    return first
