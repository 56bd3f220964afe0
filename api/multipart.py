"""Forms with files: read as they come, part by part, into a spool; memory does not grow with them.

Source: RFC 7578, and RFC 2046, section 5.1, as Werkzeug's decoder reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import request
from flask_restx import Model
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from api.input import check_body, check_type
from api.problems import MalformedBody, TooLarge
from config import Config
from services.errors import Invalid, ServiceError
from services.files import clean_name
from services.storage import storage_of
from services.uploads import Form, Incoming, Spool
from services.validation import Faults, shown

MEDIA_TYPE = "multipart/form-data"
#: Parts of a request, and bytes of all fields that are no files.
MAX_PARTS, MAX_FIELDS = 1_000, 64 * 1024
#: Bytes of a request beside its files, that it may have in any case.
_MARGIN = 1024 * 1024
_CHUNK = 2**16
#: Bytes that the decoder keeps at most; the headers of a part must fit into them.
_BUFFER = 2 * _CHUNK
_MAX_BOUNDARY = 200


@contextmanager
def received(
    config: Config, shape: Model, largest: int | None = None, files: str = "files"
) -> Iterator[Form]:
    """Read this request's form: ``files``, and fields of ``shape``; its spool is closed afterwards.

    A file that is too large has its problem; all else that is wrong refuses the request.

    Args:
        largest: bytes of a file; ``MAX_FILE_BYTES``, unless said.
        files: name of the parts that are files.

    Raises:
        UnsupportedMediaType: it is no form with files, or is compressed.
        TooLarge: it has too many parts, a field that is too large, or more than all files of a
            user may have.
        MalformedBody: it is cut short or not a form.
        Invalid: a part has a name that is none of ours, or a field is wrong.
    """
    most = config.QUOTA_BYTES + _MARGIN
    if (request.content_length or 0) > most:
        raise TooLarge(f"A request may have up to {most:,} bytes here.")
    check_type((MEDIA_TYPE,))
    spool = Spool(storage_of(config).draft)
    try:
        form = Form(spool)
        reader = _Reader(form, largest or config.MAX_FILE_BYTES, _decoder(), shape, files)
        reader.read(most)
        yield form
    finally:
        spool.close()


def _decoder() -> MultipartDecoder:
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or len(boundary) > _MAX_BOUNDARY or not boundary.isascii():
        raise MalformedBody("The Content-Type has no boundary of the form's parts.")
    return MultipartDecoder(boundary.encode(), _BUFFER, max_parts=MAX_PARTS)


class _Reader:
    """Reads one form from the request."""

    def __init__(
        self, form: Form, most: int, decoder: MultipartDecoder, shape: Model, files: str
    ) -> None:
        self._form, self._most, self._decoder = form, most, decoder
        self._shape, self._files = shape, files
        self._faults = Faults()
        self._file: Incoming | None = None
        self._field = ""
        self._texts: dict[str, bytearray] = {}
        self._left = MAX_FIELDS
        self._has_parts = self._ignored = False

    def read(self, most: int) -> None:
        """Read the whole body, up to ``most`` bytes, and tell all that is wrong at once."""
        for piece in _pieces(most):
            self._take(piece)
        self._take(None)
        # What a browser sends for a field in which nothing was chosen.
        self._form.files = [each for each in self._form.files if each.name or each.part.size]
        for each in self._form.files:
            each.name = clean_name(each.name)
        if not self._form.files and not self._faults.count:
            self._faults.add(self._files, "required", "Send at least one file.")
        texts = {name: text for name in self._texts if (text := self._text(name)) is not None}
        try:
            self._form.fields = check_body(self._shape, texts)
        except Invalid as exc:
            for fault in exc.faults:
                self._faults.add(fault.field, fault.code, fault.message)
        self._faults.refuse()

    def _take(self, piece: bytes | None) -> None:
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
                self._handle(event)
        except RequestEntityTooLarge as exc:
            raise self._too_large() from exc
        except UnicodeDecodeError as exc:
            raise MalformedBody("What a part says of itself is not UTF-8.") from exc
        except ValueError as exc:
            raise MalformedBody(
                "The form ends before its last boundary, or is not multipart/form-data."
            ) from exc

    def _too_large(self) -> ServiceError:
        if not self._has_parts:
            return MalformedBody("The body does not begin with the boundary of its Content-Type.")
        return TooLarge(f"A form may have up to {MAX_PARTS:,} parts, each with a short header.")

    def _handle(self, event: Event) -> None:
        if isinstance(event, File):
            self._begin_file(event)
        elif isinstance(event, Field):
            self._begin_field(event.name)
        elif isinstance(event, Data):
            self._add(event)

    def _begin_file(self, event: File) -> None:
        self._has_parts, self._file = True, None
        self._ignored = event.name != self._files
        if self._ignored:
            self._unknown(event.name)
            return
        self._file = Incoming(event.filename, self._form.spool.part())
        self._form.files.append(self._file)

    def _begin_field(self, name: str | None) -> None:
        self._has_parts, self._ignored, self._file, self._field = True, False, None, name or ""
        if name == self._files:
            self._faults.add(name, "type", "Must be a file, with a filename.")
        elif name is None or name not in self._shape:
            self._unknown(name)
        elif name in self._texts:
            self._faults.add(name, "repeated", "Give this once only.")
        else:
            self._texts[name] = bytearray()

    def _unknown(self, name: str | None) -> None:
        self._field = ""
        self._faults.add(shown(name or ""), "unknown", "There is no such field.")

    def _add(self, event: Data) -> None:
        if self._file is not None:
            self._add_to_file(self._file, event)
        elif not self._ignored:
            self._add_to_field(event)

    def _add_to_field(self, event: Data) -> None:
        self._left -= len(event.data)
        if self._left < 0:
            raise TooLarge(f"Fields that are no files may have {MAX_FIELDS:,} bytes together.")
        if self._field in self._texts:
            self._texts[self._field] += event.data

    def _add_to_file(self, file: Incoming, event: Data) -> None:
        if file.problem is None and file.part.size + len(event.data) > self._most:
            file.problem = TooLarge(f"A file may have up to {self._most:,} bytes.")
            self._form.spool.forget(file.part)
        if file.problem is None:
            file.part.write(event.data)
            if not event.more_data:
                self._form.spool.end(file.part)

    def _text(self, name: str) -> str | None:
        with suppress(UnicodeDecodeError):
            return self._texts[name].decode()
        self._faults.add(name, "format", "Must be UTF-8.")
        return None


def _pieces(most: int) -> Iterator[bytes]:
    """Give the body as it comes.

    Raises:
        TooLarge: it has more than ``most`` bytes.
        MalformedBody: it is shorter than announced.
    """
    stream, announced, got = request.stream, request.content_length, 0
    try:
        while piece := stream.read(_CHUNK):
            got += len(piece)
            if got > most:
                raise TooLarge(f"A request may have up to {most:,} bytes here.")
            yield piece
    except ClientDisconnected as exc:
        raise MalformedBody("The body ended early.") from exc
    if announced is not None and got < announced:
        raise MalformedBody("The body is shorter than its Content-Length.")
