from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.application.report_incident import TOLD, IncidentCode
from orchestrator.application.views import FleetPicture, RobotPicture
from orchestrator.domain.access.decision import Why, judge
from orchestrator.domain.custody.people import believed
from orchestrator.domain.delivery.arrival import Arrival, LateStep
from orchestrator.domain.delivery.model import (
    PRIORITY_WORDS,
    Delivery,
    DeliveryId,
    DeliveryState,
    Priority,
    Stop,
    StopKind,
    Transition,
    Trip,
    TripId,
)
from orchestrator.domain.emergency.alarm import Alarm, AlarmId, AlarmKind
from orchestrator.domain.fleet.hold import Hold, HoldKind
from orchestrator.domain.fleet.model import OperatingMode, RobotFault, RobotId
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.people.model import Principal, PrincipalKind, Role
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.closure import LaneClosure
from orchestrator.domain.site.model import Lane, LaneGraph, LaneId, Site, StationId, ZoneId
from orchestrator.web.board import SUMMARY_WORDS, Board, Books, board_of
from orchestrator.web.hold_words import HOLD_WORDS, Act
from orchestrator.web.robot_rows import Doing, RobotRow, robot_row
from orchestrator.web.words import (
    AT_STOP_WORDS,
    DELIVERY_WORDS,
    TASK_WORDS,
    reason_sentence,
    short_id,
    span_words,
)
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, PREMISES, STATIONS, CountingIds, a_request, is_served
from tests.support.desk import GRAPH, HATCH, WARD, a_picture, a_report, a_site
from tests.support.wards import demo_hospital

ROBOT = RobotId("robot-1")
WARD_A = StationId("ward-a-handover")


@pytest.fixture
def site() -> Site:
    named = {**STATIONS, WARD_A: replace(STATIONS[WARD_A], name="Ward Alder")}
    return replace(a_site(), stations=named)


def a_delivery(
    name: str = "delivery-1", *, state: DeliveryState = DeliveryState.VERIFIED, **changes: object
) -> Delivery:
    with MemoryStore().transaction() as uow:
        queued = queue_delivery(
            uow,
            request=a_request(),
            at=NOON,
            ids=CountingIds(),
            present=believed("pharmacist-1"),
            premises=PREMISES,
            is_served=is_served,
        )
    return replace(queued, id=DeliveryId(name), state=state, **changes)


def a_trip(kind: StopKind, *deliveries: str, has_arrived: bool = True) -> Trip:
    stop = Stop(WARD_A, kind, tuple(DeliveryId(one) for one in deliveries))
    return Trip(TripId("trip-1"), ROBOT, (stop,), started_at=NOON, has_arrived=has_arrived)


def a_board(site: Site, *opened: Delivery, trips: tuple[Trip, ...] = (), fleet: FleetPicture | None = None) -> Board:
    books = Books(opened=opened, closed=(), trips=trips)
    return board_of(books, fleet or FleetPicture((), {}, {}), site=site, at=NOON)


def a_robot(
    site: Site, said: Mapping[str, object] | None = None, *, trip: Trip | None = None, is_lost: bool = False
) -> RobotRow:
    """A robot as listed; ``said`` are fields of its report."""
    report = replace(a_report(), **(said or {}))
    record = RobotRecord(ROBOT, trip=trip.id if trip else None)
    return robot_row(RobotPicture(ROBOT, a_picture().robots[0].model, record, report, is_lost), trip=trip, site=site)


def test_every_state_has_words_and_every_open_state_is_counted_once() -> None:
    assert set(DELIVERY_WORDS) == set(DeliveryState)
    assert set(PRIORITY_WORDS) == set(Priority)
    assert set(TASK_WORDS) == set(AT_STOP_WORDS) == set(StopKind)
    counted = [state for states in SUMMARY_WORDS.values() for state in states]
    assert sorted(counted) == sorted(state for state in DeliveryState if not state.is_closed)


def test_most_urgent_delivery_comes_first_then_the_one_due_first(site: Site) -> None:
    routine = a_delivery("delivery-routine")
    due = a_delivery("delivery-due", due_by=NOON + timedelta(hours=1))
    stat = a_delivery("delivery-stat", priority=Priority.STAT)
    assert [row.name for row in a_board(site, routine, due, stat).deliveries] == ["stat", "due", "routine"]


