from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.application.drawer_watch import (
    note_drawers,
    note_opened,
    note_refused,
    settle_openings,
    what_keeps_standing,
)
from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.application.grants import (
    OpeningAsked,
    checks_grants,
    grant_drawer,
    require_opened,
    void_grants_of,
)
from orchestrator.application.staff import revoke_staff
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.errors import (
    BreakGlassOffError,
    NotEligibleError,
    PeopleMissingError,
    SamePersonError,
)
from orchestrator.domain.custody.grant import Purpose, grant_of_text
from orchestrator.domain.custody.incident import Incident, IncidentKind
from orchestrator.domain.custody.issued_grant import (
    DrawerNotOpenedError,
    GrantOutcome,
    IssuedGrant,
    NoGrantsError,
    NonceUsedError,
    RobotNotReadyToOpenError,
)
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.model import (
    DrawerContent,
    DrawerReport,
    DrawerState,
    OperatingMode,
    RobotId,
    RobotReport,
)
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId, StationId, WaypointId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds, bring_to, queue
from tests.support.drawers import KEY
from tests.support.staff import Staff
from tests.support.wards import a_cast, demo_hospital

S = DeliveryState
NONCE = "ab" * 16
LATER = NOON + timedelta(seconds=5)


class Signer:
    def sign(self, text: str) -> str:
        return base64.b64encode(KEY.sign(text.encode())).decode()


HATCH, WARD = StationId("pharmacy_hatch_1"), StationId("ward_alder_handover")
PHARMACY, ALDER, BIRCH = PlaceId("pharmacy"), PlaceId("ward_alder"), PlaceId("ward_birch")


def somebody(name: str, role: Role, place: PlaceId, **more: object) -> Person:
    person = Person(PersonId(name), frozenset({role}), frozenset({place}), registration="12A3456B")
    return replace(person, **more)  # pyright: ignore[reportArgumentType]  # names are checked by the call


PHARMACIST = somebody("pharmacist-1", Role.PHARMACIST, PHARMACY)
TECHNICIAN = somebody("technician-1", Role.PHARMACY_TECHNICIAN, PHARMACY)
NURSE = somebody("nurse-1", Role.NURSE, ALDER)
SECOND_NURSE = somebody("nurse-2", Role.NURSE, ALDER)
NURSE_FROM_BIRCH = somebody("nurse-3", Role.NURSE, BIRCH)
BELIEVED = Present("nurse-9", is_believed=True)


