"""``/api/frames``: upload, list, rename and remove tables. What they hold: asking.py."""

from __future__ import annotations

import threading
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from signpost import Item, Listing, Namespace, Spec, arguments, expose, fields, patch_of, uploads
from signpost.services import Fault, Invalid
from signpost.uploads import Form, Part
from signpost_frames.service import FrameService
from signpost_frames.settings import Settings

ns = Namespace(
    "Frames",
    description="Tables: uploaded as CSV or Parquet, asked for rows, statistics and plots.",
    settings=Settings,
)
_VISIBILITIES = ("private", "public")
_MAX_NAME = 255
#: Tables are checked one after the other: each takes up to some 100 MB meanwhile.
_ONE_AT_A_TIME = threading.Lock()


def _written(*, required: bool) -> dict[str, Any]:
    return {
        "name": fields.String(
            required=required,
            min_length=1,
            max_length=_MAX_NAME,
            description="Of the table; its file's, unless said.",
            example="harbours.csv" if required else None,
        ),
        "visibility": fields.String(
            required=False, enum=_VISIBILITIES, description="Whose it is.", example="public"
        ),
    }


owner = ns.model(
    "FrameAuthor",
    {
        "id": fields.Integer(required=True, attribute="author_id", example=7),
        "username": fields.String(required=True, attribute="author_username", example="ada"),
        "name": fields.String(required=True, nullable=True, attribute="author_name", example="Ada"),
    },
)
_COUNTED = {
    "format": "What was uploaded: `csv` or `parquet`.",
    "rows_count": "Without the names.",
    "columns_count": "See `/columns`.",
    "size": "Bytes, as it is stored.",
}


def _told(name: str, example: Any) -> Any:
    kind = fields.String if isinstance(example, str) else fields.Integer
    return kind(required=True, readonly=True, description=_COUNTED[name], example=example)


frame = ns.model(
    "Frame",
    {
        "id": fields.Integer(required=True, readonly=True, example=12),
        **_written(required=True),
        "format": _told("format", "csv"),
        "rows_count": _told("rows_count", 2_000),
        "columns_count": _told("columns_count", 5),
        "size": _told("size", 91_733),
        "author": fields.Inline(owner, required=True, readonly=True),
        "version": fields.Integer(required=True, readonly=True, example=1),
        "created_at": fields.DateTime(required=True, readonly=True),
        "updated_at": fields.DateTime(required=True, readonly=True),
    },
)
frame_input = ns.model("FrameInput", _written(required=True))
frame_upload = ns.model("FrameUpload", _written(required=False))

frames = Spec(
    name="frame",
    service=FrameService,
    output=frame,
    replace=frame_input,
    patch=patch_of(ns, "FramePatch", frame_input),
    filters={
        "name": {"type": arguments.Text(_MAX_NAME), "help": "Tables with exactly this name."},
        "visibility": {"type": arguments.choice(*_VISIBILITIES), "help": "Only these."},
    },
)

_UPLOAD = {
    "id": "createFrame",
    **uploads.form(ns, frame_upload),
    "responses": {
        "201": ("Created", frame, {"headers": {"Location": {"type": "string"}}}),
        "400": ("It is no table that could be stored; `line` says where", None, {}),
        **{str(status): ("See `code`", None, {}) for status in (401, 403, 413, 415, 503, 507)},
    },
}


@expose(ns, "", post=_UPLOAD)
class FrameCollection(Listing):
    spec = frames
    receives_files = True

    def post(self) -> Response:
        """Upload a table

        A CSV (names in the first line; UTF-8; separated by commas, semicolons, tabs or bars) or a
        Parquet file, alone in `files`. It is checked as a whole before it is stored; if something
        is wrong with a CSV, `line` says where. Empty cells, `NA`, `N/A`, `NaN` and `NULL` are null.
        """
        self.service(self.session).require("create", None)
        mask = self.mask()
        settings = ns.settings
        with uploads.received(self.config, frame_upload, settings.max_bytes) as form:
            row = self._stored(form, settings)
        response = self.shown(row, mask, 201)
        response.headers["Location"] = self.path(row.id)
        return response

    def _stored(self, form: Form, settings: Settings) -> Any:
        """Return the row of the form's only file, once it is stored.

        Raises:
            ServiceError: it is no table, too large, or not alone.
        """
        file, *more = form.files
        if more:
            said = "Send one table at a time."
            raise Invalid(faults=[Fault("files", "too_many", said)])
        if file.problem:
            raise file.problem
        with uploads.waiting():
            data, part = self._checked(form, settings)

            def make(session: Session) -> Any:
                service: FrameService = self.service(session)
                service.admit(part.size, settings.quota_bytes)
                return service.created(service.create(FrameService.prepare(data)))

            session = self.session
            return uploads.store(self.config, session, form.spool, part, lambda: make(session))

    def _checked(self, form: Form, settings: Settings) -> tuple[dict[str, Any], Part]:
        """Return what is stored of a table, and its content as it will be read."""
        file = form.files[0]
        with _ONE_AT_A_TIME, uploads.working():
            from signpost_frames.keeping import keep

            with form.spool.scratch() as target, file.part.opened() as source:
                kept = keep(file.name, source, target, settings.max_rows)
                target.seek(0)
                part = form.spool.add(target)
        data = {
            "name": file.name,
            "format": kept.format,
            "rows_count": kept.rows,
            "columns_count": len(kept.columns),
            "columns": kept.columns,
            "size": part.size,
            "sha256": part.sha256,
        }
        return {**data, **form.fields}, part


@expose(ns, "/<id:id>")
class FrameItem(Item):
    spec = frames
