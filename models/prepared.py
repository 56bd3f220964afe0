"""Reads that must be quick: a SELECT is compiled once and run on the driver's own connection.

SQLAlchemy takes 70-250 us to run a statement that SQLite answers in 13; what it does in that time
(caching, events, transactions, result objects) a single read does not need.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

#: Value of a parameter → what the driver takes; value of a column → what Python gets.
Convert = Callable[[Any], Any]


class Question:
    """A SELECT whose rows are named tuples; asked through a session, in its transaction if any."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement
        self._prepared: dict[str, _Prepared | None] = {}

    def ask(self, session: Session, params: Mapping[str, Any]) -> Sequence[Any]:
        """Return all rows.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: as from any statement.
        """
        bind = session.get_bind()
        engine = bind if isinstance(bind, sa.Engine) else bind.engine
        # Whoever listens to statements hears of this one in the usual way.
        quick = None if engine.dispatch.before_cursor_execute else self._on(engine.dialect)
        if quick is None:
            return session.connection().execute(self.statement, dict(params)).all()
        if session.in_transaction():
            return quick.run(params, _within(session.connection()))
        return quick.run(params, _apart(engine))

    def _on(self, dialect: sa.Dialect) -> _Prepared | None:
        if dialect.name not in self._prepared:
            self._prepared[dialect.name] = _prepare(self.statement, dialect)
        return self._prepared[dialect.name]


class _Prepared:
    """The text of a SELECT for one kind of database, and how values get in and out."""

    def __init__(self, statement: sa.Select[Any], compiled: Any, dialect: sa.Dialect) -> None:
        self._sql = str(compiled)
        names = compiled.positiontup or list(compiled.binds)
        self._binds = [(name, *_bind(compiled.binds[name], dialect)) for name in names]
        self._is_positional = compiled.positiontup is not None
        columns = list(statement.selected_columns)
        readers = [_reader(column.type, dialect) for column in columns]
        self._readers = [(index, read) for index, read in enumerate(readers) if read]
        make: Any = namedtuple  # what its fields are is known only now
        self._row = make("Row", [column.key for column in columns], rename=True)

    def run(self, params: Mapping[str, Any], lent: AbstractContextManager[Any]) -> list[Any]:
        """Return the rows as named tuples, by the connection of the driver that is lent."""
        values: Any = [
            convert(params.get(name, default)) if convert else params.get(name, default)
            for name, default, convert in self._binds
        ]
        if not self._is_positional:
            values = {name: value for (name, _, _), value in zip(self._binds, values, strict=True)}
        with lent as driver:
            cursor = driver.execute(self._sql, values)
            found = [list(row) for row in cursor.fetchall()]
            cursor.close()
        for row in found:
            for index, read in self._readers:
                row[index] = read(row[index])
        return [self._row._make(row) for row in found]


@contextmanager
def _apart(engine: sa.Engine) -> Iterator[Any]:
    """Lend a connection of the pool on which each statement is a transaction."""
    try:
        pooled = engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as exc:  # the database is away
        raise _error(exc, engine.dialect, is_lost=True) from exc
    driver: Any = pooled.dbapi_connection
    begins = engine.dialect.name == "postgresql"  # SQLite's are told not to when they are made
    is_lost = False
    try:
        if begins:
            driver.autocommit = True
        yield driver
    except engine.dialect.loaded_dbapi.Error as exc:
        if is_lost := engine.dialect.is_disconnect(exc, driver, None):
            pooled.invalidate(exc)
        raise _error(exc, engine.dialect, is_lost) from exc
    finally:
        if begins and not is_lost:
            driver.autocommit = False
        pooled.close()


@contextmanager
def _within(connection: sa.Connection) -> Iterator[Any]:
    """Lend the connection of a transaction."""
    driver: Any = connection.connection.dbapi_connection
    try:
        yield driver
    except connection.dialect.loaded_dbapi.Error as exc:
        if is_lost := connection.dialect.is_disconnect(exc, driver, None):
            connection.invalidate(exc)
        raise _error(exc, connection.dialect, is_lost) from exc


def _error(exc: Any, dialect: sa.Dialect, is_lost: bool) -> Any:
    """Return what SQLAlchemy would raise."""
    base = dialect.loaded_dbapi.Error
    return sa.exc.DBAPIError.instance(
        None, None, exc, base, connection_invalidated=is_lost, dialect=dialect
    )


def _prepare(statement: sa.Select[Any], dialect: sa.Dialect) -> _Prepared | None:
    """Return None if the text depends on the values, as that of ``IN`` a list does."""
    compiled: Any = statement.compile(dialect=dialect)
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    return _Prepared(statement, compiled, dialect)


def _bind(bind: sa.BindParameter[Any], dialect: sa.Dialect) -> tuple[Any, Convert | None]:
    return bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
