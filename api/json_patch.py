"""JSON Patch bodies: operations on what an item shows and its caller may write.

Source: RFC 6902, RFC 6901. The operations are applied by the library ``jsonpatch``; what comes out
is checked as a merge patch of the members that differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from flask_restx import Model
from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointer, JsonPointerException

from api import fields
from api.decoding import decode
from api.input import check_body, read_raw
from api.output import dumps
from services.errors import Conflict, Fault, Invalid

MEDIA_TYPE = "application/json-patch+json"
MAX_OPERATIONS = 500
#: Work that all operations of a patch may make: bytes that they copy, and more for each value
#: among them, which costs far more than a byte. ``copy`` could double a document time and again.
_MAX_WORK = 2**22
_WORK_OF_VALUE = 20
#: Source: RFC 6901, section 4.
_POSITION = re.compile(r"0|[1-9][0-9]*|-")
_MEMBERS = {
    "add": {"path", "value"},
    "remove": {"path"},
    "replace": {"path", "value"},
    "move": {"path", "from"},
    "copy": {"path", "from"},
    "test": {"path", "value"},
}


def read_operations(shape: Model) -> list[Any]:
    """Return this request's operations, each well-formed and on members that may be written.

    Raises:
        MalformedBody, UnsupportedMediaType, TooLarge: as for any body.
        Invalid: it is no patch; every fault is listed.
    """
    operations: Any = decode(read_raw(media_types=(MEDIA_TYPE,)))
    if not isinstance(operations, list):
        _refuse([Fault("", "type", "Must be a list of operations.")])
    if len(operations) > MAX_OPERATIONS:
        _refuse([Fault("", "too_many", f"At most {MAX_OPERATIONS} operations.")])
    faults = [_fault(each, str(at), shape) for at, each in enumerate(operations)]
    _refuse([fault for fault in faults if fault])
    return list(operations)


def changes(operations: list[Any], shown: Mapping[str, Any], shape: Model) -> dict[str, Any]:
    """Return, checked, what ``operations`` change of an item.

    Args:
        shown: the item as its writer sees it, as JSON values.
        shape: the merge patch of the resource.

    Raises:
        Conflict: a test failed, or a target is not there.
        Invalid: what comes out is not acceptable.
    """
    before = {name: shown[name] for name in _writable(shape) if name in shown}
    after: Any = deepcopy(before)
    room = _MAX_WORK
    for operation in operations:
        try:
            room -= _work(operation, after)
            if room < 0:
                _refuse([Fault("", "too_large", "The operations copy too much.")])
            after = JsonPatch([operation]).apply(after, in_place=True)
        except JsonPatchTestFailed as exc:
            raise Conflict("A test of the patch failed.") from exc
        except (JsonPatchException, JsonPointerException, KeyError, IndexError, TypeError) as exc:
            raise Conflict("A target of the patch is not there.") from exc
    names = before.keys() | after.keys()
    differing = {name: after.get(name) for name in names if after.get(name) != before.get(name)}
    return check_body(shape, differing)


def _work(operation: Mapping[str, Any], document: Any) -> int:
    """Return what it takes to copy what an operation brings into ``document``.

    Raises:
        Invalid: it is nothing that can be told as JSON again.
    """
    value = operation.get("value")
    if operation["op"] == "copy":
        value = JsonPointer(operation["from"]).resolve(document)
    try:
        text = dumps(value)
    except TypeError as exc:
        fault = Fault("", "too_large", "Too deep, or an integer of more than 64 bits.")
        raise Invalid("The patch is not valid.", faults=[fault]) from exc
    return len(text) + _WORK_OF_VALUE * (len(text) - len(text.translate(None, b",[{")))


def _writable(shape: Model) -> list[str]:
    return [name for name, field in shape.items() if not field.readonly]


def _fault(operation: Any, at: str, shape: Model) -> Fault | None:
    if not isinstance(operation, dict) or operation.get("op") not in list(_MEMBERS):
        names = ", ".join(_MEMBERS)
        return Fault(f"{at}.op", "choice", f"Must be an object whose op is one of: {names}.")
    for name in sorted(_MEMBERS[operation["op"]]):
        if name not in operation:
            return Fault(f"{at}.{name}", "required", "Missing required field.")
        if name != "value" and (fault := _pointer_fault(operation[name], f"{at}.{name}", shape)):
            return fault
    return None


def _pointer_fault(pointer: Any, at: str, shape: Model) -> Fault | None:
    try:
        first, *rest = JsonPointer(pointer).parts
    except (JsonPointerException, TypeError, ValueError, AttributeError):
        return Fault(at, "format", "Must be a JSON pointer to a member, such as /title.")
    if first in _writable(shape):
        is_position = not rest or _POSITION.fullmatch(rest[0])
        if is_position or not isinstance(shape[first], fields.List):
            return None
        return Fault(
            at, "format", "In a list, a place is a number such as 0 or 12, or - for the end."
        )
    if first in shape or first in vars(shape).get("read_only", ()):
        return Fault(at, "read_only", "This field cannot be set.")
    return Fault(at, "unknown", "There is no such field.")


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Invalid("The patch is not valid.", faults=faults)
