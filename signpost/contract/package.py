"""What an extension brings beside its routes: settings that are documented, tables of its own."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest
import sqlalchemy as sa

from api.loading import Extension
from config_env import names_of
from models import Base, registry_of
from models.extended import tables_of
from services import drafts, schema
from signpost.contract import databases
from signpost.contract.selection import Kit


class Package(Kit):
    """The package as it is installed."""

    @pytest.fixture
    def own(self, extensions: tuple[Extension, ...]) -> Extension:
        """The extension as it was loaded."""
        names = {each.name: each for each in extensions}
        assert self.extension in names, f"{self.extension} is not installed, or another extension"
        return names[self.extension]

    def test_it_is_loaded_and_listed(self, own: Extension, client: Any) -> None:
        assert (own.state, own.error) == ("loaded", None)
        listed = client.get("/api/v1/extensions").get_json()["items"]
        (told,) = (each for each in listed if each["name"] == own.name)
        assert (told["state"], told["package"]) == ("loaded", own.package)

    def test_its_settings_stand_in_its_readme(self, own: Extension) -> None:
        declared = getattr(own.namespace, "settings_class", None)
        readme = _readme(own)
        missing = [
            name
            for name in (names_of(declared, own.name) if declared else ())
            if name not in readme
        ]
        assert missing == []
        assert own.name in readme

    def test_its_tables_have_its_prefix(self, own: Extension) -> None:
        tables = [table.name for table in tables_of(registry_of(own.name).metadata)]
        assert [name for name in tables if not name.startswith(f"{own.name}_")] == []
        strangers = [
            mapper.class_
            for mapper in Base.registry.mappers
            if mapper.class_.__module__.partition(".")[0] == own.module.partition(".")[0]
        ]
        assert strangers == [], "models of an extension derive from models.base_of(its name)"

    def test_its_models_and_migrations_agree(self, own: Extension, engine: sa.Engine) -> None:
        assert drafts.differences(engine, own.history) == []

    def test_its_migrations_can_be_taken_back(self, own: Extension, make_database: Any) -> None:
        engine = databases.connect(make_database(f"taken_back_{own.name}"))
        try:
            tables = {table.name for table in tables_of(registry_of(own.name).metadata)}
            core = str(drafts.differences(engine))
            assert tables <= set(sa.inspect(engine).get_table_names())
            if schema.head(own.history) is not None:
                schema.downgrade(engine, own.history)
                assert not tables & set(sa.inspect(engine).get_table_names())
                assert str(drafts.differences(engine)) == core, "the core's tables are the core's"
                schema.upgrade(engine, own.history)
            assert drafts.differences(engine, own.history) == []
        finally:
            engine.dispose()


def _readme(extension: Extension) -> str:
    """Return the README beside the package, or what was installed of it."""
    for folder in (extension.folder, extension.folder.parent, extension.folder.parent.parent):
        if (folder / "pyproject.toml").is_file() and (folder / "README.md").is_file():
            return (folder / "README.md").read_text(encoding="utf-8")
    told = metadata.metadata(extension.package)
    return str(told["Description"] or "")
