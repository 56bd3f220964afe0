"""The table of rights: what each caller hears on each route. A route that isn't in it fails a test.

Columns after the target: see ``CALLERS`` in tests/security/world.py. HEAD is as GET; OPTIONS is for
anybody and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from models import File
from tests.factories import PASSWORD
from tests.security.world import API, CALLERS, FORM, FORM_TYPE, World

_TABLE = """
GET    /                                -          200 200 200 200 200 200 200 200
GET    /.well-known/jwks.json           -          200 200 200 200 200 200 200 200
GET    /docs                            -          200 200 200 200 200 200 200 200
GET    /healthz                         -          200 200 200 200 200 200 200 200
GET    /metrics                         -          403 403 403 403 403 403 403 403
GET    /problems                        -          200 200 200 200 200 200 200 200
GET    /problems/<code>                 -          200 200 200 200 200 200 200 200
GET    /manual/<name>                   -          200 200 200 200 200 200 200 200
GET    /readyz                          -          200 200 200 200 200 200 200 200
GET    /static/<digest>/<path:name>     -          404 404 404 404 404 404 404 404
GET    {API}/openapi.json               -          200 200 200 200 200 200 200 200
GET    {API}/swagger.json               -          200 200 200 200 200 200 200 200

POST   {API}/auth/token                 -          200 200 200 200 200 200 200 200
POST   {API}/auth/revoke                -          200 200 200 200 200 200 200 200
GET    {API}/auth/whoami                -          401 200 200 200 200 200 401 401
GET    {API}/extensions                 -          200 200 200 200 200 200 401 401
GET    {API}/auth/sessions              -          401 200 200 200 200 200 401 401
DELETE {API}/auth/sessions              -          401 204 204 204 204 204 401 401
DELETE {API}/auth/sessions/<id:id>      owner      401 404 204 404 404 404 401 401

GET    {API}/posts                      -          200 200 200 200 200 200 401 401
POST   {API}/posts                      -          401 403 201 201 201 201 401 401
GET    {API}/posts/<id:id>              published  200 200 200 200 200 200 401 401
GET    {API}/posts/<id:id>              draft      404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>              archived   404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>              scheduled  404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>              suspended  404 404 404 404 200 200 401 401
GET    {API}/posts/<id:id>              trashed    404 404 404 404 404 404 401 401
PUT    {API}/posts/<id:id>              published  401 403 200 403 200 200 401 401
PUT    {API}/posts/<id:id>              draft      401 404 200 404 200 200 401 401
PUT    {API}/posts/<id:id>              suspended  401 404 404 404 200 200 401 401
PUT    {API}/posts/<id:id>              trashed    401 404 404 404 404 404 401 401
PATCH  {API}/posts/<id:id>              published  401 403 200 403 200 200 401 401
PATCH  {API}/posts/<id:id>              draft      401 404 200 404 200 200 401 401
PATCH  {API}/posts/<id:id>              suspended  401 404 404 404 200 200 401 401
PATCH  {API}/posts/<id:id>              trashed    401 404 404 404 404 404 401 401
DELETE {API}/posts/<id:id>              published  401 403 204 403 204 204 401 401
DELETE {API}/posts/<id:id>              draft      401 404 204 404 204 204 401 401
DELETE {API}/posts/<id:id>              suspended  401 404 404 404 204 204 401 401
DELETE {API}/posts/<id:id>              trashed    401 404 404 404 404 404 401 401
GET    {API}/posts/<id:id>/can          published  200 200 200 200 200 200 401 401
GET    {API}/posts/<id:id>/can          draft      404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>/can          suspended  404 404 404 404 200 200 401 401
GET    {API}/posts/<id:id>/can          trashed    404 404 404 404 404 404 401 401
GET    {API}/posts/by-slug/<slug>       published  200 200 200 200 200 200 401 401
GET    {API}/posts/by-slug/<slug>       draft      404 404 200 404 200 200 401 401
GET    {API}/posts/by-slug/<slug>       suspended  404 404 404 404 200 200 401 401
GET    {API}/posts/by-slug/<slug>       trashed    404 404 404 404 404 404 401 401
GET    {API}/posts/by-slug/<slug>       former     301 301 301 301 301 301 401 401
GET    {API}/posts/by-slug/<slug>       ex-draft   404 404 301 404 301 301 401 401

