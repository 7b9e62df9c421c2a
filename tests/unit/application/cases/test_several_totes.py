"""A delivery in several totes: loaded, received, and left unopened tote by tote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.application.downtime import downtime_pack
from orchestrator.application.first_reading import COUNT_AGAIN
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.prepare_delivery import Picked
from orchestrator.application.receiving import SEAL_AGAIN, SEAL_DIFFERS
from orchestrator.application.whereabouts import where_is
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.errors import (
    LinesMismatchError,
    SealInUseError,
    SealMismatchError,
    WrongStateError,
)
from orchestrator.domain.delivery.model import Delivery, DeliveryState, LineCount, Tote
from orchestrator.domain.delivery.packing import Packed
from orchestrator.domain.delivery.seals import SealRead
from orchestrator.domain.errors import InvalidInputError, WardporterError
from tests.support.custody import HATCH, WARD_A, House, counted, line_of, morphine
from tests.support.deliveries import a_line
from tests.support.medicines import MORPHINE_GTIN
from tests.support.wards import demo_hospital

S = DeliveryState
PHARMACY_TWO = ("pharmacist-1", "technician-1")


@pytest.fixture
def house() -> House:
    return House()


def packed(delivery: Delivery, first: str = "S-1", second: str = "S-2") -> tuple[Packed, ...]:
    """The first line in one tote, the others in a second."""
    lines = tuple(line.id for line in delivery.lines)
    return Packed(first, lines[:1]), Packed(second, lines[1:])


def sealed(house: House) -> Delivery:
    at_hatch = house.at_hatch(morphine(10), morphine(20))
    return house.load(at_hatch, totes=packed(at_hatch))


def arrived(house: House) -> Delivery:
    return house.drive(sealed(house))


def read(delivery: Delivery, *seals: str, **more: Any) -> tuple[SealRead, ...]:
    return tuple(
        SealRead(tote.id, seal, **more) for tote, seal in zip(delivery.open_totes, seals or ("S-1", "S-2"), strict=True)
    )


def held(house: House, delivery: Delivery) -> list[int]:
    """What the ledger counts in each tote."""
    return [house.units(AccountKind.TRANSIT, tote.id) for tote in house.now(delivery).totes]


# -- loading -----------------------------------------------------------------------------------------------------------


def test_each_line_lies_in_the_account_of_its_own_tote_and_its_entry_names_the_seal_of_that(house: House) -> None:
    loaded = sealed(house)
    assert [tote.seal_number for tote in loaded.totes] == ["S-1", "S-2"]
    assert [tote.lines for tote in loaded.totes] == [(line_of(loaded, 0),), (line_of(loaded, 1),)]
    assert held(house, loaded) == [10, 20]
    with house.store.reading() as uow:
        entries = [e.draft for e in uow.ledger.entries(limit=100, delivery=loaded.id) if e.draft.line is not None]
        pendings = {pending.line: pending.tote for pending in uow.ledger.open_pendings()}
    assert [entry.facts["seal"] for entry in entries] == ["S-1", "S-2"]
    assert pendings == {tote.lines[0]: tote.id for tote in loaded.totes}


def test_the_load_that_robots_report_stays_what_it_was_however_many_totes_there_are(house: House) -> None:
    at_hatch = house.at_hatch(morphine(10), morphine(20))
    loaded = house.load(at_hatch, totes=packed(at_hatch))
    assert loaded.load == at_hatch.load == at_hatch.totes[0].id == loaded.totes[0].id
    assert loaded.totes[1].id != loaded.totes[0].id


def test_one_seal_puts_every_line_into_one_tote(house: House) -> None:
    loaded = house.sealed(morphine(10), morphine(20))
    (tote,) = loaded.totes
    assert (tote.seal_number, tote.lines) == ("S-1", tuple(line.id for line in loaded.lines))


@pytest.mark.parametrize(
    ("seals", "lines", "error"),
    [
        (("S-1", "S-1"), ((0,), (1,)), InvalidInputError),
        (("S-1", " "), ((0,), (1,)), InvalidInputError),
        (("S-1", "S-2"), ((0,), (0, 1)), LinesMismatchError),
        (("S-1", "S-2"), ((0,), ()), LinesMismatchError),
        (("S-1", "S-2"), ((0, 1), ()), LinesMismatchError),
        (("S-1", "S-of-before"), ((0,), (1,)), SealInUseError),
    ],
)
def test_totes_that_do_not_hold_each_line_once_under_seals_of_their_own_are_refused(
    house: House, seals: tuple[str, ...], lines: tuple[tuple[int, ...], ...], error: type[WardporterError]
) -> None:
    house.load(house.at_hatch(), seal="S-of-before")
    at_hatch = house.at_hatch(morphine(10), morphine(20))
    totes = [
        Packed(seal, tuple(line_of(at_hatch, number) for number in numbers))
        for seal, numbers in zip(seals, lines, strict=True)
    ]
    with pytest.raises(error):
        house.load(at_hatch, totes=totes)
    assert house.now(at_hatch) == at_hatch


@pytest.mark.parametrize("gives_both", [True, False])
def test_one_seal_or_totes_is_given_not_both_and_not_neither(house: House, gives_both: bool) -> None:
    from orchestrator.application.load_delivery import load_delivery

    at_hatch = house.at_hatch(morphine(10), morphine(20))
    with pytest.raises(InvalidInputError, match=r"expected one of them\. Give seal_number for one tote, or totes"):
        house.do(
            load_delivery,
            delivery=at_hatch.id,
            seal_number="S-9" if gives_both else None,
            totes=packed(at_hatch) if gives_both else (),
            counts=counted(at_hatch),
            present=house.present(*PHARMACY_TWO),
            premises=house.premises,
            ids=house.ids,
        )


# -- receipt -----------------------------------------------------------------------------------------------------------


def test_all_totes_are_received_at_once(house: House) -> None:
    standing = arrived(house)
    received = house.receive(standing, totes=read(standing))
    assert received.state is S.RECEIVED
    assert [tote.seal_read for tote in received.totes] == ["S-1", "S-2"]
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 30
    assert held(house, standing) == [0, 0]


def test_one_seal_number_is_not_enough_for_two_totes(house: House) -> None:
    standing = arrived(house)
    with pytest.raises(InvalidInputError, match="lies in 2 totes"):
        house.receive(standing, seal="S-1")


def test_every_tote_is_named_once_and_no_other(house: House) -> None:
    standing = arrived(house)
    first, second = read(standing)
    for named in ((first,), (first, first), (first, second, second), (first, SealRead(first.tote, "S-2"))):
        with pytest.raises(InvalidInputError):
            house.receive(standing, totes=named)
    assert house.now(standing) == standing


def test_a_seal_read_wrongly_is_read_once_more_and_nothing_is_counted_before_that_47(house: House) -> None:
    standing = arrived(house)
    again = house.receive(standing, totes=read(standing, "S-1", "S-7"))
    assert (again.state, again.waiting) == (S.ARRIVED, (SEAL_AGAIN,))
    assert held(house, standing) == [10, 20]
    assert house.receive(standing, totes=read(standing)).state is S.RECEIVED
    assert house.incidents() == []


def test_a_tote_whose_seal_differs_twice_goes_back_unopened_and_the_other_is_received_47(house: House) -> None:
    standing = arrived(house)
    house.receive(standing, totes=read(standing, "S-1", "S-7"))
    only_first = (LineCount(line_of(standing, 0), 10),)
    back = house.receive(standing, totes=read(standing, "S-1", "S-7"), counts=only_first)
    assert back.state is S.RETURNING
    assert back.history[-1].reason == SEAL_DIFFERS
    assert house.incidents() == ["seal_differs"]
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 10
    assert held(house, standing) == [0, 20]
    assert back.custody.accountable == "pharmacist-1"

    house.brought_back(back)
    taken = house.receive(back, *PHARMACY_TWO, seal="S-7", counts=())
    assert taken.state is S.RETURNED
    assert house.units(AccountKind.QUARANTINE, HATCH) == 20
    assert held(house, standing) == [0, 0]
    assert [settled.end for settled in taken.custody.settled] == [LineEnd.RECEIVED, LineEnd.QUARANTINED]


def test_the_tote_that_went_back_is_counted_where_its_seal_is_read_rightly(house: House) -> None:
    standing = arrived(house)
    house.receive(standing, totes=read(standing, "S-1", "S-7"))
    back = house.receive(standing, totes=read(standing, "S-1", "S-7"))
    house.brought_back(back)
    taken = house.receive(back, *PHARMACY_TWO, seal="S-2", counts=(LineCount(line_of(standing, 1), 20),))
    assert taken.state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == 20


def test_what_is_left_unopened_stays_so_while_the_other_tote_is_counted_again(house: House) -> None:
    standing = arrived(house)
    house.receive(standing, totes=read(standing, "S-1", "S-7"))
    again = house.receive(standing, totes=read(standing, "S-1", "S-7"), off_by=-1)
    assert (again.state, again.waiting) == (S.ARRIVED, (COUNT_AGAIN,))
    # The right number comes too late, and naming it is not asked for any more.
    late = house.receive(standing, totes=read(again)[:1], off_by=-1)
    assert late.state is S.RETURNING
    assert house.units(AccountKind.QUARANTINE, WARD_A) == 9
    assert held(house, standing) == [0, 20]
    assert house.incidents() == ["seal_differs", "short"]


def test_the_right_number_read_too_late_does_not_open_a_tote(house: House) -> None:
    standing = arrived(house)
    house.receive(standing, totes=read(standing, "S-1", "S-7"))
    house.receive(standing, totes=read(standing, "S-1", "S-7"), off_by=-1)
    late = house.receive(standing, totes=read(standing, "S-1", "S-2"), off_by=-1)
    assert late.state is S.RETURNING
    assert held(house, standing) == [0, 20]


def test_a_tote_is_counted_again_of_its_own_whatever_was_counted_before(house: House) -> None:
    """What differs at the pharmacy is counted once more there, though another tote was counted twice on the ward."""
    standing = arrived(house)
    house.receive(standing, totes=read(standing, "S-1", "S-7"))
    house.receive(standing, totes=read(standing, "S-1", "S-7"), off_by=-1)
    back = house.receive(standing, totes=read(standing, "S-1", "S-7"), off_by=-1)
    house.brought_back(back)
    short = (LineCount(line_of(standing, 1), 19),)
    first = house.receive(back, *PHARMACY_TWO, seal="S-2", counts=short)
    assert (first.state, first.waiting) == (S.RETURNING, (COUNT_AGAIN,))
    assert house.receive(back, *PHARMACY_TWO, seal="S-2", counts=short).state is S.RETURNED
    assert house.units(AccountKind.SHORT, HATCH) == 1


def test_a_broken_seal_is_an_incident_of_its_tote_and_its_contents_are_counted_48(house: House) -> None:
    standing = arrived(house)
    first, second = read(standing)
    received = house.receive(standing, totes=(first, SealRead(second.tote, "S-7", is_broken=True)))
    assert received.state is S.RECEIVED
    assert house.incidents() == ["seal_broken"]
    with house.store.reading() as uow:
        assert second.tote in uow.incidents.newest(1)[0].sentence
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 30


def test_a_broken_seal_is_said_of_one_tote(house: House) -> None:
    standing = arrived(house)
    with pytest.raises(InvalidInputError, match="not which"):
        house.receive(standing, totes=read(standing), is_seal_broken=True)


def test_lines_of_opened_totes_are_counted_all_and_no_others(house: House) -> None:
    standing = arrived(house)
    for counts in (counted(standing)[:1], (*counted(standing), LineCount(line_of(standing, 0), 10))):
        with pytest.raises(LinesMismatchError):
            house.receive(standing, totes=read(standing), counts=counts)
    assert house.now(standing) == standing


def test_refused_lines_of_two_totes_go_back_in_one_of_their_own(house: House) -> None:
    at_hatch = house.at_hatch(morphine(10), morphine(20), morphine(5))
    standing = house.drive(house.load(at_hatch, totes=packed(at_hatch)))
    refused = (line_of(standing, 0), line_of(standing, 2))
    back = house.receive(standing, totes=read(standing), refused=refused, new_seal="S-9")
    assert back.state is S.RETURNING
    assert back.load == standing.load
    assert [tote.lines for tote in back.totes] == [(), (line_of(standing, 1),), refused]
    assert held(house, standing) == [0, 0, 15]
    with house.store.reading() as uow:
        resealed = [e.draft for e in uow.ledger.entries(limit=100) if e.draft.kind.value == "resealed"]
        assert {pending.line: pending.to_place for pending in uow.ledger.open_pendings()} == dict.fromkeys(
            refused, HATCH
        )
    assert [entry.facts["seal"] for entry in resealed] == ["S-9", "S-9"]
    assert all(len({signature.person for signature in entry.signatures}) == 2 for entry in resealed)

    house.brought_back(back)
    counts = (LineCount(refused[0], 10), LineCount(refused[1], 5))
    assert house.receive(back, *PHARMACY_TWO, seal="S-9", counts=counts).state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == 15


def test_one_tote_left_unopened_and_a_refused_line_go_back_each_under_its_seal(house: House) -> None:
    at_hatch = house.at_hatch(morphine(10), morphine(20), morphine(5))
    lines = tuple(line.id for line in at_hatch.lines)
    standing = house.drive(house.load(at_hatch, totes=(Packed("S-1", lines[:2]), Packed("S-2", lines[2:]))))
    house.receive(standing, totes=read(standing, "S-1", "S-7"))
    said = {"refused": (lines[1],), "new_seal": "S-9", "totes": read(standing, "S-1", "S-7")}
    with pytest.raises(LinesMismatchError):
        house.receive(standing, **{**said, "refused": (lines[2],)})
    back = house.receive(standing, **said)
    assert held(house, standing) == [0, 5, 20]
    house.brought_back(back)
    counts = (LineCount(lines[1], 20), LineCount(lines[2], 5))
    returned = house.receive(back, *PHARMACY_TWO, totes=read(back, "S-2", "S-9"), counts=counts)
    assert returned.state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == 25


def test_a_seal_that_was_used_is_not_put_on_what_goes_back(house: House) -> None:
    standing = arrived(house)
    with pytest.raises(SealInUseError):
        house.receive(standing, totes=read(standing), refused=(line_of(standing, 0),), new_seal="S-2")


def test_lines_are_refused_on_arrival_only(house: House) -> None:
    standing = arrived(house)
    carried = runner(house, standing, totes=read(standing))
    with pytest.raises(WrongStateError, match="The refusal of lines"):
        house.receive(carried, totes=read(standing), refused=(line_of(standing, 0),), new_seal="S-9")


# -- carried by a person -----------------------------------------------------------------------------------------------


def runner(house: House, delivery: Delivery, **looked: Any) -> Delivery:
    return house.do(
        hand_to_runner,
        delivery=delivery.id,
        reason="the robot stands",
        is_emptied=True,
        present=house.present("pharmacist-2", "nurse-a1"),
        premises=house.premises,
        ids=house.ids,
        taken_out=TakenOut(**looked),
    )


def test_a_runner_reads_every_seal_and_each_that_differs_is_an_incident(house: House) -> None:
    standing = arrived(house)
    with pytest.raises(InvalidInputError, match="lies in 2 totes"):
        runner(house, standing, seal_number="S-1")
    with pytest.raises(InvalidInputError):
        runner(house, standing, totes=read(standing)[:1])
    assert runner(house, standing, totes=read(standing, "S-1", "S-7")).state is S.HANDED_TO_RUNNER
    assert house.incidents() == ["seal_differs"]


def test_what_a_runner_brought_is_received_but_for_a_tote_that_is_set_apart_on_the_ward(house: House) -> None:
    carried = runner(house, arrived(house))
    house.receive(carried, totes=read(carried, "S-1", "S-7"))
    after = house.receive(carried, totes=read(carried, "S-1", "S-7"))
    assert after.state is S.INCIDENT
    assert house.units(AccountKind.CUPBOARD, WARD_A) == 10
    assert house.units(AccountKind.QUARANTINE, WARD_A) == 20
    assert held(house, carried) == [0, 0]


def test_at_the_pharmacy_a_tote_whose_seal_differs_is_set_apart_and_the_other_is_taken_back(house: House) -> None:
    carried = runner(house, arrived(house))
    house.receive(carried, *PHARMACY_TWO, totes=read(carried, "S-1", "S-7"))
    after = house.receive(carried, *PHARMACY_TWO, totes=read(carried, "S-1", "S-7"))
    assert after.state is S.RETURNED
    assert house.units(AccountKind.RETURNED, HATCH) == 10
    assert house.units(AccountKind.QUARANTINE, HATCH) == 20


def test_a_tote_of_ordinary_medicines_is_refused_alone_and_nothing_changes(house: House) -> None:
    from orchestrator.domain.custody.supply import SupplyRequest

    ready = house.queue(a_line(), a_line(), supply=SupplyRequest())
    at_hatch = house.fetched(ready)
    standing = house.drive(house.load(at_hatch, "technician-1", totes=packed(at_hatch)))
    with pytest.raises(SealMismatchError) as refused:
        house.receive(standing, "nurse-a1", totes=read(standing, "S-1", "S-7"))
    assert refused.value.detail["tote"] == standing.totes[1].id
    assert "S-2" not in str(refused.value)
    assert house.receive(standing, "nurse-a1", totes=read(standing)).state is S.RECEIVED


# -- what is said of them ----------------------------------------------------------------------------------------------


def two_batches(house: House) -> Delivery:
    """A delivery with batch M-1 in its first tote and M-2 in its second, arrived."""
    house.approve()
    ready = house.queue(morphine(10, batch="M-1"), morphine(20, batch="M-2"))
    expiry = (house.at + timedelta(days=400)).date()
    picked = [
        Picked(line.id, line.quantity, gtin=MORPHINE_GTIN, batch=line.batch, expiry=expiry) for line in ready.lines
    ]
    house.dispense(ready, *picked)
    house.check(ready)
    at_hatch = house.fetched(house.accept(ready))
    return house.drive(house.load(at_hatch, totes=packed(at_hatch)))


def test_a_batch_is_found_in_the_tote_that_holds_it_and_in_none_once_that_was_received(house: House) -> None:
    standing = two_batches(house)
    first, second = standing.totes

    def totes_of(batch: str) -> list[tuple[Tote, ...]]:
        with house.store.reading() as uow:
            found = where_is(uow, batch)
        return [found.totes_of(delivery) for delivery in found.under_way]

    assert [[tote.id for tote in totes] for totes in totes_of("M-1")] == [[first.id]]
    assert [[tote.id for tote in totes] for totes in totes_of("M-2")] == [[second.id]]
    for _ in range(2):
        house.receive(standing, totes=read(standing, "S-1", "S-7"))
    assert totes_of("M-1") == [()]
    assert [[tote.id for tote in totes] for totes in totes_of("M-2")] == [[second.id]]


def test_the_downtime_pack_names_the_tote_and_the_seal_of_each_line(house: House) -> None:
    standing = two_batches(house)
    with house.store.reading() as uow:
        pack = downtime_pack(uow, demo_hospital(), (), at=house.at, is_simulation=True)
    assert [(row.batch, row.tote, row.seal) for row in pack.rows] == [
        ("M-1", standing.totes[0].id, "S-1"),
        ("M-2", standing.totes[1].id, "S-2"),
    ]
