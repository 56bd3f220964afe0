"""/users, /users/login, /user: sign up, sign in, one's own account."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from signpost import expose, issue, plan, request, services
from signpost_realworld import bodies, shapes
from signpost_realworld.endpoint import ConduitEndpoint
from signpost_realworld.namespace import ns
from signpost_realworld.rules.people import AccountService, TrustingAccountService
from signpost_realworld.shapes import answers

#: A token is in them.
_HEADERS = {"Cache-Control": "no-store"}
#: What a verb answers: data, a status, headers.
Answer: TypeAlias = tuple[dict[str, Any], int, dict[str, str]]


class AccountEndpoint(ConduitEndpoint):
    """What answers the caller's account with a token."""

    @property
    def accounts(self) -> type[AccountService]:
        """The rules for accounts that the settings ask for."""
        return AccountService if ns.settings.CONFIRM_PASSWORD else TrustingAccountService

    def account(self) -> AccountService:
        """Return these rules on the request's session."""
        return self.accounts(self.session, self.actor, self.config)

    def shown(self, id: int, token: str, status: int = 200) -> Answer:
        """Answer a user with a token."""
        row = self.look(AccountService, lambda accounts: accounts.row(id))
        user = {**row._asdict(), "token": token}
        return plan(shapes.UserAnswer)({"user": user}), status, _HEADERS

    def credentials(self, name: str, password: str) -> services.Credentials:
        """Return what somebody signs in with."""
        return services.Credentials(
            name=name,
            password=password,
            device=request.user_agent.string,
            address=request.remote_addr,
            limit=self.config.SIGN_IN_LIMIT if self.config.RATE_LIMITS else 0,
        )


@expose(
    ns,
    "/users",
    post=answers(
        "createConduitUser", 201, shapes.UserAnswer, 403, 409, 422, body=shapes.SignUpRequest
    ),
)
class UserCollection(AccountEndpoint):
    """Sign up."""

    access = "anyone"
    takes_token: ClassVar[bool] = False

    def post(self) -> Answer:
        """Sign up (RealWorld)

        The answer has a token.
        """
        self.account().require("create", None)
        data = bodies.read(shapes.sign_up, "user")
        self.account().confirm(None, data)
        credentials = self.credentials(data["email"], data["password"])
        prepared = AccountService.prepare(data)
        grant = self.change(AccountService, lambda people: people.sign_up(prepared, credentials))
        return self.shown(grant.user_id, issue(grant), 201)


@expose(
    ns,
    "/users/login",
    post=answers("createConduitToken", 200, shapes.UserAnswer, 401, 422, body=shapes.SignInRequest),
)
class Login(AccountEndpoint):
    """Sign in."""

    access = "anyone"
    takes_token: ClassVar[bool] = False

    def post(self) -> Answer:
        """Sign in (RealWorld)"""
        data = bodies.read(shapes.sign_in, "user")
        grant = services.sign_in(self, self.credentials(data["email"], data["password"]))
        return self.shown(grant.user_id, issue(grant))


@expose(
    ns,
    "/user",
    get=answers("getConduitUser", 200, shapes.UserAnswer, 401),
    put=answers("patchConduitUser", 200, shapes.UserAnswer, 401, 409, 422, body=shapes.UserRequest),
)
class CurrentUser(AccountEndpoint):
    """The caller's account."""

    access = "signed-in"

    def get(self) -> Answer:
        """Get one's own account (RealWorld)"""
        return self.shown(self.caller.id, self.token)

    def put(self) -> Answer:
        """Change one's own account (RealWorld)

        What is absent stays as it is. The token stays good.
        """
        data = bodies.read(shapes.user_patch, "user")
        changes = self.account().confirmed(data)
        id = self.change(self.accounts, lambda accounts: accounts.change(changes))
        return self.shown(id, self.token)

    @property
    def token(self) -> str:
        """The token that the caller sent."""
        return request.headers["Authorization"].partition(" ")[2].strip()
