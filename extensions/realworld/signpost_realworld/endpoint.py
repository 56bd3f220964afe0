"""What all endpoints have: a service that acts for the caller, for one read or one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from signpost import Resource, services

S = TypeVar("S", bound=services.Service[Any])
T = TypeVar("T")


class ConduitEndpoint(Resource):
    """An endpoint of RealWorld's."""

    def look(self, service: type[S], work: Callable[[S], T]) -> T:
        """Run ``work`` on a service that only reads."""
        return self.read(lambda session: work(service(session, self.actor, self.config)))

    def change(self, service: type[S], work: Callable[[S], T]) -> T:
        """Run ``work`` on a service in one transaction."""
        return self.write(lambda session: work(service(session, self.actor, self.config)))

    @contextmanager
    def rights_first(self, service: type[S], check: Callable[[S], None]) -> Iterator[None]:
        """Let a refusal of the request wait until it is clear that the caller may do it."""
        try:
            yield
        except services.ServiceError:
            self.look(service, check)
            raise
