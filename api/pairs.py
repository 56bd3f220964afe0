"""Names and values of query strings and forms, decoded strictly."""

from __future__ import annotations

from urllib.parse import parse_qsl

#: Pairs in one query string or form.
MAX_PAIRS = 200


def parse_pairs(raw: bytes) -> list[tuple[str, str]]:
    """Return the pairs in order, empty values included.

    Raises:
        ValueError: there are more than 200, or what is encoded is not UTF-8.
    """
    text = raw.decode()
    return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PAIRS)
