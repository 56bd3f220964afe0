"""/documents: upload many, read one. The rules are in rules.py and the core's."""

from __future__ import annotations

from typing import Any

import orjson

from signpost import RequestParser, Resource, fields, services, uploads
from signpost.files import keep
from signpost_documents.namespace import ns
from signpost_documents.rules import VISIBILITY, DocumentService, stored_name

FILES = "FILES_LIST"
#: Characters of a prefix.
MAX_PREFIX = 100

NAME = {"description": "Its stored name.", "x-example": "2026-labels.json"}

no_query = RequestParser()
upload = ns.model(
    "DocumentFields",
    {
        "FILE_NAME": fields.String(
            max_length=MAX_PREFIX,
            pattern=r"[^/\\]*",
            description="Stands before each file's own name.",
            example="2026-",
        )
    },
)
outcome = ns.model(
    "DocumentOutcome",
    {
        "STATUS": fields.String(required=True, enum=["true"], example="true"),
        "ERROR_FILES_LIST": fields.String(
            required=True,
            description="Own names of the files that are not stored, separated by commas.",
            example="",
        ),
    },
)
document = ns.model(
    "Document",
    {
        "STATUS": fields.String(required=True, enum=["true"], example="true"),
        "LABELS_MAPPING": fields.Raw(
            required=True, description="The document.", example={"0": "cat"}
        ),
    },
)


@ns.route("")
class Documents(Resource):
    access = "author"
    receives_files = True

    @ns.doc(**uploads.form(ns, upload, FILES) | {"id": "uploadDocuments"})
    @ns.response(200, "What could not be stored", outcome)
    @ns.response(400, "The form is wrong")
    @ns.response(401, "Nobody is signed in")
    @ns.response(403, "The role is too low")
    @ns.response(413, "It is larger than all of your files may be")
    @ns.response(415, "It is no form with files")
    def post(self) -> dict[str, str]:
        """Upload documents

        A form with any number of `FILES_LIST`. Each is stored as a public file of yours, called
        `FILE_NAME` and its own name without blanks. Those that fail leave the others alone.
        """
        no_query.parse_args()
        with uploads.received(self.config, upload, files=FILES) as form:
            own = [each.name for each in form.files]
            prefix = form.fields.pop("FILE_NAME", "")
            for each in form.files:
                each.name = stored_name(prefix, each.name)
            form.fields["visibility"] = VISIBILITY
            keep(self.config, self.session, self.caller, form, DocumentService)
            failed = [name for name, each in zip(own, form.files, strict=True) if each.problem]
        return {"STATUS": "true", "ERROR_FILES_LIST": ",".join(failed)}


@ns.route("/<filename>")
class Document(Resource):
    access = "anyone"

    @ns.doc(id="readDocument", params={"filename": NAME})
    @ns.response(200, "The document", document)
    @ns.response(404, "There is no document of this name")
    def get(self, filename: str) -> dict[str, Any]:
        """Read a document

        The newest of its name, whoever uploaded it.
        """
        no_query.parse_args()
        # Of anybody's, what nobody in particular may see: everyone reads the same.
        row = self.read(
            lambda session: DocumentService(session, None, self.config).newest(filename)
        )
        try:
            content = uploads.opened(self.config, row.sha256, row.size).read(row.size)
        except uploads.Missing as exc:
            raise services.NotFound() from exc  # it was purged just now
        # It was checked when it came in.
        mapping = orjson.Fragment(content.removeprefix(b"\xef\xbb\xbf"))
        return {"STATUS": "true", "LABELS_MAPPING": mapping}
