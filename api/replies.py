"""What a verb of an extension returns becomes a response: data, with a status and headers."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request
from flask.json.provider import JSONProvider
from werkzeug.wrappers import Response as WerkzeugResponse

from api import output
from api.decoding import decode
from api.preconditions import conditional, list_tag


class Json(JSONProvider):
    """Flask's ``jsonify`` and ``request.get_json``, by what all answers and bodies go through."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        """Return an object as JSON."""
        return _dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Return the value of a JSON text, read strictly."""
        return decode(s.encode() if isinstance(s, str) else s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response of one value, of several as a list, or of names as an object."""
        return Response(
            _dumps(self._prepare_response_obj(args, kwargs)), content_type="application/json"
        )


def reply(returned: Any) -> WerkzeugResponse:
    """Return the response of what a verb returned.

    Args:
        returned: a response, or data, also with a status, also with headers, as a tuple.

    Raises:
        TypeError: it is none of these, or has no JSON form.
    """
    if isinstance(returned, WerkzeugResponse):
        return returned
    data, status, headers = _parts(returned)
    if status == 204:
        response = Response(status=204, headers=headers)
        response.headers.pop("Content-Type", None)
        return response
    if data is None:
        raise TypeError("a verb returned nothing; return data, or (None, 204)")
    body = _dumps(data)
    response = Response(body, status, headers, content_type="application/json")
    if status != 200 or request.method not in {"GET", "HEAD"}:
        return response
    if "ETag" not in response.headers:
        response.headers["ETag"] = list_tag(body)
    return conditional(response)


def _dumps(data: Any) -> bytes:
    """Return data as JSON, whatever the keys of its dicts are: numbers, times ..."""
    return output.dumps(data, option=orjson.OPT_NON_STR_KEYS)


def _parts(returned: Any) -> tuple[Any, int, Any]:
    if not isinstance(returned, tuple):
        return returned, 200, None
    if not 2 <= len(returned) <= 3:
        raise TypeError("a verb returns data, (data, status) or (data, status, headers)")
    data, status, headers = (*returned, None)[:3]
    if not _is_status(status):
        raise TypeError(f"a verb returned the status {status!r}; it is a number from 200 to 599")
    return data, int(status), headers


def _is_status(status: Any) -> bool:
    return isinstance(status, int) and 200 <= status < 600