GET    {API}/posts/<id:id>/comments     published  200 200 200 200 200 200 401 401
GET    {API}/posts/<id:id>/comments     draft      404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>/comments     archived   404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>/comments     scheduled  404 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>/comments     suspended  404 404 404 404 200 200 401 401
GET    {API}/posts/<id:id>/comments     trashed    404 404 404 404 404 404 401 401
POST   {API}/posts/<id:id>/comments     published  401 201 201 201 201 201 401 401
POST   {API}/posts/<id:id>/comments     draft      401 404 201 404 201 201 401 401
POST   {API}/posts/<id:id>/comments     archived   401 404 201 404 201 201 401 401
POST   {API}/posts/<id:id>/comments     scheduled  401 404 201 404 201 201 401 401
POST   {API}/posts/<id:id>/comments     suspended  401 404 404 404 201 201 401 401
POST   {API}/posts/<id:id>/comments     trashed    401 404 404 404 404 404 401 401
GET    {API}/comments/<id:id>           published  200 200 200 200 200 200 401 401
GET    {API}/comments/<id:id>           on-draft   404 404 404 404 200 200 401 401
GET    {API}/comments/<id:id>           suspended  404 404 404 404 200 200 401 401
GET    {API}/comments/<id:id>           trashed    404 404 404 404 404 404 401 401
GET    {API}/comments/<id:id>           orphan     404 404 404 404 404 404 401 401
PUT    {API}/comments/<id:id>           published  401 403 200 403 200 200 401 401
PUT    {API}/comments/<id:id>           on-draft   401 404 404 404 200 200 401 401
PUT    {API}/comments/<id:id>           suspended  401 404 404 404 200 200 401 401
PUT    {API}/comments/<id:id>           trashed    401 404 404 404 404 404 401 401
PATCH  {API}/comments/<id:id>           published  401 403 200 403 200 200 401 401
PATCH  {API}/comments/<id:id>           by-reader  401 200 403 403 200 200 401 401
PATCH  {API}/comments/<id:id>           on-draft   401 404 404 404 200 200 401 401
PATCH  {API}/comments/<id:id>           suspended  401 404 404 404 200 200 401 401
PATCH  {API}/comments/<id:id>           trashed    401 404 404 404 404 404 401 401
DELETE {API}/comments/<id:id>           published  401 403 204 403 204 204 401 401
DELETE {API}/comments/<id:id>           by-reader  401 204 403 403 204 204 401 401
DELETE {API}/comments/<id:id>           on-draft   401 404 404 404 204 204 401 401
DELETE {API}/comments/<id:id>           suspended  401 404 404 404 204 204 401 401
DELETE {API}/comments/<id:id>           trashed    401 404 404 404 404 404 401 401
GET    {API}/comments/<id:id>/can       published  200 200 200 200 200 200 401 401
GET    {API}/comments/<id:id>/can       on-draft   404 404 404 404 200 200 401 401
GET    {API}/comments/<id:id>/can       trashed    404 404 404 404 404 404 401 401

