"""What must be quick: a statement is compiled once and run on the driver's own connection.

SQLAlchemy takes 70-250 us to run a statement that SQLite answers in 13; what it does in that time
(caching, events, transactions, result objects) a single one does not need.
"""

from __future__ import annotations

import threading
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from typing import Any

import sqlalchemy as sa
from cachetools import LRUCache
from sqlalchemy.orm import Session

from models.engine import as_sqlalchemy, ends_use

#: Value of a parameter → what the driver takes; value of a column → what Python gets.
Convert = Callable[[Any], Any]


class Question:
    """What returns rows, as named tuples; asked through a session, in its transaction if any.

    Args:
        statement: a SELECT, or an INSERT with RETURNING.
        keys: the columns that each INSERT gives.
        planned_anew: its plan depends on the values so much that PostgreSQL must not keep one.
    """

    def __init__(
        self,
        statement: sa.Select[*tuple[Any, ...]] | Any,
        keys: Sequence[str] = (),
        *,
        planned_anew: bool = False,
    ) -> None:
        self.statement = statement
        self._keys = keys
        self._planned_anew = planned_anew
        self._texts: dict[str, _Text | None] = {}
        columns = list(statement.exported_columns)
        make: Any = namedtuple  # what its fields are is known only now
        self._row = make("Row", [column.key for column in columns], rename=True)

    def ask(self, session: Session, params: Mapping[str, Any]) -> Sequence[Any]:
        """Return all rows.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: as from any statement.
        """
        engine = _engine(session)
        if self._text(engine.dialect) is None or engine.dispatch.before_cursor_execute:
            return session.connection().execute(self.statement, dict(params)).all()
        if session.in_transaction():
            with _within(session.connection()) as driver:
                return self._rows(driver, engine.dialect, params)
        return self.ask_apart(engine, params)

    def ask_apart(self, engine: sa.Engine, params: Mapping[str, Any]) -> Sequence[Any]:
        """Return all rows, as a transaction of its own. Raises as ``ask``."""
        with _apart(engine) as driver:
            return self._rows(driver, engine.dialect, params)

    def _rows(self, driver: Any, dialect: sa.Dialect, params: Mapping[str, Any]) -> Sequence[Any]:
        text = self._text(dialect)
        if text is None:
            raise TypeError("its text depends on the values: it can't be prepared")
        anew = self._planned_anew and dialect.name == "postgresql"
        cursor = driver.execute(
            text.sql, text.values(params), **({"prepare": False} if anew else {})
        )
        found = [list(row) for row in cursor.fetchall()]
        cursor.close()
        for row in found:
            for index, read in text.readers:
                row[index] = read(row[index])
        return [self._row._make(row) for row in found]

    def _text(self, dialect: sa.Dialect) -> _Text | None:
        if dialect.name not in self._texts:
            self._texts[dialect.name] = _compile(self.statement, dialect, self._keys)
        return self._texts[dialect.name]


class Command:
    """A statement that returns nothing.

    Args:
        keys: the columns of an INSERT that each row has.
    """

    def __init__(self, statement: Any, keys: Sequence[str] = ()) -> None:
        self.statement = statement
        self.keys = keys
        self._texts: dict[str, _Text | None] = {}

    def text(self, dialect: sa.Dialect) -> _Text | None:
        """Return its text for a kind of database; None if it depends on the values."""
        if dialect.name not in self._texts:
            self._texts[dialect.name] = _compile(self.statement, dialect, self.keys)
        return self._texts[dialect.name]


class Passing(Command):
    """A statement that is built for one call, with its values in it.

    To compile it takes 6 ms; so its text is kept by its form, as SQLAlchemy's own cache does.
    """

    def text(self, dialect: sa.Dialect) -> _Text | None:
        """Return its text with these values."""
        key = self.statement._generate_cache_key()
        if key is None:
            return super().text(dialect)
        form = (dialect.name, key.key)
        with _lock:
            known = _forms.get(form)
        if known is None:
            compiled = self.statement.compile(dialect=dialect, cache_key=key)
            known = compiled, _text_of(self.statement, compiled, dialect)
            with _lock:
                _forms[form] = known
        compiled, text = known
        return text and text.holding(
            compiled.construct_params(extracted_parameters=key.bindparams, _check=False)
        )