def test_open_delivery_is_late_only_once_its_time_has_passed(site: Site) -> None:
    late, early = (a_delivery(due_by=NOON + timedelta(minutes=minutes)) for minutes in (-1, 1))
    assert a_board(site, late).deliveries[0].is_late
    assert not a_board(site, early).deliveries[0].is_late


def test_delivery_at_the_ward_is_a_task_there(site: Site) -> None:
    arrived = a_delivery(state=DeliveryState.ARRIVED, drawer="A")
    (task,) = a_board(site, arrived, trips=(a_trip(StopKind.HAND_OVER, "delivery-1"),)).tasks
    assert (task.place, task.act) == ("Ward Alder", "Receive from: robot-1")
    assert task.what.startswith("drawer A: 1 from")


def test_stop_that_is_done_or_not_reached_is_no_task(site: Site) -> None:
    arrived = a_delivery(state=DeliveryState.ARRIVED)
    sealed = a_delivery(state=DeliveryState.SEALED)
    on_the_way = a_trip(StopKind.HAND_OVER, "delivery-1", has_arrived=False)
    assert a_board(site, arrived, trips=(on_the_way,)).tasks == []
    assert a_board(site, sealed, trips=(a_trip(StopKind.LOAD, "delivery-1"),)).tasks == []


def test_lost_robot_and_incident_come_before_everything_else_that_waits(site: Site) -> None:
    arrived = a_delivery(state=DeliveryState.ARRIVED)
    incident = a_delivery("delivery-2", state=DeliveryState.INCIDENT)
    trips = (a_trip(StopKind.HAND_OVER, "delivery-1"),)
    tasks = a_board(site, arrived, incident, trips=trips, fleet=a_picture()).tasks
    assert [task.is_alarm for task in tasks] == [True, True, False]
    assert tasks[0].place == "robot-2"


@pytest.mark.parametrize("code", IncidentCode)
def test_what_a_person_reported_in_words_of_their_own_stands_on_no_page(site: Site, code: IncidentCode) -> None:
    said = Reason(f"incident_{code.value}", "Mrs Smith in bed 3 has it.")
    change = Transition(NOON, DeliveryState.ARRIVED, DeliveryState.INCIDENT, "nurse-1", said)
    board = a_board(site, a_delivery(state=DeliveryState.INCIDENT, history=(change,)))
    assert board.tasks[0].what == TOLD[code].sentence
    assert "Smith" not in board.model_dump_json()


def test_an_incident_that_nobody_reported_is_told_in_its_own_words_and_in_names(site: Site) -> None:
    change = Transition(NOON, None, DeliveryState.INCIDENT, "x", Reason("seal_differs", "It is at ward-a-handover."))
    assert a_board(site, a_delivery(state=DeliveryState.INCIDENT, history=(change,))).tasks[0].what == (
        "It is at Ward Alder."
    )


def test_robot_that_stands_for_people_says_where_and_for_what(site: Site) -> None:
    row = a_robot(site, trip=a_trip(StopKind.LOAD, "delivery-1"))
    assert (row.doing, row.words) == (Doing.WITH_PEOPLE, "to be loaded at Ward Alder")


@pytest.mark.parametrize(
    ("said", "doing", "needs_person"),
    [
        ({"is_driving": True}, Doing.DRIVING, False),
        ({}, Doing.RESTING, False),
        ({"is_driving": True, "is_emergency_stopped": True}, Doing.STOPPED, True),
        ({"faults": (RobotFault("motor", is_fatal=True),)}, Doing.STOPPED, True),
        ({"faults": (RobotFault("lamp", is_fatal=False),)}, Doing.RESTING, False),
        ({"mode": OperatingMode.MANUAL}, Doing.STOPPED, False),
    ],
    ids=["drives", "rests", "emergency stop", "fatal fault", "small fault", "driven by hand"],
)
def test_robot_shows_what_it_is_doing(site: Site, said: dict[str, object], doing: Doing, needs_person: bool) -> None:
    row = a_robot(site, said)
    assert (row.doing, row.needs_person) == (doing, needs_person)


def test_lost_robot_is_lost_whatever_it_said_last(site: Site) -> None:
    assert a_robot(site, {"is_driving": True}, is_lost=True).doing is Doing.LOST


