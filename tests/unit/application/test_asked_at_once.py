"""What robots were asked at once: what is taken back, because it is not meant any more, and what comes of the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.application.abort_order import abort_order
from orchestrator.application.asked_at_once import ACTION_UNANSWERED
from orchestrator.application.fence_off_robot import fence_off_robot
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.holding import lay_hold, lay_reported_holds
from orchestrator.application.map_switch import ask_what_is_still_true, note_map_switch, tell_other_level
from orchestrator.application.overdue import look_at_what_was_asked
from orchestrator.application.pause_robot import pause_robot
from orchestrator.application.quarantine_robot import quarantine_robot
from orchestrator.application.robot_acts import Asked
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import ActionId, ActionStatus, MapSwitch, OrderId, Pose, RobotReport
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.site.model import LaneId, LevelId, WaypointId
from orchestrator.vda5050 import events as link
from orchestrator.vda5050.action_dialogue import FINISH_WITHIN_S
from tests.support.deliveries import NOON
from tests.unit.application.test_listening import FLEET, HOME, ROBOT, House, a_report

RIDE, CABIN = LaneId("lift_ground~lift_first"), WaypointId("lift_ground")
TOLD = replace(FLEET, models={r: replace(m, map_switch=MapSwitch.INIT_POSITION) for r, m in FLEET.models.items()})
BELOW = FLEET.pose_of(ROBOT, CABIN)
ABOVE = replace(BELOW, level=LevelId("first"))


def a_house(*asked: RobotAction, record: RobotRecord | None = None, before_s: float = 0.0) -> House:
    """A house whose robot was asked this at once, so long ago."""
    house = House(DeliveryState.IN_TRANSIT, record)
    with house.store.transaction() as uow:
        uow.robots.save(house.record)
        for action in asked:
            uow.outbox.add(ROBOT, at=NOON - timedelta(seconds=before_s), action=action)
    return house


def an_action(kind: ActionKind) -> RobotAction:
    return RobotAction(ActionId(f"{kind.value}-1"), kind)


def the_position(ride: str = "order-1", *, waypoint: str = "lift_first", level: str = "first") -> RobotAction:
    pose = replace(BELOW, level=LevelId(level))
    return RobotAction(
        ActionId(f"{ride}-init_position-1"), ActionKind.INIT_POSITION, pose=pose, waypoint=WaypointId(waypoint)
    )


def in_the_cabin(**said: object) -> RobotRecord:
    """The record of a robot whose order ended in the cabin, and which is to be told that it is upstairs."""
    step = OrderStep(waypoint=CABIN, pose=BELOW)
    order = DriveOrder(id=OrderId("order-1"), robot=ROBOT, steps=(step,), released=1)
    report = a_report(**{"pose": BELOW, **said})
    return RobotRecord(
        ROBOT, order=order, phase=OrderPhase.DONE, tip=WaypointId("lift_first"), granted=(RIDE,), report=report
    )


def one_robot(fleet: FleetOnSite) -> FleetOnSite:
    return replace(fleet, robots={ROBOT: fleet.robots[ROBOT]}, models={ROBOT: fleet.models[ROBOT]})


def tell(house: House) -> None:
    def do(turn: Turn) -> None:
        assert tell_other_level(turn, TOLD, ROBOT).code == "map_switching"

    house.turn(do)


def wanted(house: House) -> list[RobotAction]:
    with house.store.reading() as uow:
        return [m.action for m in uow.outbox.wanted() if m.action is not None]


# -- people and holds --------------------------------------------------------------------------------------------------

STALE = (
    an_action(ActionKind.RESUME),
    an_action(ActionKind.STOP_CHARGING),
    an_action(ActionKind.START_CHARGING),
    an_action(ActionKind.ENABLE_MAP),
    the_position(),
)


@pytest.mark.parametrize("act", [pause_robot, abort_order, fence_off_robot, quarantine_robot])
def test_whoever_stops_a_robot_takes_back_what_was_to_let_it_go(act: Callable[..., object]) -> None:
    house = a_house(*STALE, an_action(ActionKind.CANCEL_ORDER))

    with house.store.transaction() as uow:
        act(uow, FLEET, Asked(ROBOT, "nurse-1", "because", NOON), ids=house.ids)

    kinds = set(house.wanted())
    assert not kinds & {action.kind for action in STALE}
    assert ActionKind.CANCEL_ORDER in kinds, "what stops it is asked on"


@pytest.mark.parametrize("kind", [kind for kind in HoldKind if kind.keeps_from_driving])
def test_a_hold_takes_back_what_was_to_let_the_robot_go_from_its_link_too(kind: HoldKind) -> None:
    house = a_house(*STALE)
    unwanted: list[ActionKind] = []

    def hold(turn: Turn) -> None:
        lay_hold(turn, ROBOT, kind, "Something happened.")
        unwanted.extend(message.action.kind for message in turn.unwanted if message.action is not None)

    house.turn(hold)

    assert set(unwanted) == {action.kind for action in STALE}
    assert not set(house.wanted()) & set(unwanted)


def test_a_robot_that_was_held_in_the_books_of_before_is_let_go_by_nothing_of_before() -> None:
    house = a_house(*STALE)
    house.turn(lambda turn: lay_hold(turn, ROBOT, HoldKind.STOPPED, "Something happened."))
    with house.store.transaction() as uow:
        uow.outbox.add(ROBOT, at=NOON, action=an_action(ActionKind.RESUME))

    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(FLEET)))

    assert not set(house.wanted()) & {action.kind for action in STALE}


# -- what does not come about ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before_s", "is_held"), [(29.0, False), (31.0, True)])
def test_a_robot_that_does_not_go_on_is_asked_no_more_and_somebody_has_to_look(before_s: float, is_held: bool) -> None:
    house = a_house(an_action(ActionKind.RESUME), before_s=before_s)

    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(FLEET)))

    assert (house.holds == [HoldKind.UNRESPONSIVE]) is is_held
    assert (ActionKind.RESUME in house.wanted()) is not is_held


def test_a_delivery_says_that_its_robot_does_not_do_what_it_was_asked_until_it_does() -> None:
    house = a_house(an_action(ActionKind.STOP_CHARGING))

    house.hear(link.ActionUnanswered(ActionId("stop_charging-1"), 5.0))
    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(FLEET)))
    assert house.codes == [ACTION_UNANSWERED]

    house.hear(link.ActionFinished(ActionId("stop_charging-1")))
    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(FLEET)))
    assert house.codes == []
    assert house.record.waiting == ()


# -- maps --------------------------------------------------------------------------------------------------------------


def test_once_it_reports_the_other_level_a_robot_is_told_no_more_where_it_stood_then() -> None:
    house = a_house(the_position(), record=in_the_cabin(pose=ABOVE))

    house.turn(lambda turn: note_map_switch(turn, TOLD, ROBOT))

    assert house.record.granted == ()
    assert house.wanted() == []


@pytest.mark.parametrize(
    "stale", [the_position("order-0"), the_position(waypoint="lift_ground", level="ground")], ids=["ride", "level"]
)
def test_what_it_was_told_of_another_ride_is_taken_back_and_it_is_told_of_this_one(stale: RobotAction) -> None:
    house = a_house(stale, record=in_the_cabin())

    tell(house)

    (action,) = wanted(house)
    assert action.id != stale.id
    assert (action.kind, action.waypoint, action.pose) == (ActionKind.INIT_POSITION, "lift_first", ABOVE)


def test_what_it_is_told_of_this_ride_is_asked_once() -> None:
    house = a_house(record=in_the_cabin())

    for _ in range(2):
        tell(house)

    assert house.wanted() == [ActionKind.INIT_POSITION]


def test_a_robot_that_has_left_the_cabin_is_told_nothing_more() -> None:
    house = a_house(the_position(), record=replace(in_the_cabin(), granted=()))

    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(TOLD)))

    assert house.wanted() == []


@pytest.mark.parametrize("begun", [False, True])
def test_while_the_cabin_does_not_stand_open_there_only_what_the_robot_has_begun_goes_on(begun: bool) -> None:
    actions = {the_position().id: ActionStatus.RUNNING} if begun else {}
    house = a_house(the_position(), record=in_the_cabin(actions=actions))

    house.turn(lambda turn: ask_what_is_still_true(turn, TOLD, ROBOT, is_open_there=False))

    assert house.wanted() == ([ActionKind.INIT_POSITION] if begun else [])


def test_a_robot_that_knows_no_position_once_it_has_enabled_a_map_is_told_where_it_stood() -> None:
    enable = replace(the_position(), id=ActionId("order-1-enable_map-1"), kind=ActionKind.ENABLE_MAP)
    house = a_house(enable, record=in_the_cabin())
    blind = replace(in_the_cabin().report or a_report(), pose=None, actions={enable.id: ActionStatus.FINISHED})

    house.hear(link.Reported(blind), link.ActionFinished(enable.id))
    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(TOLD)))

    (action,) = wanted(house)
    assert (action.kind, action.pose, action.waypoint) == (ActionKind.INIT_POSITION, ABOVE, "lift_first")
    assert action.id.startswith("order-1-init_position-")
    assert house.holds == []


def unlocalised(pose: Pose | None = None) -> RobotReport:
    return replace(a_report(actions={the_position().id: ActionStatus.RUNNING}), pose=pose)


@pytest.mark.parametrize("kind", [ActionKind.ENABLE_MAP, ActionKind.INIT_POSITION])
@pytest.mark.parametrize(("before_s", "is_held"), [(FINISH_WITHIN_S - 1.0, False), (FINISH_WITHIN_S, True)])
def test_a_robot_that_takes_up_its_position_has_its_time_to_know_none(
    kind: ActionKind, before_s: float, is_held: bool
) -> None:
    house = a_house(replace(the_position(), kind=kind), record=in_the_cabin(), before_s=before_s)

    house.hear(link.Reported(unlocalised()))
    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(TOLD)))

    assert (HoldKind.UNLOCALISED in house.holds) is is_held


def test_a_robot_that_took_up_its_position_and_still_knows_none_is_held() -> None:
    house = a_house(the_position(), record=in_the_cabin())

    house.hear(link.Reported(unlocalised()), link.ActionFinished(the_position().id))
    house.turn(lambda turn: look_at_what_was_asked(turn, one_robot(TOLD)))

    assert house.holds == [HoldKind.UNLOCALISED]


def test_a_robot_that_could_not_take_up_its_position_is_held_for_that() -> None:
    house = a_house(the_position(), record=in_the_cabin())

    house.hear(link.Reported(unlocalised()), link.ActionFailed(the_position().id, "I see nothing that I know"))

    assert HoldKind.FAILED_ACTION in house.holds
    assert house.wanted() == []


def test_a_robot_that_was_told_nothing_is_held_at_once_when_it_knows_no_position() -> None:
    house = a_house(an_action(ActionKind.PAUSE), record=replace(in_the_cabin(), tip=HOME))

    house.turn(lambda turn: lay_reported_holds(turn, ROBOT, unlocalised()))

    assert house.holds == [HoldKind.UNLOCALISED]
