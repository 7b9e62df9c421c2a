"""The quarterly report: every section, nil returns, and totals that equal the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.custody import movements
from orchestrator.domain.custody.balances import fold
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.model import Account, AccountKind, Draft, Entry, Stock
from orchestrator.domain.custody.occurrence import (
    OccurrenceReport,
    Quarter,
    QuarterInvalidError,
    occurrence_report,
)
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.site.model import PlaceId
from tests.support.ledgers import MORPHINE, PHARMACY, occasion, opening

QUARTER = Quarter(2026, 1)
IN_IT = datetime(2026, 2, 3, 12, tzinfo=UTC)
TRAMADOL = Stock("99900000000111", "T-1")
SCHEDULES = {MORPHINE.medicine: Schedule.TWO, TRAMADOL.medicine: Schedule.THREE_NO_SAFE_CUSTODY}


def entries_of(*drafts: Draft, at: datetime = IN_IT) -> list[Entry]:
    return [
        Entry(index, at + timedelta(minutes=1), replace(draft, occurred_at=at), "", "")
        for index, draft in enumerate(drafts)
    ]


def report(
    entries: Sequence[Entry], incidents: Sequence[Incident] = (), quarter: Quarter = QUARTER
) -> OccurrenceReport:
    return occurrence_report(
        quarter,
        entries=entries,
        incidents=incidents,
        schedule_of=SCHEDULES.get,
        at=datetime(2026, 7, 1, tzinfo=UTC),
        is_simulation=True,
    )


def an_incident(schedule: str | None = "0002", *, at: datetime = IN_IT) -> Incident:
    return Incident(
        IncidentId("incident-1"), IncidentKind.SHORT, at, PlaceId("ward-a"), True, "One was missing.", schedule=schedule
    )


def test_a_quarter_without_anything_is_a_nil_return_with_every_section_70() -> None:
    found = report([])
    assert [section.schedule for section in found.sections] == [2, 3, 4, 5]
    assert found.is_nil
    assert all(section.is_nil and section.entries == 0 for section in found.sections)


def test_a_quarter_with_movements_and_no_incident_is_a_nil_return_70() -> None:
    found = report(entries_of(opening(), movements.supplied(MORPHINE, 2, occasion())))
    assert found.is_nil
    assert found.sections[0].entries == 2


def test_what_settles_a_difference_is_no_difference_of_its_own_70() -> None:
    check = movements.stock_check(MORPHINE, counted=97, expected=100, occasion=occasion(reason="x"))
    here = Account.of_place(AccountKind.CUPBOARD, PHARMACY)
    found = movements.resolve_discrepancy(MORPHINE, 3, occasion(reason="Found."), into=here)
    over = movements.stock_check(MORPHINE, counted=102, expected=100, occasion=occasion(reason="x"))
    less = movements.resolve_discrepancy(MORPHINE, -2, occasion(reason="Miscounted."), into=here)
    section = report(entries_of(opening(), check, found, over, less)).sections[0]
    assert [(one.units, one.is_settled) for one in section.differences] == [
        (3, False),
        (3, True),
        (-2, False),
        (-2, True),
    ]
    later = report(entries_of(found)).sections[0]
    assert (later.is_nil, len(later.differences)) == (True, 1)


def test_totals_equal_the_ledger_70() -> None:
    short = movements.stock_check(MORPHINE, counted=95, expected=98, occasion=occasion(reason="x"))
    over = movements.stock_check(TRAMADOL, counted=52, expected=50, occasion=occasion(reason="x"))
    unknown = Stock("99900000000909", "X-1")
    entries = entries_of(
        opening(),
        movements.supplied(MORPHINE, 2, occasion()),
        short,
        opening(TRAMADOL, counted=50),
        over,
        opening(unknown, counted=7),
        movements.destroyed(unknown, 7, occasion(reason="x")),
    )
    told: defaultdict[tuple[str, AccountKind], int] = defaultdict(int)
    for section in report(entries).sections:
        for movement in section.movements:
            told[movement.medicine, movement.account] += movement.units
    kept: defaultdict[tuple[str, AccountKind], int] = defaultdict(int)
    for (account, stock), units in fold(p for entry in entries for p in entry.draft.postings).items():
        kept[stock.medicine, account.kind] += units
    assert told == kept
    assert sum(told.values()) == 0


def test_differences_stand_in_the_section_of_their_schedule() -> None:
    short = movements.stock_check(MORPHINE, counted=95, expected=98, occasion=occasion(reason="x"))
    over = movements.stock_check(TRAMADOL, counted=52, expected=50, occasion=occasion(reason="x"))
    found = report(entries_of(opening(), short, over))
    two, three, *_ = found.sections
    assert [(d.entry, d.units) for d in two.differences] == [(1, 3)]
    assert [(d.entry, d.units) for d in three.differences] == [(2, -2)]
    assert not found.is_nil


def test_the_schedule_as_it_was_at_the_time_decides_the_section() -> None:
    before = occasion(facts={"schedule": "0009"})
    found = report(entries_of(movements.supplier_receipt(MORPHINE, 5, before)))
    assert [section.schedule for section in found.sections if section.entries] == [4]


def test_what_nobody_classified_has_a_section_of_its_own() -> None:
    found = report(entries_of(opening(Stock("99900000000909", "X-1"))), [an_incident(schedule=None)])
    assert [section.schedule for section in found.sections] == [2, 3, 4, 5, None]
    assert found.sections[-1].incidents


def test_incidents_near_misses_too_are_told_once_in_their_quarter() -> None:
    outside = an_incident(at=datetime(2026, 4, 1, 0, 0, tzinfo=UTC))
    found = report([], [an_incident(), outside, replace(an_incident(), is_controlled=False)])
    assert [len(section.incidents) for section in found.sections] == [1, 0, 0, 0]
    assert not found.is_nil


def test_late_entries_and_corrections_are_counted() -> None:
    given = entries_of(opening(), movements.supplied(MORPHINE, 2, occasion()))
    late = replace(given[1], recorded_at=IN_IT + timedelta(days=3))
    correction = movements.quantity_correction(given[1], right=3, occasion=occasion(reason="x"))
    found = report([given[0], late, replace(entries_of(correction)[0], index=2)])
    assert (found.sections[0].corrections, found.sections[0].late_entries) == (1, 1)


def test_a_quarter_begins_and_ends_at_midnight_in_the_hospital() -> None:
    second = Quarter.parse("2026-Q2")
    # British summer time: the hospital's first of July begins at 23:00 UTC.
    assert second.holds(datetime(2026, 6, 30, 22, 59, tzinfo=UTC))
    assert not second.holds(datetime(2026, 6, 30, 23, 0, tzinfo=UTC))
    assert Quarter.parse("2026-Q4").ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert report([]).is_final
    assert not report([], quarter=Quarter(2026, 3)).is_final


@pytest.mark.parametrize("text", ["", "2026", "2026-Q5", "2026-Q0", "26-Q1", "2026-q1", "2026-Q1 ", "\uff12026-Q1"])
def test_what_names_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(QuarterInvalidError):
        Quarter.parse(text)