class House:
    """One robot of the demo hospital, the delivery in its drawer, and what it reports."""

    def __init__(
        self,
        state: DeliveryState = S.ARRIVED,
        *,
        handling_class: HandlingClass = HandlingClass.ORDINARY,
        policy: CustodyPolicy | None = None,
    ) -> None:
        site = demo_hospital()
        cast = a_cast(site, robots=1)
        self.robot = cast.robots[0].id
        self.drawer = cast.model.drawers[0]
        self.fleet: FleetOnSite = assemble_fleet(
            site=site,
            robots={robot.id: robot for robot in cast.robots},
            models={robot.id: cast.model for robot in cast.robots},
            policy=FleetPolicy() if policy is None else FleetPolicy(custody=policy),
        )
        self.store, self.ids = MemoryStore(), CountingIds()
        with self.store.transaction() as uow:
            queued = queue(uow, ids=self.ids)
        arrived = bring_to(self.store, queued.id, S.LOADING if state is S.LOADING else S.ARRIVED)
        lines = tuple(replace(line, handling_class=handling_class) for line in arrived.lines)
        changed = replace(
            arrived, from_station=HATCH, to_station=WARD, robot=self.robot, drawer=self.drawer, lines=lines
        )
        if state not in (S.LOADING, S.ARRIVED):
            changed = moved(changed, state, at=NOON, cause="test")
        with self.store.transaction() as uow:
            uow.deliveries.save(changed)
        self.delivery = changed.id
        self.stand_at(HATCH if state is S.LOADING else WARD)

    def stand_at(self, station: StationId, **changes: object) -> None:
        """Let the robot stand at a station with its drawers locked, and say so; but for some changes."""
        place = self.fleet.waypoint_of(self.robot, station)
        report = replace(a_report(self.robot, place, self.drawer), **changes)  # pyright: ignore[reportArgumentType]
        self.put(RobotRecord(self.robot, tip=place, report=report, checks_grants=True))

    def put(self, record: RobotRecord) -> None:
        with self.store.transaction() as uow:
            uow.robots.save(record)

    @property
    def record(self) -> RobotRecord:
        with self.store.reading() as uow:
            return uow.robots.get(self.robot)

    def grant(
        self, present: Present = BELIEVED, *, purpose: Purpose | None = None, is_break_glass: bool = False
    ) -> IssuedGrant:
        asked = OpeningAsked(self.delivery, present, purpose, is_break_glass)
        with self.store.transaction() as uow:
            return grant_drawer(uow, self.fleet, asked, signer=Signer(), ids=self.ids, at=LATER)

    def turn(self, act: Callable[[Turn], object]) -> object:
        """Do something in a turn of the control."""
        with self.store.transaction() as uow:
            records = {self.robot: uow.robots.get(self.robot)}
            return act(Turn(uow, at=LATER, at_s=0.0, ids=self.ids, records=records))

    def told(self) -> list[str]:
        with self.store.reading() as uow:
            return [event.kind for event in uow.events.after(0, 100) if event.kind.startswith(("drawer", "alarm"))]

    def incidents(self) -> Sequence[Incident]:
        with self.store.reading() as uow:
            return uow.incidents.newest(10)

    def kept(self, grant: IssuedGrant) -> IssuedGrant:
        with self.store.reading() as uow:
            return uow.grants.get(grant.id)

    def report_drawer(
        self, state: DrawerState, content: DrawerContent = DrawerContent.UNKNOWN, *, is_tampered: bool = False
    ) -> None:
        """Let the robot report its drawer so."""
        before = self.record.report
        assert before is not None
        report = replace(before, drawers=(DrawerReport(self.drawer, state, content, is_tampered),))
        self.put(replace(self.record, report=report))
        self.turn(lambda turn: note_drawers(turn, self.robot, before, report, self.fleet.premises))

    def deliver(self) -> None:
        """Let the delivery be received."""
        with self.store.transaction() as uow:
            uow.deliveries.save(moved(uow.deliveries.get(self.delivery), S.RECEIVED, at=LATER, cause="nurse-1"))

    def why_it_stands(self) -> str | None:
        reason = self.turn(lambda turn: what_keeps_standing(turn, self.robot))
        return None if reason is None else reason.code  # pyright: ignore[reportAttributeAccessIssue]


def a_report(robot: RobotId, place: WaypointId, drawer: str) -> RobotReport:
    return RobotReport(
        robot=robot,
        received_at=NOON,
        order_id=None,
        order_update_id=0,
        last_waypoint=place,
        last_sequence=0,
        sequences_ahead=(),
        is_driving=False,
        is_paused=False,
        pose=None,
        battery=0.9,
        is_charging=False,
        mode=OperatingMode.AUTOMATIC,
        is_emergency_stopped=False,
        has_field_violation=False,
        drawers=(DrawerReport(drawer, DrawerState.LOCKED, DrawerContent.EMPTY),),
        nonce=NONCE,
    )


