"""Migrations make what the models say, on both databases, and can be undone."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from models import Base
from models.engine import WRITES
from models.search import is_foreign_to
from services import drafts, schema
from tests.migrations import rows


def _tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        found = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
    foreign = {name for name in found if is_foreign_to(engine.dialect.name, name, "table")}
    return found - foreign | (foreign & set(Base.metadata.tables))


def _server_side(engine: sa.Engine) -> set[tuple[Any, ...]]:
    """Return what the database itself says about its tables, indexes and constraints."""
    if engine.dialect.name == "sqlite":
        statement = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    else:
        statement = """
            SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
              FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT attrelid::regclass || '.' || attname,
                concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity,
                          pg_get_expr(adbin, adrelid))
              FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
              LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
             WHERE relnamespace = 'public'::regnamespace AND attnum > 0"""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(statement).all()
    return {
        (name, part)
        for name, text in found
        if "alembic_version" not in name
        for part in _parts(text, engine.dialect.name)
    }


def _parts(text: str, dialect: str) -> list[str]:
    """Cut a CREATE TABLE of SQLite into its lines, so that their order doesn't count.

    A column that was added later stands behind the last one, on its line.
    """
    if dialect != "sqlite":
        return [text]
    lines = re.sub(r", (?=\w+ [A-Z]+\b)", ",\n", text).splitlines()
    return [re.sub(r"\s+", " ", line).strip().rstrip(",") for line in lines]


class TestUpgrade:
    def test_models_and_migrations_agree(self, empty: sa.Engine) -> None:
        schema.upgrade(empty)

        assert drafts.differences(empty) == []

    def test_the_database_sees_no_difference_to_the_models(self, empty: sa.Engine) -> None:
        schema.upgrade(empty)
        migrated = _server_side(empty)
        schema.downgrade(empty)

        with empty.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            Base.metadata.create_all(connection)

        assert migrated == _server_side(empty)

    def test_tables_check_types(self, empty: sa.Engine) -> None:
        schema.upgrade(empty)
        rows.fill(empty)

        with empty.connect() as connection, pytest.raises(sa.exc.DBAPIError):
            connection.exec_driver_sql("UPDATE posts SET likes_count = 'abc'")

    def test_of_a_current_database_does_nothing(self, empty: sa.Engine) -> None:
        assert schema.upgrade(empty) is True

        assert schema.upgrade(empty) is False

    def test_a_newer_schema_is_refused(self, empty: sa.Engine) -> None:
        schema.upgrade(empty)
        with empty.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

        with pytest.raises(schema.SchemaMismatch, match="9999"):
            schema.upgrade(empty)

        assert _tables(empty) == set(Base.metadata.tables)


class TestDowngrade:
    def test_takes_a_filled_database_down_and_up_again(self, empty: sa.Engine) -> None:
        schema.upgrade(empty)
        rows.fill(empty)

        for version in reversed(["base", *schema.versions()[:-1]]):
            schema.downgrade(empty, version=version)
        assert _tables(empty) == set()

        for version in schema.versions():
            schema.upgrade(empty, version=version)
        rows.fill(empty)
        assert set(rows.counts(empty).values()) == {3}


class TestHead:
    def test_is_what_alembic_says(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(schema.FOLDER))

        scripts = ScriptDirectory.from_config(config)

        assert scripts.get_heads() == [schema.head()]
        assert [step.revision for step in scripts.walk_revisions()][::-1] == schema.versions()
