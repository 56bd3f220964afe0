"""Bodies as RealWorld has them: one object in an envelope; what else is in either is ignored."""

from __future__ import annotations

from typing import Any

from signpost import check_body, read_json, services

_BLANK = "Must not be blank."


def read(shape: Any, envelope: str) -> dict[str, Any]:
    """Return what the envelope holds, cleaned.

    Empty text is null, where that is allowed, and else as bad as a missing value.

    Raises:
        Invalid: with every fault.
        ServiceError: the body is no JSON, or too large.
    """
    sent = _within(read_json(), envelope)
    given = {name: sent[name] for name in shape if name in sent}
    blank = {name for name, value in given.items() if value in (None, "")}
    nullable = {name for name in blank if shape[name].nullable}
    given = {name: value for name, value in given.items() if name not in blank}
    faults = [services.Fault(name, "required", _BLANK) for name in sorted(blank - nullable)]
    try:
        cleaned = check_body(shape, given)
    except services.Invalid as exc:
        faults.extend(exc.faults)
    if faults:
        raise services.Invalid(faults=faults)
    return cleaned | dict.fromkeys(nullable)


def _within(sent: Any, envelope: str) -> dict[str, Any]:
    inner = sent.get(envelope) if isinstance(sent, dict) else None
    return inner if isinstance(inner, dict) else {}
