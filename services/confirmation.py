"""The current password, asked again before a sensitive change of one's own account."""

from __future__ import annotations

from sqlalchemy.orm import Session

from config import Config
from models import User
from services import guesses, passwords
from services.errors import Forbidden
from services.transaction import transact


class ReauthenticationRequired(Forbidden):
    code, message = "reauthentication-required", "Send your current password in current_password."


def confirm(session: Session, user: User, text: str | None, config: Config | None) -> None:
    """Check a user's own password; no transaction may be open. Wrong ones are counted.

    Raises:
        ReauthenticationRequired: it is missing or wrong.
        RateLimited: too many wrong ones within a minute, from wherever.
    """
    if text is None:
        raise ReauthenticationRequired()
    key = guesses.bucket(f"confirm {user.id}", None)
    limit = config.SIGN_IN_LIMIT if config and config.RATE_LIMITS else 0
    if limit:
        guesses.allow(transact(session, lambda: guesses.reserve(session, key, limit)))
    if not passwords.verify(user.password_hash, text):
        raise ReauthenticationRequired()
    if limit:
        transact(session, lambda: guesses.forget(session, key))