def test_reason_names_stations_as_people_do(site: Site) -> None:
    told = reason_sentence([Reason("station_busy", "Another robot is at ward-a-handover.")], site=site)
    assert told == "Another robot is at Ward Alder."


def test_same_reason_of_every_robot_is_said_once_and_different_ones_are_counted(site: Site) -> None:
    busy = [Reason("robot_busy", f"robot-{i} is on another trip.") for i in (1, 2)]
    assert reason_sentence(busy, site=site) == "Every robot is on a trip; it waits for one to come free."
    mixed = [*busy, Reason("robot_lost", "robot-3 is silent.")]
    assert reason_sentence(mixed, site=site) == "robot-1 is on another trip. (2 more reasons.)"


def test_id_is_shortened_to_the_end_that_tells_it_apart() -> None:
    assert short_id("delivery-0123456789abcdef") == "89abcdef"
    assert short_id("7") == "7"


def a_held_row(*kinds: HoldKind, by: str = "porter-1", **changes: object) -> RobotRow:
    holds = tuple(Hold(kind, f"{kind.value}: see to it.", by, NOON) for kind in kinds)
    record = RobotRecord(ROBOT, holds=holds, **changes)  # type: ignore[arg-type]
    picture = replace(a_picture().robots[0], record=record)
    return robot_row(picture, trip=None, site=a_site(), home=StationId("charger-1"))


@pytest.mark.parametrize("kind", HoldKind)
def test_a_robot_says_what_it_is_held_for_by_whom_and_what_to_do(kind: HoldKind) -> None:
    row = a_held_row(kind)

    assert row.hold == f"{HOLD_WORDS[kind]} by porter-1"
    if kind.keeps_from_driving:
        assert (row.doing, row.short_words, row.reason) == (Doing.STOPPED, "HELD", f"{kind.value}: see to it.")


def test_a_robot_that_holds_itself_needs_somebody_and_one_that_a_person_holds_does_not() -> None:
    assert a_held_row(HoldKind.STOPPED, by=ROBOT).needs_person
    assert not a_held_row(HoldKind.PAUSED).needs_person


def test_a_robot_that_is_lost_for_its_clock_says_so_and_may_be_resumed() -> None:
    silent = replace(a_picture().robots[0], is_lost=True)
    row = robot_row(replace(silent, refused_clock_off_s=-7e7), trip=None, site=a_site())
    assert (row.doing, row.needs_person, row.clock_off_s) == (Doing.LOST, True, -7e7)
    assert "Its clock is 810 days behind ours" in row.reason
    assert Act.RESUME in row.acts
    others = (silent, replace(silent, is_lost=False, refused_clock_off_s=-7e7))
    assert [robot_row(other, trip=None, site=a_site()).clock_off_s for other in others] == [None, None]
    assert not any(Act.RESUME in robot_row(other, trip=None, site=a_site()).acts for other in others)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45.0, "45 s"), (119.0, "119 s"), (121.0, "2 min"), (3_600.0, "60 min"), (10_800.0, "3 h"), (7e7, "810 days")],
)
def test_a_span_is_said_in_units_that_people_can_picture(seconds: float, words: str) -> None:
    assert span_words(seconds) == words


def test_buttons_are_for_what_may_be_done() -> None:
    assert a_held_row().acts == [Act.PAUSE, Act.SEND, Act.OUT_OF_SERVICE, Act.FENCE_OFF]
    assert a_held_row(HoldKind.STOPPED).acts == [Act.RESUME, Act.OUT_OF_SERVICE, Act.FENCE_OFF]
    assert a_held_row(HoldKind.FENCED_OFF, HoldKind.REMOVED).acts == [Act.RESUME, Act.OUT_OF_SERVICE]
    assert Act.IN_SERVICE in a_held_row(HoldKind.OUT_OF_SERVICE).acts
    assert Act.SEND not in a_held_row(target=StationId("charger-1")).acts
    assert Act.SEND not in a_held_row(trip=TripId("trip-1")).acts


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        (Role.NURSE, [Act.PAUSE]),
        (Role.PHARMACIST, [Act.PAUSE, Act.SEND]),
        (Role.PORTER, [Act.PAUSE, Act.SEND, Act.FENCE_OFF]),
        (Role.ENGINEER, [Act.PAUSE, Act.SEND, Act.OUT_OF_SERVICE, Act.FENCE_OFF]),
        (Role.ACCOUNTABLE_OFFICER, []),
    ],
)
def test_the_page_offers_nobody_what_would_be_refused_to_them(role: Role, acts: list[Act]) -> None:
    who = Principal("somebody-1", PrincipalKind.PERSON, roles=frozenset({role}))
    closures = [LaneClosure(LaneId("a"), NOON, "porter-1", "wet")]
    board = board_of(
        Books((), (), (), closures),
        a_picture(),
        site=a_site(),
        at=NOON,
        homes={ROBOT: StationId("charger-1")},
        may_do=lambda act: judge(who, act, None) is Why.ALLOWED,
    )
    assert [row.acts for row in board.robots if row.id == ROBOT] == [acts]
    assert [row.acts for row in board.closures] == [["open"] if role in (Role.PORTER, Role.ENGINEER) else []]


