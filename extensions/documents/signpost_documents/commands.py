"""``flask documents import``: make documents of files on the operator's disk."""

from __future__ import annotations

from pathlib import Path

import click

from signpost import OPERATOR, current_config, current_session, fail, operation, services
from signpost.files import Incoming, keep, read_in
from signpost_documents.namespace import ns
from signpost_documents.rules import VISIBILITY, DocumentService, stored_name


@ns.cli.command("import")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option("--owner", help="Username of whose they are; ADMIN_USERNAME unless given.")
@click.option("--prefix", default="", help="Stands before each file's own name.")
@operation
def import_documents(paths: tuple[Path, ...], owner: str | None, prefix: str) -> None:
    """Store copies of the files PATH... as documents, and print what they are called."""
    actor = _owner(owner or current_config().ADMIN_USERNAME)
    stored = [_import(path, stored_name(prefix, path.name), actor) for path in paths]
    if any(each.problem for each in stored):
        raise SystemExit(1)


def _import(path: Path, name: str, actor: services.Actor) -> Incoming:
    config = current_config()
    with path.open("rb") as source, read_in(config, name, source, visibility=VISIBILITY) as form:
        keep(config, current_session(), actor, form, DocumentService)
    (file,) = form.files
    if file.problem:
        click.echo(f"{path}: {file.problem.public_message}", err=True)
    else:
        click.echo(file.name)
    return file


def _owner(username: str) -> services.Actor:
    """Return the user as who imports."""
    users = services.UserService(current_session(), OPERATOR, current_config())
    try:
        with services.reading(current_session()):
            row = users.by_name(username)
    except services.NotFound:
        fail(f"There is no user {username}.")
    return services.Actor(row.id, row.role, via="command")