def test_the_robot_is_sent_a_signed_grant_for_the_nonce_it_shows() -> None:
    house = House()
    issued = house.grant()
    with house.store.reading() as uow:
        (message,) = uow.outbox.wanted()
        delivery = uow.deliveries.get(house.delivery)
    action = message.action
    assert action is not None
    assert action.grant is not None
    assert action.signature is not None
    assert (action.id, message.robot) == (issued.action, house.robot)
    KEY.public_key().verify(base64.b64decode(action.signature), action.grant.encode())
    grant = grant_of_text(action.grant)
    robot = house.fleet.robots[house.robot]
    assert (grant.manufacturer, grant.serial_number) == (robot.manufacturer, robot.serial_number)
    assert (grant.drawer, grant.delivery, grant.load) == (house.drawer, house.delivery, delivery.tote.load)
    assert (grant.purpose, grant.node) == (Purpose.HAND_OVER, house.fleet.waypoint_of(house.robot, WARD))
    assert (grant.nonce, grant.lifetime_s) == (NONCE, 60)


def test_no_event_holds_the_nonce_a_signature_or_what_lies_in_the_drawer() -> None:
    house = House()
    issued = house.grant(Present("nurse-1", (NURSE,)))
    with house.store.reading() as uow:
        told = json.dumps([[event.subject, dict(event.data)] for event in uow.events.after(0, 100)])
        medicines = [line.medicine for line in uow.deliveries.get(house.delivery).lines]
    assert issued.nonce not in told
    assert not any(medicine in told for medicine in medicines)
    assert "nurse-1" in told


@pytest.mark.parametrize(
    ("state", "purpose", "station"),
    [
        (S.LOADING, Purpose.LOAD, HATCH),
        (S.ARRIVED, Purpose.HAND_OVER, WARD),
        (S.RETURNING, Purpose.TAKE_BACK, HATCH),
    ],
)
def test_what_a_drawer_is_opened_for_follows_from_the_delivery(
    state: DeliveryState, purpose: Purpose, station: StationId
) -> None:
    house = House(state)
    house.stand_at(station)
    assert house.grant().purpose is purpose


def test_one_nonce_is_granted_once() -> None:
    house = House()
    house.grant()
    with pytest.raises(NonceUsedError):
        house.grant()


@pytest.mark.parametrize(
    "changes",
    [
        {"is_driving": True},
        {"last_waypoint": WaypointId("hall_ne")},
        {"nonce": None},
        {"received_at": NOON - timedelta(seconds=90)},
        {"drawers": ()},
        {"drawers": (DrawerReport("other", DrawerState.OPEN, DrawerContent.EMPTY),)},
    ],
)
def test_nothing_is_granted_to_a_robot_that_is_not_ready(changes: dict[str, object]) -> None:
    house = House()
    house.stand_at(WARD, **changes)
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant()


def test_nothing_is_granted_at_another_station() -> None:
    house = House()
    house.stand_at(HATCH)
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant()


def test_nothing_is_granted_to_a_robot_that_is_lost_24() -> None:
    house = House()
    house.put(replace(house.record, lost_since=NOON))
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant()


def test_nothing_is_granted_to_a_robot_whose_factsheet_declares_no_grants() -> None:
    house = House()
    house.put(replace(house.record, checks_grants=False))
    with house.store.reading() as uow:
        assert not checks_grants(uow, house.robot)
    with pytest.raises(NoGrantsError):
        house.grant()


def test_nothing_is_granted_in_another_state() -> None:
    with pytest.raises(WrongStateError):
        House().grant(purpose=Purpose.LOAD)


CONTROLLED = HandlingClass.CONTROLLED


@pytest.mark.parametrize(
    ("state", "people", "error"),
    [
        (S.ARRIVED, (), PeopleMissingError),
        (S.ARRIVED, (NURSE,), PeopleMissingError),
        (S.ARRIVED, (NURSE, NURSE), SamePersonError),
        (S.ARRIVED, (NURSE, NURSE_FROM_BIRCH), NotEligibleError),
        (S.ARRIVED, (NURSE, PHARMACIST), NotEligibleError),
        (S.ARRIVED, (NURSE, replace(SECOND_NURSE, revoked_at=NOON)), NotEligibleError),
        (S.ARRIVED, (NURSE, replace(SECOND_NURSE, expires_at=NOON)), NotEligibleError),
        (S.LOADING, (PHARMACIST,), PeopleMissingError),
        (S.LOADING, (NURSE, SECOND_NURSE), NotEligibleError),
    ],
)
def test_the_wrong_people_get_no_controlled_drawer_opened(
    state: DeliveryState, people: tuple[Person, ...], error: type[Exception]
) -> None:
    house = House(state, handling_class=CONTROLLED)
    with pytest.raises(error):
        house.grant(Present("somebody", people, is_believed=True))
    with house.store.reading() as uow:
        assert uow.outbox.wanted() == []


