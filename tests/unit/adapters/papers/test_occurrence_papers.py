"""The occurrence report as it is printed: medicines by name and unit, words for codes; a nil return says that it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from orchestrator.adapters.papers.occurrence import occurrence_pdf
from orchestrator.adapters.papers.words import ACCOUNTS
from orchestrator.application.reports import quarterly_report
from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.custody.movements import stock_check, supplied
from orchestrator.domain.custody.occurrence import Quarter
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.drawn_pages import said_on
from tests.support.ledgers import MORPHINE, REGISTER, occasion, opening
from tests.support.medicines import MORPHINE as MORPHINE_TABLETS

AFTERWARDS = datetime(2026, 7, 1, tzinfo=UTC)


def printed(store: MemoryStore) -> list[str]:
    with store.reading() as uow:
        report = quarterly_report(uow, Quarter(2026, 1), at=AFTERWARDS, is_simulation=True)
    return [" ".join(page.split()) for page in said_on(occurrence_pdf(report))]


def a_store() -> MemoryStore:
    store = MemoryStore(REGISTER)
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE_TABLETS])
        uow.ledger.append(opening(), NOON)
        uow.ledger.append(supplied(MORPHINE, 2, occasion()), NOON)
        uow.ledger.append(stock_check(MORPHINE, counted=97, expected=98, occasion=occasion(reason="One gone.")), NOON)
        for kind in IncidentKind:
            made = Incident(
                IncidentId(f"incident {kind}"), kind, NOON, PlaceId("ward-a"), True, "Said.", schedule="0002"
            )
            uow.incidents.add(made)
    return store


def test_medicines_are_named_and_counted_in_their_unit() -> None:
    page = printed(a_store())[0]
    assert f"Morphine sulfate 10 mg modified-release tablet ({MORPHINE_TABLETS.code})" in page
    assert "1 tablet short" in page
    assert "to patients +2 tablet" in page


def test_no_code_of_a_program_stands_in_it() -> None:
    # The ids of these incidents are the codes of their kinds, with other letters around them.
    whole = re.sub(r"incident \w+", "", " ".join(printed(a_store())))
    assert re.findall(r"\w+_\w+", whole) == []
    assert set(ACCOUNTS) == set(AccountKind)


def test_a_nil_return_says_that_there_was_nothing_and_another_that_it_is_none() -> None:
    pages = printed(MemoryStore(REGISTER))
    assert len(pages) == 4
    assert all("Nil return" in page and page.count("None.") == 3 for page in pages)
    assert "Not a nil return" in printed(a_store())[0]