def test_both_directions_of_a_closed_lane_are_one_row_unless_they_were_closed_apart() -> None:
    there, back = LaneId("a"), LaneId("b")
    graph = LaneGraph(
        GRAPH, {}, {there: Lane(there, HATCH, WARD, reverse=back), back: Lane(back, WARD, HATCH, reverse=there)}
    )
    site = replace(a_site(), graphs={GRAPH: graph})
    closures = [LaneClosure(lane, NOON, "porter-1", "wet") for lane in (there, back)]

    board = board_of(Books((), (), (), closures), a_picture(), site=site, at=NOON)
    apart = board_of(
        Books((), (), (), [closures[0], replace(closures[1], by="porter-2")]), a_picture(), site=site, at=NOON
    )

    assert [(row.lanes, row.way, row.by) for row in board.closures] == [
        ([there, back], f"{HATCH} to {WARD}", "porter-1")
    ]
    assert [row.lanes for row in apart.closures] == [[there], [back]]
    assert "wet" not in board.model_dump_json()


def test_a_standing_alarm_is_the_first_thing_that_waits_for_people_and_says_so_in_words() -> None:
    site = demo_hospital()
    alarm = Alarm(AlarmId("a"), AlarmKind.FIRE, (ZoneId("alder"),), "api", NOON, "porter", "Smoke")
    over = replace(alarm, cleared_at=NOON, cleared_by="porter")

    board = board_of(Books((), (), (), alarms=[alarm, over]), a_picture(), site=site, at=NOON)

    first, second = board.tasks[:2]
    assert (first.place, first.is_alarm) == ("Ward Alder", True)
    assert first.act.startswith("FIRE ALARM")
    assert "let robots go on" in second.act


def test_when_a_delivery_is_expected_stands_beside_when_it_is_due(site: Site) -> None:
    arrival = Arrival(expected_at=NOON + timedelta(minutes=4), expected_latest_at=NOON + timedelta(minutes=9))
    due_by = NOON + timedelta(minutes=3)
    riding = a_delivery(state=DeliveryState.IN_TRANSIT, arrival=arrival, due_by=due_by)
    (row,) = a_board(site, riding).deliveries
    assert (row.expected, row.latest, row.is_late) == (arrival.expected_at, arrival.expected_latest_at, True)
    (there,) = a_board(site, replace(riding, state=DeliveryState.ARRIVED)).deliveries
    assert (there.expected, there.expected_words, there.latest, there.is_late) == (None, "", None, False)


def test_a_delivery_that_a_runner_is_needed_for_is_a_task_until_somebody_has_it_or_it_is_there(site: Site) -> None:
    called = Arrival(late=LateStep.RUNNER_NEEDED)
    riding = a_delivery(state=DeliveryState.IN_TRANSIT, arrival=called, robot=ROBOT, drawer="A")
    (task,) = a_board(site, riding).tasks
    assert task.is_alarm
    assert task.place == "robot-1, drawer A: delivery 1 to Ward Alder"
    assert "runner is asked for" in task.what
    for state in (DeliveryState.ARRIVED, DeliveryState.HANDED_TO_RUNNER, DeliveryState.RETURNING):
        assert a_board(site, replace(riding, state=state)).tasks == []
    assert a_board(site, replace(riding, arrival=Arrival(late=LateStep.TOLD))).tasks == []