@pytest.mark.parametrize(
    ("state", "people"), [(S.ARRIVED, (NURSE, SECOND_NURSE)), (S.LOADING, (PHARMACIST, TECHNICIAN))]
)
def test_two_of_the_right_people_get_it_opened(state: DeliveryState, people: tuple[Person, ...]) -> None:
    house = House(state, handling_class=CONTROLLED)
    assert house.grant(Present("nurse-1", people)).people == tuple(person.id for person in people)


def test_two_people_retrieve_wherever_the_robot_stands_and_whatever_it_is_65() -> None:
    house = House(S.INCIDENT)
    house.stand_at(HATCH)
    with pytest.raises(PeopleMissingError):
        house.grant(purpose=Purpose.RETRIEVE)
    issued = house.grant(Present("nurse-1", (NURSE, PHARMACIST)), purpose=Purpose.RETRIEVE)
    with house.store.reading() as uow:
        (message,) = uow.outbox.wanted()
    assert message.action is not None
    assert message.action.grant is not None
    assert grant_of_text(message.action.grant).node == ""
    assert issued.purpose is Purpose.RETRIEVE


def test_one_person_breaks_glass_only_where_the_place_allows_it() -> None:
    alone = Present("nurse-1", (NURSE,))
    with pytest.raises(BreakGlassOffError):
        House(handling_class=CONTROLLED).grant(alone, is_break_glass=True)
    house = House(handling_class=CONTROLLED, policy=CustodyPolicy(may_break_glass=True))
    assert house.grant(alone, is_break_glass=True).people == ("nurse-1",)


def test_revoking_somebody_voids_what_they_were_granted_and_no_robot_answered() -> None:
    house = House(handling_class=CONTROLLED)
    issued = house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))
    with house.store.transaction() as uow:
        assert void_grants_of(uow, PersonId("nurse-3"), at=LATER) == ()
        (voided,) = void_grants_of(uow, SECOND_NURSE.id, at=LATER)
        assert uow.outbox.wanted() == []
        assert uow.grants.standing() == []
    assert (voided.id, voided.outcome, voided.reason) == (issued.id, GrantOutcome.VOID, "revoked")
    assert house.told() == ["drawer_granted", "drawer_grant_void"]


def test_whoever_is_revoked_in_the_staff_list_loses_what_no_robot_has_answered() -> None:
    house = House(handling_class=CONTROLLED)
    Staff(house.store).add("nurse-2", Role.NURSE, places=(ALDER,))
    issued = house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))
    with house.store.transaction() as uow:
        revoke_staff(uow, PersonId("nurse-2"), reason="left", at=LATER, by="administrator-1")
    assert house.kept(issued).outcome is GrantOutcome.VOID


def test_the_books_follow_a_drawer_that_is_opened_and_closed() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.LOCKED)
    kept = house.kept(issued)
    assert (kept.outcome, kept.answered_at, kept.closed_at) == (GrantOutcome.OPENED, LATER, LATER)
    assert house.told() == ["drawer_granted", "drawer_opened", "drawer_closed"]


def test_a_refusal_is_kept_with_the_robots_reason() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_refused(turn, house.robot, issued.action, "moving: the robot has not stood still"))
    kept = house.kept(issued)
    assert (kept.outcome, kept.reason, kept.settled_at) == (GrantOutcome.REFUSED, "moving", LATER)
    assert house.why_it_stands() is None


