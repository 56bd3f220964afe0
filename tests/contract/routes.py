"""The routes of the running application, for tests of what must hold on all of them."""

from __future__ import annotations

from signpost.contract.subject import API, READS, Route, routes

__all__ = ["API", "READS", "Route", "routes"]
