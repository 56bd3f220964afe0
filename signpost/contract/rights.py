"""Who may call a route is declared, and kept: nobody below the role that it needs gets through."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from flask.testing import FlaskClient

from api.access import ANYONE, is_declared, needed
from services.actor import ROLES
from signpost.contract.selection import Kit
from signpost.contract.subject import Route, Subject


class Rights(Kit):
    """Access to each route. What services decide comes after that: they may refuse more."""

    def test_every_route_says_who_may_call_it(self, subject: Subject) -> None:
        unsaid = [
            (each.method, each.rule)
            for each, view in _views(subject)
            if not is_declared(view, each.method)
        ]
        assert unsaid == []

    def test_who_may_not_is_refused_and_who_may_is_not(
        self, subject: Subject, sign_in: Callable[..., FlaskClient]
    ) -> None:
        caller_of = cache(sign_in)
        anonymous = subject.app.test_client()
        for each, view in _views(subject):
            needs = needed(view, each.method)
            assert (_status(anonymous, each) == 401) == (needs != ANYONE), each
            lowest = ROLES.index(needs) if needs in ROLES else 0
            for role in ROLES[:lowest]:
                assert _status(caller_of(role), each) == 403, (each, role)
            if needs in ROLES:
                assert _status(caller_of(needs), each) not in {401, 403}, (each, needs)
            assert _status(caller_of("admin"), each) not in {401, 403}, each


def _views(subject: Subject) -> list[tuple[Route, Any]]:
    return [
        (each, subject.view(each.method, each.rule))
        for each in subject.routes
        if each.method not in {"HEAD", "OPTIONS"}
    ]


def _status(caller: FlaskClient, route: Route) -> int:
    return caller.open(route.url, method=route.method).status_code
