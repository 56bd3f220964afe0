"""``flask extension``: new packages, additions to one, and the next step of its tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from api import loading
from api.database import db
from api.namespaces import CORE
from services import drafts, schema
from services.registry import RESOURCES
from signpost.scaffold import package, project
from signpost.scaffold.declared import NotDeclared, Resource, checked_name, resource_of
from signpost.scaffold.project import NoPackage, Project
from signpost.scaffold.writing import FileExists, append, write

KINDS = ("namespace", "command", "hook")
_DECLARATION = 'A resource with a table: "event: title:str! starts_at:datetime! notes:text".'

group = AppGroup("extension", help="Write extensions: packages that bring endpoints of their own.")


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Say in a line what a command was refused for."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (NotDeclared, FileExists, NoPackage) as exc:
            raise click.ClickException(str(exc)) from exc

    return run


@group.command("new")
@click.argument("name", required=False)
@click.option("--resource", "declaration", help=_DECLARATION)
@click.option("--folder", type=click.Path(path_type=Path), help="New folder: signpost-NAME.")
@_told
def _new(name: str | None, declaration: str | None, folder: Path | None) -> None:
    """Write the package of a new extension, with one resource and its test."""
    name = _free(_asked(name, "Name, as in the URL /api/NAME"))
    resource = _resource(_asked(declaration, 'Resource, as "event: title:str!" (none)', ""))
    folder = folder or Path(package.distribution(name))
    if folder.exists() and any(folder.iterdir()):
        raise FileExists(f"{folder} is there already; nothing was written.")
    files = package.package(folder, name, resource)
    write(files)
    _list(files)
    click.echo(f'\nNow: python -m pip install -e "{folder}" && python -m pytest "{folder}"')


@group.command("add")
@click.option("--type", "kind", type=click.Choice(KINDS), help="What is to be added.")
@click.option("--id", "id_", help="Its name: in the URL, or after `flask NAMESPACE`.")
@click.option("--file", "file", help="The name of its module; the id, unless said.")
@click.option("--namespace", help="The extension of this package that it goes with.")
@click.option("--resource", "declaration", help=f"{_DECLARATION} For a namespace.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="The package's.")
@_told
def _add(
    kind: str | None,
    id_: str | None,
    file: str | None,
    namespace: str | None,
    declaration: str | None,
    folder: Path,
) -> None:
    """Add a namespace, a command or a hook to the package in this folder."""
    found = Project(folder)
    kind = _asked(kind, "Type", "namespace", choices=KINDS)
    id_ = checked_name(_asked(id_, "Id"))
    file = checked_name(_asked(file, "File name", id_).removesuffix(".py"))
    module = f"{found.module}.{file}"
    if kind == "namespace":
        resource = _resource(_asked(declaration, 'Resource, as "event: title:str!" (none)', ""))
        entry = (project.EXTENSIONS, _free(id_), f"{module}:create")
        files = package.namespace(folder, id_, module, resource)
        note = f"It brings the extension `{id_}` too, below `/api/{id_}`."
    else:
        namespace = _one_of(found, namespace)
        entry, files = _addition(folder, kind, id_, module, namespace)
        note = f"`{entry[1]}` is its {kind} `{id_}`, in `{file}.py`."
    _write(found, entry, files)
    append(folder / "README.md", note)


def _addition(
    folder: Path, kind: str, id_: str, module: str, namespace: str
) -> tuple[tuple[str, str, str], dict[Path, str]]:
    points = {
        "command": (project.COMMANDS, f"{module}:command"),
        "hook": (project.HOOKS, f"{module}:{id_}"),
    }
    point, value = points[kind]
    values = {"id": id_, "namespace": namespace, "called": f"flask {namespace} {id_}"}
    files = package.addition(folder, kind, module, **values)
    return (point, f"{namespace}.{id_}", value), files


def _write(found: Project, entry: tuple[str, str, str], files: dict[Path, str]) -> None:
    point, key, _ = entry
    if found.has(point, key):
        raise NotDeclared(f"{found.path} has {key} in {point} already; nothing was written.")
    write(files)
    found.add(*entry)
    _list(files)
    click.echo(f"{found.path}: {key} in {point}")
    click.echo(f'\nNow: python -m pip install -e "{found.path.parent}"')


@group.command("migrate")
@click.argument("name")
@click.option("-m", "--message", required=True, help="What changes, in a few words.")
@_told
def _migrate(name: str, message: str) -> None:
    """Write the step from the tables that are there to the models of the extension NAME.

    Steps that are due are applied first, as at a start.
    """
    found: list[loading.Extension] = current_app.extensions["signpost"].extensions
    known = {each.name: each for each in found if each.state == "loaded"}
    if name not in known:
        raise NoPackage(f"{name} is no extension that is loaded here: {project.joined(known)}.")
    history = known[name].history
    for each in (schema.CORE, history):
        schema.upgrade(db.engine, each)
    path = drafts.make_revision(db.engine, history, message)
    click.echo(f"{path}: read it before you use it." if path else "Nothing has changed.")


def is_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def _asked(
    value: str | None, text: str, default: str | None = None, choices: tuple[str, ...] = ()
) -> str:
    """Return an option; ask for it in a terminal if it was not given."""
    if value is not None:
        return value
    if is_terminal():
        kind = click.Choice(choices) if choices else None
        said: str = click.prompt(text, default=default, type=kind, show_default=bool(default))
        return said
    if default is None:
        raise click.UsageError(f"{text.partition(',')[0]}: it is missing.")
    return default


def _resource(declaration: str) -> Resource | None:
    """Return what is declared, if anything is.

    Raises:
        NotDeclared: it is no resource, or there is one of that name.
    """
    if not declaration.strip():
        return None
    resource = resource_of(declaration)
    shapes = {name for each in CORE for name in each.models}
    if resource.plural in RESOURCES or resource.cls in shapes:
        raise NotDeclared(f"There is a resource {resource.name} already; find another word.")
    return resource


def _free(name: str) -> str:
    """Return the name of a new extension.

    Raises:
        NotDeclared: it is none, or another one has it.
    """
    if checked_name(name) in loading.names():
        raise NotDeclared(f"An extension {name} is installed already.")
    return name


def _one_of(found: Project, namespace: str | None) -> str:
    known = found.extensions
    namespace = _asked(namespace, "Namespace", next(iter(known), None))
    if namespace not in known:
        raise NotDeclared(f"{namespace} is none of this package's: {project.joined(known)}.")
    return namespace


def _list(files: dict[Path, str]) -> None:
    for path in files:
        click.echo(str(path))