def test_a_drawer_that_opens_unasked_is_told_once() -> None:
    house = House()
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.OPEN)
    assert house.told() == ["drawer_opened_unasked", "alarm"]


@pytest.mark.parametrize("handling_class", [HandlingClass.ORDINARY, CONTROLLED])
def test_what_lies_in_a_drawer_that_opens_unasked_is_an_incident_once_26(handling_class: HandlingClass) -> None:
    house = House(handling_class=handling_class)
    house.report_drawer(DrawerState.OPEN)
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    (incident,) = house.incidents()
    assert (incident.kind, incident.delivery) == (IncidentKind.DRAWER_FORCED, house.delivery)
    assert incident.is_controlled is (handling_class is CONTROLLED)
    assert incident.place == PHARMACY


def test_what_lies_in_a_drawer_that_was_tampered_with_is_an_incident_once_25() -> None:
    house = House(handling_class=CONTROLLED)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED, is_tampered=True)
    house.report_drawer(DrawerState.LOCKED, DrawerContent.UNKNOWN, is_tampered=True)
    for is_tampered in (False, True, False, True):
        house.report_drawer(DrawerState.LOCKED, is_tampered=is_tampered)
    assert [incident.kind for incident in house.incidents()] == [IncidentKind.DRAWER_FORCED]
    with pytest.raises(RobotNotReadyToOpenError):
        house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))


def test_a_drawer_that_was_opened_for_people_or_holds_nothing_is_no_incident() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.report_drawer(DrawerState.OPEN)
    assert house.incidents() == []
    empty = House()
    empty.deliver()
    empty.report_drawer(DrawerState.OPEN)
    assert (empty.incidents(), empty.told()) == ([], ["drawer_opened_unasked", "alarm"])


def test_a_robot_is_not_sent_on_before_its_drawer_is_locked_and_known_to_be_empty_18() -> None:
    house = House()
    assert house.why_it_stands() is None
    issued = house.grant()
    assert house.why_it_stands() == "drawer_not_locked"
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.report_drawer(DrawerState.OPEN, DrawerContent.OCCUPIED)
    house.deliver()
    assert house.why_it_stands() == "drawer_not_locked"
    house.report_drawer(DrawerState.LOCKED, DrawerContent.OCCUPIED)
    assert house.why_it_stands() == "drawer_not_empty"
    house.report_drawer(DrawerState.LOCKED, DrawerContent.UNKNOWN)
    assert house.why_it_stands() == "drawer_not_empty"
    house.report_drawer(DrawerState.LOCKED, DrawerContent.EMPTY)
    assert house.why_it_stands() is None
    house.turn(lambda turn: settle_openings(turn, house.robot))
    assert house.kept(issued).settled_at == LATER


def test_a_drawer_with_something_left_in_it_is_opened_again_after_the_receipt() -> None:
    house = House()
    issued = house.grant()
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    house.deliver()
    house.stand_at(WARD, nonce="cd" * 16)
    assert house.grant().purpose is Purpose.HAND_OVER


def test_what_needs_an_opening_is_refused_without_one() -> None:
    house = House()
    with house.store.reading() as uow, pytest.raises(DrawerNotOpenedError):
        require_opened(uow, house.delivery, Purpose.HAND_OVER, act="The receipt")
    issued = house.grant()
    with house.store.reading() as uow, pytest.raises(DrawerNotOpenedError):
        require_opened(uow, house.delivery, Purpose.HAND_OVER, act="The receipt")
    house.turn(lambda turn: note_opened(turn, house.robot, issued.action))
    with house.store.reading() as uow:
        assert require_opened(uow, house.delivery, Purpose.HAND_OVER, act="The receipt").id == issued.id
        with pytest.raises(DrawerNotOpenedError):
            require_opened(uow, house.delivery, Purpose.LOAD, act="The loading")
