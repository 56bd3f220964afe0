"""The files of a package, and of what is added to one: path → text, none written yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from signpost.scaffold.declared import Field, Resource
from signpost.scaffold.writing import render

#: Type of a field → its column in a migration.
COLUMNS = {
    "str": "sa.Text",
    "text": "sa.Text",
    "int": "Number",
    "bool": "Flag",
    "datetime": "Moment",
}
#: Type of a field → its class in a shape, and options beside whether it is required.
SHAPES = {
    "str": ("String", ', min_length=1, max_length=200, example="%s"'),
    "text": ("String", ', multiline=True, max_length=10_000, example="%s"'),
    "int": ("Integer", ", example=3"),
    "bool": ("Boolean", ", example=True"),
    "datetime": ("DateTime", ', example="2030-01-01T17:00:00.000Z"'),
}
_EXAMPLES = {"int": 3, "bool": True, "datetime": "2030-01-01T17:00:00.000Z"}


def package(folder: Path, name: str, resource: Resource | None) -> dict[Path, str]:
    """Return the files of a new package in ``folder`` that brings the extension ``name``."""
    module = f"signpost_{name}"
    values = _values(name, module, resource) | {"distribution": distribution(name)}
    return {
        folder / "pyproject.toml": render("package/pyproject.toml", **values),
        folder / "README.md": render("package/README.md", **values),
        folder / ".gitignore": render("package/gitignore", **values),
    } | namespace(folder, name, module, resource)


def namespace(folder: Path, name: str, module: str, resource: Resource | None) -> dict[Path, str]:
    """Return the files of an extension: its module, its resource and their test.

    Args:
        folder: of the package that it is in.
        module: with dots; becomes a folder.
    """
    values, inside = _values(name, module, resource), folder.joinpath(*module.split("."))
    test = folder / "tests" / f"test_{name}.py"
    kind = "resource" if resource else "greeting"
    files = {
        inside / "__init__.py": render("package/module.py", **values),
        inside / "py.typed": "",
        inside / "endpoints.py": render(f"{kind}/endpoints.py", **values),
        test: render(f"{kind}/test.py", **values),
    }
    if resource:
        files |= {
            inside / f"{each}.py": render(f"resource/{each}.py", **values)
            for each in ("models", "services")
        }
        step = inside / "migrations" / f"0001_{resource.plural}.py"
        files[step] = render("resource/migration.py", **values)
    return files


def addition(folder: Path, kind: str, module: str, **values: Any) -> dict[Path, str]:
    """Return the file and the test of a command or a hook."""
    package, _, file = module.rpartition(".")
    values |= {"package": package, "file": file}
    return {
        folder.joinpath(*module.split(".")).with_suffix(".py"): render(
            f"added/{kind}.py", **values
        ),
        folder / "tests" / f"test_{file}.py": render(f"added/test_{kind}.py", **values),
    }


def distribution(name: str) -> str:
    """Return what pip calls the package of an extension."""
    return f"signpost-{name.strip('_').replace('_', '-')}"


def _values(name: str, module: str, resource: Resource | None) -> dict[str, Any]:
    values = {
        "name": name,
        "module": module,
        "title": name.replace("_", " ").strip().capitalize(),
        "resource": resource,
        "url": f"/api/{name}/{resource.plural if resource else 'greeting'}",
    }
    return values | (dict(_values_of(name, resource)) if resource else {})


def _values_of(name: str, resource: Resource) -> Iterator[tuple[str, Any]]:
    words = resource.name.replace("_", " ").strip()
    yield "words", words
    yield "plural_words", resource.plural.replace("_", " ").strip()
    yield "a", "An" if words[0] in "aeio" else "A"
    yield "table", f"{name}_{resource.plural}"
    yield "shapes", SHAPES
    yield "columns", COLUMNS
    used = {COLUMNS[each.type] for each in resource.fields} - {"sa.Text"}
    yield "column_types", sorted(used | {"Moment", "Number"})
    required = {each.name: _example(each) for each in resource.fields if each.required}
    yield "example", orjson.dumps(required).decode()
    yield "values", {key: _literal(value) for key, value in required.items()}


def _example(field: Field) -> Any:
    return _EXAMPLES.get(field.type, field.label)


def _literal(value: Any) -> str:
    """Return a value as Python, with the quotes that ours have."""
    return f'"{value}"' if isinstance(value, str) else repr(value)
