"""Hooks of the questions that test_fuzz.py has schemathesis ask; see schemathesis.toml.

Who asks gets a new account as often as a question ends the one before. What no schema can say of a
request is said here, as narrowly as it can be: which questions are put right before they are asked,
and which faults a well-formed one may still be told.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import secrets
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import schemathesis
import sqlalchemy as sa
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.jsonschema import make_validator
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData
from sqlalchemy.orm import Session

from api.pagination import DEEPEST
from services import passwords
from tests.databases import connect
from tests.factories import PASSWORD, make_comment, make_post, make_user
from tests.security.uploading import upload

#: Set by test_fuzz.py: who asks (nothing: nobody), whom, whose rows those are, where to note.
ROLE, URL = os.environ.get("ASKS_AS", ""), os.environ.get("ASKED", "")
DATABASE, NOTES = os.environ.get("ASKED_DATABASE", ""), os.environ.get("ASKED_NOTES", "")

TO_SERVER: dict[str, Any] = {"base_url": f"{URL}/api/v1", "trust_env": False, "timeout": 30}
JSON_PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
#: What only admins may send, though the descriptions, which are one for all, have it.
FOR_ADMINS = {"role", "status"}
#: Members that a JSON Patch may point to.
POINTERS = {
    "patchPost": ["/title", "/body", "/tags", "/tags/0", "/excerpt", "/published_at", "/slug"],
    "patchUser": ["/name", "/bio", "/username"],
    "patchComment": ["/body"],
    "patchFile": ["/name", "/visibility"],
}
#: Operations whose mask may name what is hidden from who asks, or what is of another kind.
MASKED = {"listUsers", "getUser", "getUserByName", "restoreItem"}
#: Operations that ask for the present password.
CONFIRMED = {"replaceUser", "patchUser", "setUserPassword"}
#: Slugs up to this length get an end that nothing else has.
MAX_SLUG = 180
#: Ids of things that there are, by the noun in a path: what is seeded, then what the account has.
existing: dict[str, list[int]] = {
    "posts": [1, 2, 3],
    "users": [1, 1],
    "trash": [7, 8],
    "auth": [1],
    "comments": [1, 2, 3],
    "files": [1, 2, 3],
}
#: User name of the account, and every token that there was, the present one last.
account: list[str] = []
tokens: list[str] = []
turns = itertools.count()
answered: Counter[str] = Counter()


if ROLE:

    @schemathesis.auth(refresh_interval=600)  # on a 401 at once
    class Account:
        """A new user of the role, with posts and a token, beside somebody else."""

        def get(self, case: Any, context: Any) -> str:
            name = f"{ROLE}-{secrets.token_hex(6)}"
            with Session(_engine(), expire_on_commit=False) as session:
                own, other = make_user(session, name, role=ROLE), make_user(session, f"{name}-2")
                existing["users"] = [1, other.id, own.id, other.id]
                posts = [make_post(session, own) for _ in range(3)]
                existing["posts"] = [1, *(post.id for post in posts)]
                comments = [make_comment(session, posts[0], own) for _ in range(3)]
                existing["comments"] = [1, *(comment.id for comment in comments)]
            account[:] = [name]
            tokens.append(f"Bearer {_sign_in()['access_token']}")
            existing["files"] = [1, *upload(TO_SERVER["base_url"], tokens[-1])]
            return tokens[-1]

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": data}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Put right what no schema can say of well-formed data."""
    if case.headers.get("Authorization") in tokens:
        case.headers["Authorization"] = tokens[-1]  # questions are made long before they are asked
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    if case.meta.phase.name is not TestPhase.STATEFUL:
        _give_ids(case)
    for name in ("If-Match", "If-None-Match"):
        if name in case.headers and len(case.headers[name]) % 4 < 2:
            case.headers[name] = "*"
    if case.query:
        _mend_query(case)
    if isinstance(case.body, dict):
        _mend_body(case)
    elif case.media_type == JSON_PATCH:
        _point(case)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Response) -> None:
    """Count what was answered."""
    answered[f"{_operation(case)} {response.status_code}"] += 1


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Response) -> bool:
    """Pass over what is as it should be, and nothing else."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 416:
        return False  # how long a content is stands in no description
    if isinstance(failure, RejectedPositiveData) and response.status_code == 412:
        return "If-Match" not in case.headers
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        return str(case.media_type) != JSON_PATCH  # what comes out of it is not described by it
    if _operation(case) == "createFiles" and _is_of_forms(failure, case):
        return False
    if isinstance(failure, AcceptedNegativeData) and isinstance(case.body, dict):
        return not _is_good_when_trimmed(case)
    if isinstance(failure, JsonSchemaError) and "fields" in (case.query or {}):
        # What a mask left out is not there.
        is_page = _operation(case).startswith("list") and not failure.instance_path
        return is_page or failure.schema_path[-1] != "required"
    return True


def _is_of_forms(failure: Failure, case: Any) -> bool:
    """Whether this is a form taken for wrong, whose parts are bytes, or a mask within ``data``."""
    if isinstance(failure, AcceptedNegativeData):
        return "positive test case" in str(failure.message) or "fields" in (case.query or {})
    return isinstance(failure, JsonSchemaError) and "fields" in (case.query or {})


def _give_ids(case: Any) -> None:
    """Ask for things that there are, where an id was made up, and for names now and then."""
    path = case.path_parameters or {}
    for name, known in {"slug": "post-1", "username": "admin"}.items():
        if len(path.get(name, "")) % 2:
            path[name] = known
    if not str(path.get("id", "")).isdecimal():
        return
    noun = case.operation.path.split("/")[2]
    if noun == "trash":
        path["kind"] = "posts"
        _delete_another(case)
    if noun == "auth" and account:
        _sign_in_again()
    ids = existing[noun]
    path["id"] = type(path["id"])(ids[int(path["id"]) % len(ids)])


def _delete_another(case: Any) -> None:
    """Put a post of who asks into the trash."""
    token = case.headers.get("Authorization", "")
    if len(token) > len("Bearer "):
        with httpx.Client(headers={"Authorization": token}, **TO_SERVER) as client:
            made = client.post("/posts", json={"title": "Deleted", "body": "Text"})
            if made.status_code == 201:
                client.delete(f"/posts/{made.json()['id']}").raise_for_status()
                existing["trash"] = [7, 8, *[made.json()["id"]] * 4]


@cache
def _engine() -> sa.Engine:
    return connect(DATABASE)


def _sign_in() -> dict[str, Any]:
    grant = {"grant_type": "password", "username": account[0], "password": PASSWORD}
    with httpx.Client(**TO_SERVER) as client:
        answer = client.post("/auth/token", json=grant).raise_for_status()
    return dict(answer.json())


def _sign_in_again() -> None:
    """Have a sign-in that may be ended, if the account is still there."""
    with suppress(httpx.HTTPStatusError), httpx.Client(**TO_SERVER) as client:
        client.headers["Authorization"] = f"Bearer {_sign_in()['access_token']}"
        items = client.get("/auth/sessions").raise_for_status().json()["items"]
        existing["auth"] = [each["id"] for each in items]


def _point(case: Any) -> None:
    """Let a JSON Patch point to members that there are."""
    pointers = POINTERS[_operation(case)]
    for number, each in enumerate(case.body):
        for name in {"path", "from"} & each.keys():
            each[name] = pointers[(number + len(each[name])) % len(pointers)]


def _mend_query(case: Any) -> None:
    """Let ``page`` keep to its depth, ``cursor`` be that of the query, and a mask name what is."""
    query = case.query
    if _operation(case) in MASKED and "fields" in query:
        query["fields"] = "id"
    if "q" in query:
        query["q"] = f"post {query['q'][:6]}"  # a word, and not too many
    if "page" in query:
        rows = DEEPEST if "q" not in query or "sort" in query else 1_000
        deepest = rows // int(query.get("limit", 20))
        query["page"] = min(int(query["page"]), deepest)
    if "cursor" in query:
        case.query = query = {n: v for n, v in query.items() if n not in {"cursor", "page"}}
        found = case.call()
        if found.status_code == 200 and (cursor := found.json()["next"]):
            query["cursor"] = cursor


def _mend_body(case: Any) -> None:
    """Leave out what is for admins only; let passwords be right and examples not be taken yet."""
    own = {"me", str(existing["users"][-2])}
    is_own = (case.path_parameters or {}).get("id") in own
    # An admin who changes these of their own has to sign in anew: one time in ten will do.
    is_free = ROLE == "admin" and not (is_own and next(turns) % 10)
    body = case.body = {n: v for n, v in case.body.items() if is_free or n not in FOR_ADMINS}
    suffix = secrets.token_hex(4)
    if body.get("username") == "ada":
        body["username"] = f"ada-{suffix}"
    if body.get("email") == "ada@example.org":
        body["email"] = f"{suffix}@example.org"
    if len(body.get("slug") or MAX_SLUG * "-") < MAX_SLUG:
        body["slug"] += f"-{suffix}"
    if _operation(case) in CONFIRMED:
        body["current_password"] = PASSWORD
    # Comments to answer and pictures to show are those of one post and of one user.
    body.update(dict.fromkeys({"parent_id", "cover_id", "avatar_id"} & body.keys()))
    if "new_password" in body:
        body["new_password"] = PASSWORD  # else it would be another one from then on
    elif passwords.is_common(body.get("password", "")):
        body["password"] += " that is not common"


def _is_good_when_trimmed(case: Any) -> bool:
    """Whether all that is wrong is spaces around one-line texts, or unknown fields of a form.

    Neither counts; the latter by RFC 6749, section 3.1.
    """
    schema = case.operation.get_body_for_media_type(case.media_type).optimized_schema
    body = _trimmed(case.body)
    if case.media_type == FORM:
        known = schema.get("properties", {})
        body = {name: each for name, each in body.items() if name in known}
    others = [place for place in ParameterLocation if place is not ParameterLocation.BODY]
    if body == case.body or any(case.meta.is_negative_at(place) for place in others):
        return False
    adapter = case.operation.schema.adapter
    return bool(make_validator(schema, adapter.jsonschema_validator_cls).is_valid(body))


def _trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _trimmed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_trimmed(each) for each in value]
    return value.strip() if isinstance(value, str) else value


def _operation(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


@atexit.register
def _note() -> None:
    if NOTES:
        Path(NOTES).write_text(json.dumps(dict(sorted(answered.items()))))