GET    {API}/posts/<id:id>/likes        published  401 200 200 200 200 200 401 401
GET    {API}/posts/<id:id>/likes        draft      401 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>/likes        scheduled  401 404 200 404 200 200 401 401
GET    {API}/posts/<id:id>/likes        suspended  401 404 404 404 200 200 401 401
GET    {API}/posts/<id:id>/likes        trashed    401 404 404 404 404 404 401 401
PUT    {API}/posts/<id:id>/like         published  401 204 204 204 204 204 401 401
PUT    {API}/posts/<id:id>/like         draft      401 404 204 404 204 204 401 401
PUT    {API}/posts/<id:id>/like         suspended  401 404 404 404 204 204 401 401
PUT    {API}/posts/<id:id>/like         trashed    401 404 404 404 404 404 401 401
DELETE {API}/posts/<id:id>/like         published  401 204 204 204 204 204 401 401
DELETE {API}/posts/<id:id>/like         draft      401 404 204 404 204 204 401 401
DELETE {API}/posts/<id:id>/like         suspended  401 404 404 404 204 204 401 401
DELETE {API}/posts/<id:id>/like         trashed    401 404 404 404 404 404 401 401
GET    {API}/feed                       -          401 200 200 200 200 200 401 401

GET    {API}/tags                       -          200 200 200 200 200 200 401 401

GET    {API}/trash                      -          401 200 200 200 200 200 401 401
GET    {TRASHED}                        trashed    401 404 200 404 200 200 401 401
GET    {TRASHED}                        by-editor  401 404 404 404 200 200 401 401
GET    {TRASHED}                        orphan     401 404 404 404 409 409 401 401
GET    {TRASHED}                        comment    401 404 200 404 200 200 401 401
GET    {TRASHED}                        user       401 404 404 404 404 200 401 401
DELETE {TRASHED}                        trashed    401 404 204 404 403 204 401 401
DELETE {TRASHED}                        by-editor  401 404 404 404 403 204 401 401
DELETE {TRASHED}                        orphan     401 404 404 404 409 409 401 401
DELETE {TRASHED}                        comment    401 404 204 404 403 204 401 401
DELETE {TRASHED}                        user       401 404 404 404 404 204 401 401
POST   {TRASHED}/restoration            trashed    401 404 200 404 200 200 401 401
POST   {TRASHED}/restoration            by-editor  401 404 404 404 200 200 401 401
POST   {TRASHED}/restoration            orphan     401 404 404 404 409 409 401 401
POST   {TRASHED}/restoration            comment    401 404 200 404 200 200 401 401
POST   {TRASHED}/restoration            user       401 404 404 404 404 200 401 401

