"""Bring Python Enhancement Proposals into a running service over HTTP, signed in as an admin.

SIGNPOST_PASSWORD=... python -m examples.peps_http POSTS USERS --url http://127.0.0.1:8000

The rows are those of examples/peps.py. A post belongs to who creates it, so the admin makes the
authors' accounts, and each author's posts are sent in the author's own name. An account's password
is derived from the admin's: a second run can sign in again, and nothing has to be kept. What is
there is left as it is; what is refused is told with all its faults, and the exit status is 1.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from examples.peps import Row, parser, records, rows

JSON = dict[str, Any]
_TOO_MANY, _UNAVAILABLE = 429, 503
_ATTEMPTS = 10


class Service:
    """The API as one caller sees it; a busy server is asked again when it says so."""

    def __init__(self, client: httpx.Client, token: str | None = None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Ask, waiting as long as a 429 or 503 says."""
        for _ in range(_ATTEMPTS):
            answer = self._client.request(method, f"/api/v1/{path}", headers=self._headers, **body)
            if answer.status_code not in (_TOO_MANY, _UNAVAILABLE):
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        return answer

    @contextmanager
    def signed_in(self, username: str, password: str) -> Iterator[Service]:
        """Sign in, and out again.

        Raises:
            httpx.HTTPStatusError: the service does not let them in.
        """
        grant = {"grant_type": "password", "username": username, "password": password}
        tokens = self.ask("POST", "auth/token", data=grant).raise_for_status().json()
        try:
            yield Service(self._client, tokens["access_token"])
        finally:
            self.ask("POST", "auth/revoke", data={"token": tokens["refresh_token"]})

    def all(self, path: str, field: str, **query: str) -> set[str]:
        """Return one field of every item of a list."""
        asked, found = {"limit": "100", "fields": field, **query}, set()
        while True:
            page = self.ask("GET", path, params=asked).raise_for_status().json()
            found |= {item[field] for item in page["items"]}
            if page["next"] is None:
                return found
            asked["cursor"] = page["next"]


class Upload:
    """One run: what is made, what was there, what was refused."""

    def __init__(self, client: httpx.Client, admin: str, password: str) -> None:
        self._anyone = Service(client)
        self._admin, self._password = admin, password
        self.outcomes: Counter[str] = Counter()

    def run(self, given: list[Row]) -> None:
        """Send all records: accounts first, then each author's posts."""
        authors = {record["author"] for record in given if record["type"] == "post"}
        with self._anyone.signed_in(self._admin, self._password) as admin:
            there = {name.casefold() for name in admin.all("users", "username")}
            for record in given:
                if record["type"] == "user":
                    self._send_user(admin, record, there)
            slugs = admin.all("posts", "slug", status="any")
        for author in sorted(authors):
            mine = [each for each in given if each.get("author") == author]
            missing = [each for each in mine if each["slug"] not in slugs]
            self.outcomes["unchanged"] += len(mine) - len(missing)
            if missing:
                self._send_posts(author, missing)

    def _send_user(self, admin: Service, record: Row, there: set[str]) -> None:
        if record["username"].casefold() in there:
            self.outcomes["unchanged"] += 1
            return
        account = {name: record[name] for name in ("username", "email", "name")}
        account["password"] = self._password_of(record["username"])
        self._tell(record["username"], admin.ask("POST", "users", json=account))

    def _send_posts(self, author: str, posts: list[Row]) -> None:
        try:
            with self._anyone.signed_in(author, self._password_of(author)) as service:
                for record in posts:
                    body = {key: record[key] for key in record if key not in ("type", "author")}
                    self._tell(record["slug"], service.ask("POST", "posts", json=body))
        except httpx.HTTPStatusError as exc:
            for record in posts:
                self._tell(record["slug"], exc.response)

    def _tell(self, name: str, answer: httpx.Response) -> None:
        if answer.is_success:
            self.outcomes["created"] += 1
            return
        self.outcomes["refused"] += 1
        problem = answer.json()
        for fault in problem.get("errors") or [{"field": "", "message": problem["detail"]}]:
            sys.stderr.write(f"{name}: {problem['code']}: {fault['field']}: {fault['message']}\n")

    def _password_of(self, username: str) -> str:
        key = self._password.encode()
        return hmac.new(key, username.encode(), hashlib.sha256).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Upload the rows; return the exit status."""
    reader = parser(__doc__)
    reader.add_argument("--url", default="http://127.0.0.1:8000", help="of the service")
    reader.add_argument("--admin", default="admin", help="an admin's username")
    options = reader.parse_args(arguments)
    given = list(records(rows(options.posts), rows(options.users), options.only))
    limits = httpx.Limits(keepalive_expiry=2)
    with httpx.Client(base_url=options.url, timeout=60, limits=limits) as client:
        upload = Upload(client, options.admin, os.environ["SIGNPOST_PASSWORD"])
        upload.run(given)
    told = (f"{upload.outcomes[each]:,} {each}" for each in ("created", "unchanged", "refused"))
    sys.stdout.write(", ".join(told) + ".\n")
    return 1 if upload.outcomes["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
