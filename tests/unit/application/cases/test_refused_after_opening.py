"""What was opened is counted where it was opened: nothing of it goes back, or on, as if its bag were whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.first_reading import COUNT_AGAIN
from orchestrator.application.refuse_delivery import patient_moved, refuse_delivery
from orchestrator.application.rerouting import follow_patient
from orchestrator.application.robot_acts import Asked
from orchestrator.application.withdraw_robot import Aboard, withdraw_robot
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.errors import CountUnfinishedError
from orchestrator.domain.delivery.model import DeliveryId, DeliveryState, LineCount
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.model import StationId
from tests.support.custody import TEN, WARD_A, WARD_B, House, line_of, morphine
from tests.support.desk import a_small_fleet

S = DeliveryState


@pytest.fixture
def house() -> House:
    return House()


def refused(house: House, delivery: DeliveryId) -> None:
    nurse = house.present("nurse-a1")
    house.do(refuse_delivery, delivery=delivery, reason="not ours", present=nurse, premises=house.premises)


def cancelled(house: House, delivery: DeliveryId) -> None:
    said: dict[str, Any] = {"reason": "not wanted", "by": "pharmacist-1", "premises": house.premises}
    house.do(cancel_delivery, delivery=delivery, **said)


def without_patient(house: House, delivery: DeliveryId) -> None:
    house.do(patient_moved, delivery=delivery, present=house.present("pharmacist-1"), premises=house.premises)


def after_its_patient(house: House, delivery: DeliveryId) -> None:
    said: dict[str, Any] = {"fleet": a_small_fleet(), "to_station": StationId(WARD_B)}
    house.do(follow_patient, delivery=delivery, present=house.present("pharmacist-1"), **said)


def with_its_robot(house: House, delivery: DeliveryId) -> None:
    fleet = a_small_fleet()
    with house.store.transaction() as uow:
        robot = uow.deliveries.get(delivery).robot
        assert robot is not None
        uow.robots.save(replace(uow.robots.get(robot), trip=uow.deliveries.get(delivery).trip))
        asked = Asked(robot, "porter-1", "it is needed elsewhere", house.at)
        withdraw_robot(uow, fleet, asked, ids=house.ids, aboard=Aboard.RETURN)


@pytest.mark.parametrize("sent_away", [refused, cancelled, without_patient, after_its_patient, with_its_robot])
def test_what_was_opened_and_is_to_be_counted_again_goes_nowhere_before_that(
    house: House, sent_away: Callable[[House, DeliveryId], None]
) -> None:
    arrived = house.arrived()
    counting = house.receive(arrived, off_by=-1)
    with pytest.raises(CountUnfinishedError, match="counted once more"):
        sent_away(house, arrived.id)
    assert house.now(arrived) == counting


def test_what_is_recalled_while_people_count_it_again_is_not_turned_back_under_its_old_seal(house: House) -> None:
    arrived = house.arrived()
    house.receive(arrived, off_by=-1)
    house.recall()
    assert (house.now(arrived).state, house.now(arrived).waiting) == (S.ARRIVED, (COUNT_AGAIN,))


def test_case_51_a_line_that_is_something_else_is_not_refused_besides(house: House) -> None:
    arrived = house.arrived()
    line = line_of(arrived)
    with pytest.raises(InvalidInputError, match="as wrong"):
        house.receive(arrived, refused=(line,), wrong=(line,), new_seal="S-9")
    assert house.now(arrived) == arrived


def test_case_51_a_line_said_to_be_something_else_is_set_apart_though_it_is_refused_at_the_recount(
    house: House,
) -> None:
    arrived = house.arrived()
    line = line_of(arrived)
    house.receive(arrived, wrong=(line,), off_by=-1)
    received = house.receive(arrived, refused=(line,), new_seal="S-9")
    assert (received.state, received.custody.settled[0].end) == (S.RECEIVED, LineEnd.QUARANTINED)
    assert house.incidents() == ["wrong_contents"]


def test_a_refused_line_that_is_short_is_set_apart_where_that_was_found_and_is_an_incident(house: House) -> None:
    arrived = house.arrived(morphine(10), morphine(20))
    one, other = line_of(arrived, 0), line_of(arrived, 1)
    counts = (LineCount(one, 10), LineCount(other, 18))
    said: dict[str, Any] = {"counts": counts, "refused": (one, other), "new_seal": "S-9"}
    assert house.receive(arrived, **said).waiting == (COUNT_AGAIN,)
    back = house.receive(arrived, **said)
    assert back.state is S.RETURNING
    assert [tote.lines for tote in back.open_totes] == [(one,)]
    assert house.units(AccountKind.QUARANTINE, WARD_A) == 18
    assert house.units(AccountKind.SHORT, WARD_A) == 2
    assert house.incidents() == ["short"]


def test_a_refused_line_goes_back_when_its_recount_is_right(house: House) -> None:
    arrived = house.arrived()
    said: dict[str, Any] = {"refused": (line_of(arrived),), "new_seal": "S-9"}
    house.receive(arrived, off_by=-1, **said)
    back = house.receive(arrived, **said)
    assert (back.state, house.incidents()) == (S.RETURNING, [])
    assert house.units(AccountKind.TRANSIT, back.open_totes[0].id) == TEN


def test_a_new_seal_is_given_with_the_lines_that_go_back_under_it(house: House) -> None:
    arrived = house.arrived()
    with pytest.raises(InvalidInputError, match="new_seal"):
        house.receive(arrived, new_seal="S-9")
    assert house.now(arrived) == arrived