GET    {API}/files                      -          401 200 200 200 200 200 401 401
POST   {API}/files                      -          401 403 201 201 201 201 401 401
GET    {API}/files/<id:id>              public     200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>              private    404 404 200 404 404 200 401 401
GET    {API}/files/<id:id>              cover      200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>              avatar     200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>              draft's    404 404 200 404 200 200 401 401
GET    {API}/files/<id:id>              suspended  404 404 404 404 404 200 401 401
GET    {API}/files/<id:id>              trashed    404 404 404 404 404 404 401 401
PUT    {API}/files/<id:id>              public     401 403 200 403 403 200 401 401
PUT    {API}/files/<id:id>              private    401 404 200 404 404 200 401 401
PUT    {API}/files/<id:id>              suspended  401 404 404 404 404 200 401 401
PUT    {API}/files/<id:id>              trashed    401 404 404 404 404 404 401 401
PATCH  {API}/files/<id:id>              public     401 403 200 403 403 200 401 401
PATCH  {API}/files/<id:id>              private    401 404 200 404 404 200 401 401
PATCH  {API}/files/<id:id>              cover      401 403 200 403 403 200 401 401
PATCH  {API}/files/<id:id>              suspended  401 404 404 404 404 200 401 401
PATCH  {API}/files/<id:id>              trashed    401 404 404 404 404 404 401 401
DELETE {API}/files/<id:id>              public     401 403 204 403 403 204 401 401
DELETE {API}/files/<id:id>              private    401 404 204 404 404 204 401 401
DELETE {API}/files/<id:id>              suspended  401 404 404 404 404 204 401 401
DELETE {API}/files/<id:id>              trashed    401 404 404 404 404 404 401 401
GET    {API}/files/<id:id>/can          public     200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/can          private    404 404 200 404 404 200 401 401
GET    {API}/files/<id:id>/can          suspended  404 404 404 404 404 200 401 401
GET    {API}/files/<id:id>/can          trashed    404 404 404 404 404 404 401 401
GET    {API}/files/<id:id>/content public          200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/content private         404 404 200 404 404 200 401 401
GET    {API}/files/<id:id>/content cover           200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/content avatar          200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/content draft's         404 404 200 404 200 200 401 401
GET    {API}/files/<id:id>/content suspended       404 404 404 404 404 200 401 401
GET    {API}/files/<id:id>/content trashed         404 404 404 404 404 404 401 401
GET    {API}/files/<id:id>/thumbnail public        200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/thumbnail private       404 404 200 404 404 200 401 401
GET    {API}/files/<id:id>/thumbnail cover         200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/thumbnail avatar        200 200 200 200 200 200 401 401
GET    {API}/files/<id:id>/thumbnail draft's       404 404 200 404 200 200 401 401
GET    {API}/files/<id:id>/thumbnail suspended     404 404 404 404 404 200 401 401
GET    {API}/files/<id:id>/thumbnail trashed       404 404 404 404 404 404 401 401
GET    {API}/files/by-name/<name>       private    401 404 200 404 404 404 401 401
GET    {API}/files/by-name/<name>       trashed    401 404 404 404 404 404 401 401
GET    {API}/users/<user_id:id>/files/by-name/<name> public 200 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/files/by-name/<name> private 404 404 200 404 404 404 401 401
GET    {API}/users/<user_id:id>/files/by-name/<name> cover 404 404 200 404 404 404 401 401
GET    {API}/users/<user_id:id>/files/by-name/<name> suspended 404 404 404 404 404 200 401 401
GET    {API}/users/<user_id:id>/files/by-name/<name> trashed 404 404 404 404 404 404 401 401

GET    {API}/users                      -          200 200 200 200 200 200 401 401
POST   {API}/users                      -          201 201 201 201 201 201 401 401
POST   {API}/users                      as-admin   400 400 400 400 400 201 401 401
GET    {API}/users/<user_id:id>         owner      200 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>         me         401 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>         suspended  404 404 404 404 404 200 401 401
GET    {API}/users/<user_id:id>         deleted    404 404 404 404 404 404 401 401
PUT    {API}/users/<user_id:id>         owner      401 403 200 403 403 200 401 401
PUT    {API}/users/<user_id:id>         suspended  401 404 404 404 404 200 401 401
PATCH  {API}/users/<user_id:id>         owner      401 403 200 403 403 200 401 401
PATCH  {API}/users/<user_id:id>         me         401 200 200 200 200 200 401 401
PATCH  {API}/users/<user_id:id>         role       401 403 400 403 403 200 401 401
PATCH  {API}/users/<user_id:id>         status     401 403 400 403 403 200 401 401
PATCH  {API}/users/<user_id:id>         suspended  401 404 404 404 404 200 401 401
PATCH  {API}/users/<user_id:id>         deleted    401 404 404 404 404 404 401 401
DELETE {API}/users/<user_id:id>         owner      401 403 204 403 403 204 401 401
DELETE {API}/users/<user_id:id>         me         401 204 204 204 204 204 401 401
DELETE {API}/users/<user_id:id>         suspended  401 404 404 404 404 204 401 401
DELETE {API}/users/<user_id:id>         deleted    401 404 404 404 404 404 401 401
GET    {API}/users/<user_id:id>/can     owner      200 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/can     suspended  404 404 404 404 404 200 401 401
GET    {API}/users/<user_id:id>/can     deleted    404 404 404 404 404 404 401 401
PUT    {API}/users/<user_id:id>/password owner     401 403 204 403 403 204 401 401
PUT    {API}/users/<user_id:id>/password suspended 401 404 404 404 404 204 401 401
PUT    {API}/users/<user_id:id>/password deleted   401 404 404 404 404 404 401 401
GET    {API}/users/<user_id:id>/posts   owner      200 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/posts   suspended  404 404 404 404 404 200 401 401
GET    {API}/users/<user_id:id>/posts   deleted    404 404 404 404 404 404 401 401
GET    {API}/users/by-username/<username> owner    200 200 200 200 200 200 401 401
GET    {API}/users/by-username/<username> suspended 404 404 404 404 404 200 401 401
GET    {API}/users/by-username/<username> deleted  404 404 404 404 404 404 401 401

