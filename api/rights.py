"""``/can``: what the caller may do with an item, and why not."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_restx import Namespace
from sqlalchemy.orm import Session

from api import fields, query
from api.describe import answers
from api.output import dumps
from api.resource import SpecEndpoint
from services.base import Verdict

ACTIONS = ("read", "update", "delete")


class Rights(SpecEndpoint):
    """``GET`` the caller's rights; a subclass names the spec."""

    def get(self, id: int) -> Response:
        """Tell what you may do with {a}

        For user interfaces: which buttons to show, and why not. Asked without signing in, it tells
        what everybody may do.
        """
        query.refuse_any()

        def work(session: Session) -> dict[str, Any]:
            service = self.service(session)
            row = service.row(id)
            return {action: _shown(service.allows(action, row)) for action in ACTIONS}

        return Response(dumps(self.read(work)), content_type="application/json")


def rights_of(ns: Namespace, id: str) -> dict[str, Any]:
    """Return the documentation of ``GET .../can``."""
    verdict = ns.model(
        "Verdict",
        {
            "allowed": fields.Boolean(required=True, example=True),
            "reason": fields.String(description="Why not: `signed-out`, `role`, `not-author` ..."),
        },
    )
    rights = {action: fields.Nested(verdict, required=True) for action in ACTIONS}
    return {"id": id, **answers(200, ns.model("Rights", rights), 401, 404)}


def _shown(verdict: Verdict) -> dict[str, Any]:
    return {"allowed": True} if verdict.allowed else {"allowed": False, "reason": verdict.reason}
