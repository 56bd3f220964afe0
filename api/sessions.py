"""/auth/sessions, /auth/whoami: the caller's own sign-ins. Rules are in services/sessions.py."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_restx import Namespace
from sqlalchemy.orm import Session

from api import fields, query
from api.describe import answers, lists
from api.resource import Endpoint, Listing, SpecEndpoint, expose
from api.spec import Spec
from api.tokens import NO_STORE
from api.users import user
from services.sessions import SessionService
from services.users import UserService

ns = Namespace("Sessions", path="/v1", description="Who you are, and your own sign-ins.")

sign_in = ns.model(
    "Session",
    {
        "id": fields.Integer(required=True, example=1),
        "device": fields.String(
            required=True,
            nullable=True,
            description="The User-Agent that signed in.",
            example="Mozilla/5.0 (X11; Linux x86_64)",
        ),
        "ip": fields.String(required=True, nullable=True, example="203.0.113.7"),
        "created_at": fields.DateTime(required=True),
        "refreshed_at": fields.DateTime(required=True, description="When it was used last."),
        "current": fields.Boolean(required=True, description="The one that asks.", example=True),
    },
)
caller = ns.model(
    "Caller",
    {
        "user": fields.Nested(user, required=True),
        "session": fields.Nested(sign_in, required=True, nullable=True),
        "key": fields.Raw(required=True, nullable=True, description="The API key that asks."),
        "scopes": fields.List(fields.String(), required=True),
    },
)
sessions = Spec(name="session", service=SessionService, output=sign_in)


@expose(
    ns,
    "/auth/sessions",
    get=lists(ns, sessions, "listSessions"),
    delete={"id": "deleteOtherSessions", **answers(204, None, 401)},
)
class SessionCollection(Listing):
    spec = sessions
    anonymous = frozenset()

    def get(self, **fixed: Any) -> Response:
        """List your sign-ins

        Every device on which you are signed in; `current` is the one that asks.
        """
        return _secret(super().get(**fixed))

    def delete(self) -> Response:
        """Sign out everywhere else

        Ends all of your sessions but the one that asks; their tokens are refused within a second.
        """
        query.refuse_any()
        self.write(lambda session: self.service(session).end_others())
        return _secret(self.nothing())


@expose(
    ns, "/auth/sessions/<id:id>", delete={"id": "deleteSession", **answers(204, None, 401, 404)}
)
class SessionItem(SpecEndpoint):
    spec = sessions
    anonymous = frozenset()

    def delete(self, id: int) -> Response:
        """Sign out one of your sign-ins

        Its tokens are refused within a second. It may be the one that asks.
        """
        query.refuse_any()
        self.write(lambda session: self.service(session).end(id))
        return _secret(self.nothing())


@expose(ns, "/auth/whoami", get={"id": "getCaller", **answers(200, caller, 401)})
class WhoAmI(Endpoint):
    anonymous = frozenset()

    def get(self) -> Response:
        """Tell who you are

        And by which sign-in or key, and what it is good for.
        """
        query.refuse_any()
        return self.answer(self.read(self._told), caller, cache=NO_STORE)

    def _told(self, session: Session) -> dict[str, Any]:
        actor = self.caller
        return {
            "user": UserService(session, actor, self.config).row(actor.id),
            "session": SessionService(session, actor, self.config).current(),
            "key": None,
            "scopes": sorted(actor.scopes),
        }


def _secret(response: Response) -> Response:
    response.headers["Cache-Control"] = NO_STORE
    return response
