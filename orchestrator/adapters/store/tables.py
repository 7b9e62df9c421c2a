"""The few statements that every repository needs, over SQLModel rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, Insert, Select, Table, Update, bindparam, insert, select, update
from sqlmodel import SQLModel

R = TypeVar("R", bound=SQLModel)


def table_of(row: type[SQLModel]) -> Table:
    """Return the table behind a row type."""
    return cast("Table", cast("Any", row).__table__)


def values_of(row: SQLModel) -> dict[str, Any]:
    """Return the values of a row by column."""
    return {column.name: getattr(row, column.name) for column in table_of(type(row)).columns}


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _select_by(table: Table, columns: tuple[str, ...]) -> Select[Any]:
    # Made once: a statement that is made anew each time costs about as much as it does to run it.
    return select(table).where(*(table.c[name] == bindparam(name) for name in columns))


def rows_by(connection: Connection, kind: type[R], **values: Any) -> Sequence[R]:
    """Return the rows whose columns have these values, as `select_rows` does."""
    return cast("Sequence[R]", connection.execute(_select_by(table_of(kind), tuple(values)), values).all())


def insert_rows(connection: Connection, rows: Iterable[SQLModel]) -> None:
    """Insert rows of one type."""
    listed = list(rows)
    if listed:
        connection.execute(_insert(table_of(type(listed[0]))), [values_of(row) for row in listed])


def update_row(
    connection: Connection, kind: type[SQLModel], where: ColumnElement[bool], values: Mapping[str, Any]
) -> None:
    """Set some columns of one row; nothing to set is nothing to do."""
    if values:
        connection.execute(update(table_of(kind)).where(where).values(dict(values)))


@cache
def _update_by(table: Table, column: str, names: tuple[str, ...]) -> Update:
    # Names of its own for the values, because the column that is looked for may be among them.
    values = {name: bindparam(f"new_{name}") for name in names}
    return update(table).where(table.c[column] == bindparam("looked_for")).values(values)


def update_row_by(
    connection: Connection, kind: type[SQLModel], column: str, looked_for: Any, values: Mapping[str, Any]
) -> None:
    """Set some columns of the row that has a value in a column."""
    statement = _update_by(table_of(kind), column, tuple(values))
    connection.execute(statement, {"looked_for": looked_for, **{f"new_{n}": value for n, value in values.items()}})


def changed_values(before: SQLModel, after: SQLModel) -> dict[str, Any]:
    """Return the columns in which two versions of a row differ."""
    old = values_of(before)
    return {name: value for name, value in values_of(after).items() if old[name] != value}


def select_rows(connection: Connection, kind: type[R], statement: Select[Any] | None = None) -> Sequence[R]:
    """Return the rows of a select over the whole table behind a row type.

    They are result rows with the attributes of ``kind``, only to be read: building an SQLModel of each would take
    several times as long as the query.
    """
    found = connection.execute(select(table_of(kind)) if statement is None else statement)
    return cast("Sequence[R]", found.all())
