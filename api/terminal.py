"""Commands for a terminal that work as they stand: what the index offers to be copied."""

from __future__ import annotations

import json
import secrets
from shlex import quote

_JSON = "-H 'Content-Type: application/json'"


def for_anyone(base: str) -> list[tuple[str, str]]:
    """Return four commands, each with its title: read, sign up, sign in, write."""
    name, password = f"ada-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    someone = {"username": name, "email": f"{name}@example.org", "password": password}
    post = {"title": "Hello, world", "body": "The *first* post."}
    users, token, posts = (
        quote(f"{base}/api/v1/{path}") for path in ("users", "auth/token", "posts")
    )
    grant = f"-d grant_type=password -d username={name} --data-urlencode password={password}"
    find = r"""sed 's/.*"access_token":"\([^"]*\)".*/\1/'"""
    return [
        ("Read what is published", f"curl -s {posts}"),
        ("Sign up", f"curl -s {users} {_JSON} -d {quote(json.dumps(someone))}"),
        ("Sign in, and keep the token", f"TOKEN=$(curl -s {token} {grant} | {find})"),
        (
            "Write a post, a draft at first",
            f'curl -s {posts} -H "Authorization: Bearer $TOKEN" {_JSON} '
            f"-d {quote(json.dumps(post))}",
        ),
    ]


def for_readers(base: str) -> list[tuple[str, str]]:
    """Return four commands, each with its title, for a service that takes no sign-ups."""
    asked = (
        ("Read what is published", "/api/v1/posts"),
        ("Ask for less: titles and their authors", "/api/v1/posts?fields=title,author{username}"),
        ("See who writes here", "/api/v1/users"),
        ("Ask whether it can serve", "/readyz"),
    )
    return [(title, f"curl -sg {quote(base + path)}") for title, path in asked]
