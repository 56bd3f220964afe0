"""How long access tokens, refresh tokens and sign-ins live: set once, when the process starts."""

from __future__ import annotations

from datetime import timedelta


class Lifetimes:
    """The three lifetimes; ``configure`` is called before the first request."""

    access = timedelta(minutes=15)
    #: Of a refresh token that nobody uses.
    refresh = timedelta(days=30)
    #: Of a sign-in in all.
    session = timedelta(days=90)

    def configure(self, *, access: int, refresh: int, session: int) -> None:
        """Set all three, in seconds."""
        self.access = timedelta(seconds=access)
        self.refresh = timedelta(seconds=refresh)
        self.session = timedelta(seconds=session)


lifetimes = Lifetimes()