#: Form of a statement → what was compiled of the first one, and its text.
_forms: LRUCache[Any, tuple[Any, _Text | None]] = LRUCache(256)
_lock = threading.Lock()


def run_last(session: Session, *steps: tuple[Command, Sequence[Mapping[str, Any]]]) -> None:
    """Run the last commands of the session's transaction, each for all of its rows.

    The COMMIT comes with them, unless this is a savepoint; ``session.commit()`` only tidies up.
    PostgreSQL gets all in one go: what the first one locks is held while the server works, not
    while this process waits for its turn.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: as from any statement.
    """
    engine, connection = _engine(session), session.connection()
    texts = [command.text(engine.dialect) for command, _ in steps]
    if None in texts or engine.dispatch.before_cursor_execute:
        for command, rows in steps:
            if rows:
                connection.execute(command.statement, [dict(row) for row in rows])
        return
    is_postgresql = engine.dialect.name == "postgresql"
    with _within(connection) as driver, driver.pipeline() if is_postgresql else nullcontext():
        for text, (_, rows) in zip(texts, steps, strict=True):
            for row in rows:
                driver.execute(text.sql, text.values(row))  # type: ignore[union-attr]
        if not connection.in_nested_transaction():
            driver.commit()


class _Text:
    """A statement for one kind of database, and how values get in and out."""

    def __init__(self, statement: Any, compiled: Any, dialect: sa.Dialect) -> None:
        self.sql = str(compiled)
        names = compiled.positiontup or list(compiled.binds)
        self._binds = [(name, *_bind(compiled.binds[name], dialect)) for name in names]
        self._is_positional = compiled.positiontup is not None
        columns = getattr(statement, "exported_columns", ())
        readers = [_reader(column.type, dialect) for column in columns]
        self.readers = [(index, read) for index, read in enumerate(readers) if read]

    def holding(self, values: Mapping[str, Any]) -> _Text:
        """Return the same with other values where none are given."""
        text = copy(self)
        # Names that the text does not have keep theirs: SQLAlchemy lists some twice.
        text._binds = [(name, values.get(name, old), convert) for name, old, convert in self._binds]
        return text

    def values(self, params: Mapping[str, Any]) -> Any:
        """Return what the driver takes for its parameters."""
        values = [
            convert(params.get(name, default)) if convert else params.get(name, default)
            for name, default, convert in self._binds
        ]
        if self._is_positional:
            return values
        return {name: value for (name, _, _), value in zip(self._binds, values, strict=True)}


def _engine(session: Session) -> sa.Engine:
    bind = session.get_bind()
    return bind if isinstance(bind, sa.Engine) else bind.engine


@contextmanager
def _apart(engine: sa.Engine) -> Iterator[Any]:
    """Lend a connection of the pool on which each statement is a transaction."""
    try:
        pooled = engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as exc:  # the database is away
        raise as_sqlalchemy(exc, engine.dialect, is_lost=True) from exc
    driver: Any = pooled.dbapi_connection
    begins = engine.dialect.name == "postgresql"  # SQLite's are told not to when they are made
    is_lost = False
    try:
        if begins:
            driver.autocommit = True
        yield driver
    except engine.dialect.loaded_dbapi.Error as exc:
        if is_lost := ends_use(exc, driver, engine.dialect):
            pooled.invalidate(exc)
        raise as_sqlalchemy(exc, engine.dialect, is_lost) from exc
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
        if is_lost := ends_use(exc, driver, connection.dialect):
            connection.invalidate(exc)
        raise as_sqlalchemy(exc, connection.dialect, is_lost) from exc


def _compile(statement: Any, dialect: sa.Dialect, keys: Sequence[str]) -> _Text | None:
    """Return None if the text depends on the values, as that of ``IN`` a list does."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys) or None)
    return _text_of(statement, compiled, dialect)


def _text_of(statement: Any, compiled: Any, dialect: sa.Dialect) -> _Text | None:
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    return _Text(statement, compiled, dialect)


def _bind(bind: sa.BindParameter[Any], dialect: sa.Dialect) -> tuple[Any, Convert | None]:
    return bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
