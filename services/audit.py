"""The audit trail of what is no change of a resource: sign-ins, refusals, ended sessions.

Changes of resources are in the log (services/log.py); the table is models/audit_event.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from models import AuditEvent
from services.actor import Actor

SIGN_IN = "sign-in"
SIGN_IN_REFUSED = "sign-in-refused"
REFRESH_REUSE = "refresh-reuse"
SIGN_OUT = "sign-out"
PASSWORD_CHANGE = "password-change"  # noqa: S105 - a kind of event
ROLE_CHANGE = "role-change"


def record(
    session: Session,
    kind: str,
    *,
    actor: Actor | None = None,
    subject_id: int | None = None,
    address: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write one event in the caller's transaction.

    Args:
        kind: one of the constants above.
        actor: who did it; None while nobody is signed in, and on the command line.
        subject_id: the user whom it is about; None if there is no such user.
        address: where the request came from.
        details: what else helps whoever reads it; never a secret or a name as typed.
    """
    session.add(
        AuditEvent(
            at=session.info["now"],
            kind=kind,
            actor_id=actor.user_id if actor else None,
            subject_id=subject_id,
            address=address,
            details=dict(details) if details else None,
        )
    )
