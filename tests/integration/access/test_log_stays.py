"""The database itself refuses to change what is written in the access log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from orchestrator.adapters.store import open_store
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Decision, Why
from tests.support.deliveries import NOON
from tests.support.postgresql import store_url_of

COLUMNS = "at, act, is_allowed, why, who, kind, device, subject"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of a store with three decisions, closed."""
    url = store_url_of(request.param, request)
    store = open_store(url)
    for number in range(3):
        with store.transaction() as uow:
            why = Why.WRONG_ROLE if number else Why.ALLOWED
            uow.decisions.add(Decision(NOON + timedelta(seconds=number), Act.OPEN_DRAWER, not number, why, "nurse-1"))
    store.close()
    return url


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_decision SET who = 'nurse-2' WHERE number = 2",
        "UPDATE access_decision SET is_allowed = is_allowed",
        "DELETE FROM access_decision WHERE number = 2",
        "DELETE FROM access_decision",
        f"INSERT INTO access_decision SELECT number + 1000, {COLUMNS} FROM access_decision WHERE number = 1",
        f"INSERT INTO access_decision SELECT number, {COLUMNS} FROM access_decision WHERE number = 2",
    ],
)
def test_no_decision_is_changed_deleted_or_put_in_between(url: str, statement: str) -> None:
    assert_refused(url, statement)


def test_all_decisions_at_once_are_neither_replaced_nor_thrown_away(url: str) -> None:
    is_file = url.startswith("sqlite")
    assert_refused(
        url, "REPLACE INTO access_decision SELECT * FROM access_decision" if is_file else "TRUNCATE access_decision"
    )


def assert_refused(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM access_decision ORDER BY number")).fetchall()
        assert len(before) == 3
        with pytest.raises(IntegrityError):
            connection.execute(text(statement))
        connection.rollback()
        assert connection.execute(text("SELECT * FROM access_decision ORDER BY number")).fetchall() == before
    engine.dispose()


def test_decisions_are_added_still(url: str) -> None:
    store = open_store(url)
    with store.transaction() as uow:
        assert uow.decisions.add(Decision(NOON, Act.WATCH, True, Why.ALLOWED, "nurse-1")).number == 4
    store.close()
