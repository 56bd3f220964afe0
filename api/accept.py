"""Which representation a client wants, of a resource that has several: the ``Accept`` header.

Source: RFC 9110, section 12.5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import request

from services.errors import ServiceError

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
#: What a list can be answered as; the first unless ``Accept`` says otherwise.
LISTS = (JSON, NDJSON, CSV)


class NotAcceptable(ServiceError):
    code, message = "not-acceptable", "None of the media types in Accept is available here."


def best(types: Sequence[str]) -> str:
    """Return the one of ``types`` that this request likes best; without ``Accept`` the first.

    Of equally liked ones that which is named more exactly, then the earlier one. Parameters of
    media types are ignored: a ``charset`` makes no other representation of ours.

    Raises:
        NotAcceptable: it wants none of them.
    """
    if not request.headers.get("Accept", "").strip():
        return types[0]
    ranges = [(each.partition(";")[0].strip().lower(), q) for each, q in request.accept_mimetypes]
    liked = [(*_liking(each, ranges), -rank, each) for rank, each in enumerate(types)]
    quality, _, _, found = max(liked)
    if quality <= 0:
        raise NotAcceptable(extra={"available": list(types)})
    return found


def _liking(kind: str, ranges: Iterable[tuple[str, float]]) -> tuple[float, int]:
    """Return how much a media type is liked, by the most exact range that it is in: (q, how exact).

    Of the same range given twice, the better one.
    """
    main = kind.partition("/")[0]
    exactness = {"*/*": 1, f"{main}/*": 2, kind: 3}
    found = max(((exactness.get(each, 0), quality) for each, quality in ranges), default=(0, 0.0))
    return (found[1], found[0]) if found[0] else (0.0, 0)
