"""The command line: ``flask users create``, ``backup``, ``keys rotate`` ... for operators.

Commands go through the same services and the same validation as requests. What is wrong is printed
a line each, and the exit status is 1.
"""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from flask_restx import Model
from sqlalchemy.orm import Session

from api import doctor, entries, settings
from api import users as shapes
from api.input import check_body
from api.loading import Extension
from api.operating import OPERATOR, current_config, operation, write
from models.engine import database_url
from services import clock, keys, passwords
from services.actor import ROLES
from services.backup import backup
from services.errors import NotFound
from services.trash import TrashService
from services.users import UserService

#: Deletions that one transaction purges.
BATCH = 500

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: What ``flask`` has without any app.
_BUILT_IN = frozenset({"run", "shell", "routes"})

users = AppGroup("users", help="Make users and change them.")
trash = AppGroup("trash", help="Remove what was deleted.")
signing = AppGroup("keys", help="The keys that sign access tokens.")
texts = AppGroup("settings", help="Print the settings, with their defaults and meanings.")


class CommandTaken(Exception):
    """An extension's commands have a name that others have."""


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    for command in (users, trash, signing, texts, _backup, _doctor, entries.scaffold()):
        app.cli.add_command(command)


def add(app: Flask, extensions: Iterable[Extension]) -> None:
    """Add ``flask <name> ...`` of each loaded extension that has commands, after all others.

    Raises:
        CommandTaken: a command is called so already.
    """
    for extension in extensions:
        if extension.state != "loaded":
            continue
        # A plain RESTX namespace has no commands of its own.
        group = getattr(extension.namespace, "cli", None) or AppGroup(extension.name)
        for command in entries.of(extension):
            group.add_command(command)
        if group.commands:
            _add(app, group, extension.name)


@users.command("create")
@click.argument("username")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="author", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@operation
def _create_user(username: str, email: str, role: str, password_stdin: bool) -> None:
    """Make a user. Asks for the password; without a terminal a random one is made and printed."""
    password, is_random = _password(password_stdin)
    given = {"username": username, "email": email, "role": role, "password": password}
    data = UserService.prepare(check_body(_for_admins(shapes.users.create), given))
    write(lambda session: UserService(session, OPERATOR, current_config()).create(data))
    click.echo(f"Created {username} ({role}).")
    _tell(password, is_random)


@users.command("set-role")
@click.argument("username")
@click.argument("role", type=click.Choice(ROLES))
@operation
def _set_role(username: str, role: str) -> None:
    """Give a user another role; ends their access tokens."""
    changes = check_body(_for_admins(shapes.users.patch), {"role": role})

    def work(session: Session) -> None:
        service = UserService(session, OPERATOR, current_config())
        service.patch(_id(service, username), changes, None)

    write(work)
    click.echo(f"{username} is now {role}.")


@users.command("set-password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@operation
def _set_password(username: str, password_stdin: bool) -> None:
    """Give a user another password; ends all their sessions."""
    password, is_random = _password(password_stdin)
    data = check_body(shapes.new_password, {"new_password": password})
    hashed = passwords.hash(data["new_password"])

    def work(session: Session) -> None:
        service = UserService(session, OPERATOR, current_config())
        service.set_password(_id(service, username), hashed)

    write(work)
    click.echo(f"{username} has a new password.")
    _tell(password, is_random)


@trash.command("purge")
@click.option("--older-than", "age", required=True, help="Age of the deletion: 12h, 30d, 4w.")
@operation
def _purge(age: str) -> None:
    """Remove what was deleted that long ago, for good."""
    than = clock.now() - _duration(age)
    count = BATCH
    total = 0
    while count == BATCH:
        count = write(
            lambda session: TrashService(session, OPERATOR, current_config()).purge_older(
                than, BATCH
            )
        )
        total += count
    click.echo(f"Purged {total}.")


@signing.command("rotate")
@click.option("--now", is_flag=True, help="The present key is not secret any more: sign at once.")
@operation
def _rotate(now: bool) -> None:
    """Make a new signing key; tokens signed by the present one stay valid until they expire."""
    key = keys.open_keys(current_config().JWT_KEYS, current_config().DATA_DIR).rotate(now=now)
    when = "at once" if now else f"in {keys.JWKS_TTL} s, when others had time to learn of it"
    click.echo(f"Key {key.kid} signs {when}.")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
@operation
def _backup(file: Path) -> None:
    """Write all of the database to FILE, while it is in use."""
    backup(database_url(current_config().DATABASE_URL), file)
    click.echo(f"{file}: {file.stat().st_size:,} bytes.")


@click.command("doctor")
@with_appcontext
@operation
def _doctor() -> None:
    """Look for what is wrong with this installation, and say how to mend it."""
    findings = doctor.examine(current_config(), current_app.extensions["signpost"].extensions)
    for finding in findings:
        click.echo(f"{finding.subject}: {finding.fault}\n    {finding.remedy}")
    if findings:
        raise SystemExit(1)
    click.echo("Nothing is wrong.")


@texts.command("example")
def _example() -> None:
    """Print the text of .env.example, and the settings of the extensions."""
    click.echo(settings.example(_sections()), nl=False)


@texts.command("table")
def _table() -> None:
    """Print the table of docs/operations.md, and one for each extension."""
    click.echo(settings.table(_sections()), nl=False)


def _add(app: Flask, group: click.Group, name: str) -> None:
    # Flask has added a blueprint's itself.
    if name in _BUILT_IN or app.cli.commands.get(name, group) is not group:
        raise CommandTaken(f"its commands cannot be called `flask {name}`: that is there already")
    app.cli.add_command(group, name)


def _sections() -> settings.Sections:
    """Return what the loaded extensions declare."""
    return {
        extension.name: extension.namespace.settings_class
        for extension in current_app.extensions["signpost"].extensions
        if getattr(extension.namespace, "settings_class", None)
    }


def _trash(session: Session) -> TrashService:
    return TrashService(session, OPERATOR, current_config())


def _for_admins(shape: Any) -> Model:
    """Return the shape that an admin's request has to match."""
    return shape.admins


def _id(service: UserService, username: str) -> int:
    try:
        return int(service.by_name(username).id)
    except NotFound as exc:
        raise NotFound(f"There is no user {username}.") from exc


def _password(from_stdin: bool) -> tuple[str, bool]:
    """Return a password, and whether nobody knows it yet."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True), False
    return secrets.token_urlsafe(15), True


def _tell(password: str, is_random: bool) -> None:
    if is_random:
        click.echo(f"Password: {password}")


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", text, re.ASCII)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a number with s, m, h, d or w.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