GET    {API}/users/<user_id:id>/followers owner    200 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/followers me       401 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/followers suspended 404 404 404 404 404 200 401 401
GET    {API}/users/<user_id:id>/followers deleted  404 404 404 404 404 404 401 401
GET    {API}/users/<user_id:id>/following owner    200 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/following me       401 200 200 200 200 200 401 401
GET    {API}/users/<user_id:id>/following suspended 404 404 404 404 404 200 401 401
GET    {API}/users/<user_id:id>/following deleted  404 404 404 404 404 404 401 401
PUT    {API}/users/<user_id:id>/follow  owner      401 204 409 204 204 204 401 401
PUT    {API}/users/<user_id:id>/follow  me         401 409 409 409 409 409 401 401
PUT    {API}/users/<user_id:id>/follow  suspended  401 404 404 404 404 204 401 401
PUT    {API}/users/<user_id:id>/follow  deleted    401 404 404 404 404 404 401 401
DELETE {API}/users/<user_id:id>/follow  owner      401 204 204 204 204 204 401 401
DELETE {API}/users/<user_id:id>/follow  suspended  401 404 404 404 404 204 401 401
DELETE {API}/users/<user_id:id>/follow  deleted    401 404 404 404 404 404 401 401
"""


class Row(NamedTuple):
    """One line of the table."""

    method: str
    rule: str
    target: str
    statuses: dict[str, int]

    def __str__(self) -> str:
        return f"{self.method} {self.rule} {self.target}"


def _row(line: str) -> Row:
    line = line.replace("{API}", API).replace("{TRASHED}", _TRASHED)
    method, rule, target, *statuses = line.split()
    return Row(method, rule, target, dict(zip(CALLERS, map(int, statuses), strict=True)))


_TRASHED = f"{API}/trash/<kind:kind>/<id:id>"
TABLE = [_row(line) for line in _TABLE.splitlines() if line]

#: Kind of post → makes one.
_POSTS: dict[str, Callable[[World], Any]] = {
    "published": lambda world: world.post(),
    "draft": lambda world: world.post(status="draft"),
    "archived": lambda world: world.post(status="archived"),
    "scheduled": lambda world: world.scheduled(),
    "suspended": lambda world: world.post("suspended"),
    "trashed": lambda world: world.trashed("owner"),
    "by-editor": lambda world: world.trashed("editor"),
    "orphan": lambda world: world.orphan(),
}
#: Kind of comment → makes one and returns its id; ``owner`` wrote it if nobody else is named.
_COMMENTS: dict[str, Callable[[World], int]] = {
    "published": lambda world: world.comment(world.post("other").id),
    "by-reader": lambda world: world.comment(world.post("other").id, "reader"),
    "on-draft": lambda world: world.comment(world.post("spare", status="draft").id),
    "suspended": lambda world: world.comment(world.post().id, "suspended"),
    "trashed": lambda world: world.trashed_comment(),
    "orphan": lambda world: world.comment(world.orphan().id),
}
_SLUGS: dict[str, Callable[[World], str]] = {
    "former": lambda world: world.former(),
    "ex-draft": lambda world: world.former(status="draft"),
}
#: Kind of file → makes one.
_FILES: dict[str, Callable[[World], int]] = {
    "public": lambda world: world.file(visibility="public"),
    "private": lambda world: world.file(),
    "cover": lambda world: world.cover(world.post().id),
    "avatar": lambda world: world.avatar(),
    "draft's": lambda world: world.cover(world.post(status="draft").id),
    "suspended": lambda world: world.file("suspended", visibility="public"),
    "trashed": lambda world: world.trashed_file(),
}
_OWNERS = {"role": "owner", "status": "owner", "user": "deleted"}


def url_of(row: Row, world: World) -> str:
    """Return the URL of a new target of a row."""
    rule, target = row.rule, row.target
    person = _OWNERS.get(target, target)
    if "/posts/by-slug/" in rule:
        make = _SLUGS.get(target)
        return rule.replace("<slug>", make(world) if make else _POSTS[target](world).slug)
    if "/posts/" in rule:
        return rule.replace("<id:id>", str(_POSTS[target](world).id))
    if "/files/" in rule:
        return _url_of_file(rule, world, _FILES[target](world))
    if "/comments/" in rule:
        return rule.replace("<id:id>", str(_COMMENTS[target](world)))
    if "/trash/" in rule:
        return rule.replace(_TRASHED, f"{API}/trash/{_trashed(row, world)}")
    if "/sessions/" in rule:
        return rule.replace("<id:id>", str(world.sign_in_of(person)))
    if "<user_id:id>" in rule:
        return rule.replace("<user_id:id>", "me" if target == "me" else str(world.id(person)))
    if "<username>" in rule:
        return rule.replace("<username>", world.people[person].username)
    rule = rule.replace("<digest>/<path:name>", "x/x").replace("<code>", "validation")
    return rule.replace("/manual/<name>", "/manual/clients.md")


def _url_of_file(rule: str, world: World, id: int) -> str:
    file = world.session.get_one(File, id)
    rule = rule.replace("<user_id:id>", str(file.author_id)).replace("<name>", file.name)
    return rule.replace("<id:id>", str(id))


def sent_of(row: Row, world: World) -> dict[str, Any]:
    """Return a body that only rights can refuse, as arguments of a client."""
    if row.rule == f"{API}/files" and row.method == "POST":
        return {"data": FORM, "content_type": FORM_TYPE}
    return {"json": body_of(row, world)}


def body_of(row: Row, world: World) -> Any:
    """Return a body that only rights can refuse."""
    name, number = row.rule.rsplit("/", 1)[-1], world.number
    sign_up = {
        "username": f"new-{number}",
        "email": f"new-{number}@example.com",
        "password": "a violin in Oslo",
    }
    bodies: dict[str, Any] = {
        "token": {
            "grant_type": "password",
            "username": world.people["owner"].username,
            "password": PASSWORD,
        },
        "revoke": {"token": "nobody's"},
        "password": {"current_password": PASSWORD, "new_password": "a violin in Oslo"},
        "users": sign_up | ({"role": "admin"} if row.target == "as-admin" else {}),
        "posts": {"title": "New", "body": "New."},
        "comments": {"body": "New."},
    }
    if row.method in {"GET", "DELETE"} or name in {"restoration", "like", "follow"}:
        return None
    if "/users/<user_id:id>" in row.rule and name != "password":
        return _change_of_user(row, world)
    if "/comments/" in row.rule:
        return {"body": "Changed."}
    if "/files/" in row.rule:
        return {"name": "changed.txt"}
    return bodies.get(name, {"title": "Changed", "body": "Changed."})


def _change_of_user(row: Row, world: World) -> dict[str, str]:
    if row.method == "PUT":
        person = world.people[row.target]
        return {"username": person.username, "email": person.email, "name": "Changed"}
    changes = {"role": {"role": "admin"}, "status": {"status": "suspended"}}
    return changes.get(row.target, {"name": "Changed"})


def _trashed(row: Row, world: World) -> str:
    if row.target == "comment":
        return f"comments/{_COMMENTS['trashed'](world)}"
    if row.target == "user":
        return f"users/{world.id(_OWNERS['user'])}"
    return f"posts/{_POSTS[row.target](world).id}"
