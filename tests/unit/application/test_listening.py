"""What is written into the books when a robot says something: on the store in memory, one event at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from orchestrator.application.cancelling import Cancelling
from orchestrator.application.fleet import FleetPolicy
from orchestrator.application.listening import hear, is_news
from orchestrator.application.turn import Turn
from orchestrator.domain.delivery.model import Delivery, DeliveryState, TripId
from orchestrator.domain.fleet.hold import HoldKind
from orchestrator.domain.fleet.model import (
    ActionId,
    LoadId,
    OperatingMode,
    OrderId,
    Pose,
    RobotFault,
    RobotId,
    RobotReport,
)
from orchestrator.domain.fleet.order import ActionKind, DriveOrder, OrderStep, RobotAction
from orchestrator.domain.fleet.record import OrderPhase, RobotRecord
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LevelId, WaypointId
from orchestrator.vda5050 import events as link
from ros_nodes.onboard.drawer_lock import LEFT_OPEN
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds, bring_to, queue
from tests.support.wards import a_fleet, demo_hospital

ROBOT = RobotId("robot-1")
FLEET = a_fleet(demo_hospital())
HOME = FLEET.home_waypoint_of(ROBOT)
PICK = ActionId("action-1")
AT_ONCE = a_fleet(demo_hospital(), robots=1, policy=FleetPolicy(retry_after_s=0.0))


def a_report(**changes: object) -> RobotReport:
    report = RobotReport(
        robot=ROBOT,
        received_at=NOON,
        order_id=OrderId("order-1"),
        order_update_id=0,
        last_waypoint=HOME,
        last_sequence=0,
        sequences_ahead=(),
        is_driving=False,
        is_paused=False,
        pose=FLEET.pose_of(ROBOT, HOME),
        battery=0.9,
        is_charging=False,
        mode=OperatingMode.AUTOMATIC,
        is_emergency_stopped=False,
        has_field_violation=False,
        loads=(),
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def an_order(load: LoadId | None = None) -> DriveOrder:
    pick = RobotAction(PICK, ActionKind.PICK, load=load, drawer="top")
    step = OrderStep(waypoint=HOME, pose=FLEET.pose_of(ROBOT, HOME), actions=(pick,))
    return DriveOrder(id=OrderId("order-1"), robot=ROBOT, steps=(step,), released=1)


class House:
    """A store with one delivery, and the record of its robot."""

    def __init__(self, state: DeliveryState, record: RobotRecord | None = None) -> None:
        self.store = MemoryStore()
        self.ids = CountingIds()
        with self.store.transaction() as uow:
            self.id = queue(uow, ids=self.ids).id
        bring_to(self.store, self.id, state)
        self.record = record or RobotRecord(ROBOT, order=an_order(self.delivery.load), report=a_report())

    @property
    def delivery(self) -> Delivery:
        with self.store.reading() as uow:
            return uow.deliveries.get(self.id)

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.delivery.waiting]

    @property
    def alarms(self) -> list[object]:
        with self.store.reading() as uow:
            return [event.data["code"] for event in uow.events.after(0, 1000) if event.kind == "alarm"]

    @property
    def holds(self) -> list[HoldKind]:
        return [hold.kind for hold in self.record.holds]

    def stand_at_the_hatch(self, trip: TripId) -> None:
        """Let the robot stand where it is loaded."""
        with self.store.transaction() as uow:
            uow.trips.save(replace(uow.trips.get(trip), has_arrived=True))
        self.record = replace(self.record, trip=trip)

    def turn(self, act: Callable[[Turn], None]) -> None:
        with self.store.transaction() as uow:
            turn = Turn(uow, at=NOON, at_s=0.0, ids=self.ids, records={ROBOT: self.record})
            act(turn)
        self.record = turn.record(ROBOT)

    def hear(self, *events: link.LinkEvent) -> None:
        def all_of_them(turn: Turn) -> None:
            for event in events:
                hear(turn, FLEET, ROBOT, event)

        self.turn(all_of_them)

    def wanted(self) -> Sequence[ActionKind]:
        with self.store.reading() as uow:
            return [m.action.kind for m in uow.outbox.wanted() if m.action is not None]


def test_what_a_lost_robot_was_to_fetch_waits_for_another_and_what_it_carries_stays_with_it() -> None:
    fetched, carried = House(DeliveryState.ASSIGNED), House(DeliveryState.IN_TRANSIT)

    fetched.hear(link.RobotLost(20.0))
    carried.hear(link.RobotLost(20.0))

    assert (fetched.delivery.state, fetched.delivery.robot) == (DeliveryState.VERIFIED, None)
    assert (carried.delivery.state, carried.delivery.robot) == (DeliveryState.IN_TRANSIT, ROBOT)
    assert carried.codes == ["robot_lost"]


def test_a_load_that_a_robot_reports_by_the_name_of_its_delivery_is_ours_however_it_came_aboard() -> None:
    house = House(DeliveryState.IN_TRANSIT, RobotRecord(ROBOT, tip=HOME, report=a_report()))

    house.hear(link.Reported(a_report(loads=(house.delivery.load, LoadId("cart-7")))))

    assert house.record.carried == {house.delivery.load}
    assert house.record.loads_not_ours == {"cart-7"}


def test_a_lost_robot_is_told_once() -> None:
    house = House(DeliveryState.IN_TRANSIT)

    house.hear(link.RobotLost(20.0), link.RobotLost(30.0))

    assert house.alarms == ["robot_lost"]


def test_a_delivery_no_longer_waits_for_a_robot_that_is_back_although_the_robot_itself_waits_for_something_else() -> (
    None
):
    house = House(DeliveryState.IN_TRANSIT)
    house.hear(link.RobotLost(20.0))
    house.record = replace(house.record, waiting=(Reason("held_by_other", "It waits for robot-2."),))

    house.hear(link.RobotReturned())

    assert house.codes == []
    assert [reason.code for reason in house.record.waiting] == ["held_by_other"]


def test_a_robot_that_answers_at_last_is_no_longer_shown_as_one_that_does_not() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.record = replace(house.record, phase=OrderPhase.WANTED)
    house.hear(link.OrderUnanswered(OrderId("order-1"), 0, 5.0))
    assert [reason.code for reason in house.record.waiting] == ["order_unanswered"]

    house.hear(link.OrderAcknowledged(OrderId("order-1"), 0))

    assert house.record.waiting == ()
    assert house.record.phase is OrderPhase.ACKNOWLEDGED


def test_an_acknowledgement_of_another_update_changes_nothing() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.record = before = replace(house.record, phase=OrderPhase.WANTED)

    house.hear(link.OrderAcknowledged(OrderId("order-1"), 1), link.OrderAcknowledged(OrderId("order-2"), 0))

    assert house.record == before


def test_a_refused_new_order_is_lost_and_a_refused_update_cancels_the_order() -> None:
    fresh, update = House(DeliveryState.IN_TRANSIT), House(DeliveryState.IN_TRANSIT)
    fresh.record = replace(fresh.record, phase=OrderPhase.WANTED)
    order = replace(an_order(), update_id=3)
    update.record = replace(update.record, order=order, phase=OrderPhase.WANTED)

    fresh.hear(link.OrderRejected(OrderId("order-1"), 0, "noRouteError", "too far"))
    update.hear(link.OrderRejected(OrderId("order-1"), 3, "orderUpdateError", "not mine"))

    assert (fresh.record.phase, fresh.wanted()) == (OrderPhase.LOST, [])
    assert (update.record.phase, update.wanted()) == (OrderPhase.CANCELLING, [ActionKind.CANCEL_ORDER])


def test_a_cancel_that_is_done_frees_the_robot_for_a_new_order_and_is_asked_no_more() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.record = replace(house.record, order=replace(an_order(), update_id=3), phase=OrderPhase.WANTED)
    house.hear(link.OrderRejected(OrderId("order-1"), 3, "orderUpdateError", "not mine"))
    with house.store.reading() as uow:
        cancel = next(m.action for m in uow.outbox.wanted() if m.action is not None)

    house.hear(link.ActionFinished(cancel.id))

    assert (house.record.phase, house.record.waiting, house.wanted()) == (OrderPhase.LOST, (), [])


def test_a_cancel_that_failed_is_told_once_and_the_robot_keeps_its_order_on_our_books() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.record = replace(house.record, order=replace(an_order(), update_id=3), phase=OrderPhase.WANTED)
    house.hear(link.OrderRejected(OrderId("order-1"), 3, "orderUpdateError", "not mine"))
    told = len(house.alarms)

    for _ in range(2):
        with house.store.reading() as uow:
            cancel = next(m.action for m in uow.outbox.wanted() if m.action is not None)
        house.hear(link.ActionFailed(cancel.id, "it turns"))
        assert (house.record.phase, house.wanted()) == (OrderPhase.CANCELLING, [])
        assert [reason.code for reason in house.record.waiting] == ["cancel_failed"]
        house.turn(Cancelling(AT_ONCE).ask_again)

    assert house.alarms[told:] == ["cancel_failed"]
    assert house.wanted() == [ActionKind.CANCEL_ORDER]


def test_an_order_nobody_answers_is_told_with_what_the_robot_complains_of() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    fault = RobotFault("orderError", is_fatal=False, description="too long for me")
    house.record = replace(house.record, phase=OrderPhase.WANTED, report=a_report(faults=(fault,)))

    house.hear(link.OrderUnanswered(OrderId("order-1"), 0, 5.0))

    assert [reason.code for reason in house.record.waiting] == ["order_unanswered"]
    assert house.record.waiting[0].sentence.endswith("It complains of: orderError (too long for me).")


def test_an_action_nobody_answers_is_told() -> None:
    house = House(DeliveryState.IN_TRANSIT)

    house.hear(link.ActionUnanswered(ActionId("action-9"), 5.0))

    assert house.alarms == ["action_unanswered"]


def test_a_tote_that_its_robot_could_not_take_in_goes_back_and_the_robot_is_stopped() -> None:
    for state in (DeliveryState.SEALED, DeliveryState.IN_TRANSIT):
        house = House(state)
        house.record = replace(house.record, phase=OrderPhase.ACKNOWLEDGED)

        house.hear(link.ActionFailed(PICK, "the drawer jams"))

        assert house.delivery.state is DeliveryState.RETURNING
        assert (house.record.phase, house.wanted()) == (OrderPhase.CANCELLING, [ActionKind.CANCEL_ORDER])


def test_a_load_that_a_robot_under_way_stops_reporting_is_told_once_and_taken_back_when_it_is_there_again() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    load = house.delivery.load
    house.hear(link.Reported(a_report(loads=(load,))))
    assert house.codes == []

    house.hear(link.Reported(a_report(loads=())), link.Reported(a_report(loads=(LoadId("another"),))))
    assert (house.codes, house.alarms) == (["load_missing"], ["load_missing"])

    house.hear(link.Reported(a_report(loads=(load,))))
    assert house.codes == []


@pytest.mark.parametrize("seen_between", [True, False])
def test_a_tote_that_people_took_out_is_not_mistaken_for_the_next_one_whose_end_of_loading_nobody_heard(
    seen_between: bool,
) -> None:
    house = House(DeliveryState.SEALED)
    old, new = LoadId("tote-of-before"), house.delivery.load
    house.record = replace(house.record, carried=frozenset({old}), report=a_report(loads=(old,)))

    if seen_between:
        house.hear(link.Reported(a_report(loads=())))
        assert house.record.carried == frozenset()
    house.hear(link.Reported(a_report(loads=(new,))))

    assert house.record.aboard == {new}


def test_a_robot_that_names_its_loads_itself_keeps_what_it_took_in_until_it_carries_nothing() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    ours = house.delivery.load
    house.record = replace(house.record, carried=frozenset({ours}))

    house.hear(link.Reported(a_report(loads=(LoadId("box 7"),))))
    assert house.record.aboard == {ours}

    house.hear(link.Reported(a_report(loads=())))
    assert house.record.aboard == house.record.carried == frozenset()


def test_a_robot_that_does_not_know_what_it_carries_is_not_said_to_have_lost_it() -> None:
    house = House(DeliveryState.IN_TRANSIT)

    house.hear(link.Reported(a_report(loads=None)))

    assert (house.codes, house.alarms) == ([], [])


def test_an_emergency_stop_is_told_once_and_stays_a_hold_when_the_robot_itself_is_released_27() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    loads = (house.delivery.load,)
    house.hear(link.Reported(a_report(loads=loads)))

    house.hear(link.Reported(a_report(loads=loads, is_emergency_stopped=True)))
    assert (house.codes, house.alarms) == (["robot_stopped"], ["robot_stopped"])

    house.hear(link.Reported(a_report(loads=loads)))
    assert (house.codes, house.alarms) == (["robot_stopped"], ["robot_stopped"])
    assert house.holds == [HoldKind.STOPPED]


def test_a_drawer_that_is_left_open_is_told_once_and_again_when_it_is_left_anew_52() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    loads = (house.delivery.load,)
    left_open = (RobotFault(LEFT_OPEN, is_fatal=False),)
    house.hear(link.Reported(a_report(loads=loads)))

    house.hear(link.Reported(a_report(loads=loads, faults=left_open)))
    house.hear(link.Reported(a_report(loads=loads, faults=left_open, is_paused=True)))
    assert house.alarms == ["drawer_left_open"]

    house.hear(link.Reported(a_report(loads=loads)))
    house.hear(link.Reported(a_report(loads=loads, faults=left_open)))
    assert house.alarms == ["drawer_left_open", "drawer_left_open"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"is_emergency_stopped": True}, HoldKind.STOPPED),
        ({"mode": OperatingMode.MANUAL}, HoldKind.STOPPED),
        ({"mode": OperatingMode.SERVICE}, HoldKind.STOPPED),
        ({"mode": OperatingMode.TEACH_IN}, HoldKind.STOPPED),
        ({"faults": (RobotFault("motor", is_fatal=True),)}, HoldKind.STOPPED),
        ({"pose": None}, HoldKind.UNLOCALISED),
        ({"battery": 0.0}, HoldKind.BATTERY_EMPTY),
    ],
)
def test_what_a_robot_reports_of_itself_holds_it_and_takes_its_order_back(
    changes: dict[str, object], kind: HoldKind
) -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.record = replace(house.record, phase=OrderPhase.ACKNOWLEDGED, tip=HOME)

    house.hear(link.Reported(a_report(**changes)))

    assert house.holds == [kind]
    assert house.codes == [kind.code]
    assert (house.record.phase, house.wanted()) == (OrderPhase.CANCELLING, [ActionKind.CANCEL_ORDER])


@pytest.mark.parametrize(
    "changes",
    [
        {"has_field_violation": True},
        {"faults": (RobotFault("warm", is_fatal=False),)},
        {"battery": 0.0, "is_charging": True},
        {"mode": OperatingMode.SEMIAUTOMATIC},
    ],
)
def test_what_passes_by_itself_holds_no_robot(changes: dict[str, object]) -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.record = replace(house.record, phase=OrderPhase.ACKNOWLEDGED, tip=HOME)

    house.hear(link.Reported(a_report(**changes)))

    assert (house.holds, house.wanted()) == ([], [])


def test_a_robot_that_is_on_no_lane_yet_has_no_position_to_lose() -> None:
    house = House(DeliveryState.QUEUED)

    house.hear(link.Reported(a_report(pose=None)))

    assert house.holds == []


def test_a_tote_half_loaded_waits_for_a_robot_again_unless_the_robot_is_only_stopped_by_hand() -> None:
    trip = TripId("trip-of-delivery-0001")
    states: list[DeliveryState] = []
    for changes in ({"is_emergency_stopped": True}, {"faults": (RobotFault("motor", is_fatal=True),)}, {"battery": 0}):
        house = House(DeliveryState.LOADING)
        house.stand_at_the_hatch(trip)
        house.hear(link.Reported(a_report(**changes)))
        states.append(house.delivery.state)

    assert states == [DeliveryState.LOADING, DeliveryState.VERIFIED, DeliveryState.VERIFIED]


def test_a_hatch_comes_free_when_the_robot_that_was_loaded_there_is_lost() -> None:
    house = House(DeliveryState.LOADING)
    house.stand_at_the_hatch(TripId("trip-of-delivery-0001"))

    house.hear(link.RobotLost(20.0))

    assert (house.delivery.state, house.delivery.robot) == (DeliveryState.VERIFIED, None)


@pytest.mark.parametrize("kind", [ActionKind.DROP, ActionKind.START_CHARGING, ActionKind.STOP_CHARGING])
def test_an_action_of_its_order_that_fails_holds_the_robot(kind: ActionKind) -> None:
    house = House(DeliveryState.IN_TRANSIT)
    step = replace(an_order().steps[0], actions=(RobotAction(PICK, kind),))
    house.record = replace(house.record, order=replace(an_order(), steps=(step,)), phase=OrderPhase.ACKNOWLEDGED)

    house.hear(link.ActionFailed(PICK, "blocked"))

    assert house.holds == [HoldKind.FAILED_ACTION]


def test_an_action_that_fails_because_its_order_was_taken_back_sends_nothing_back_and_holds_nobody() -> None:
    house = House(DeliveryState.SEALED)
    house.record = replace(house.record, phase=OrderPhase.ACKNOWLEDGED)

    house.hear(link.Reported(a_report(is_emergency_stopped=True)), link.ActionFailed(PICK, "the order was cancelled"))

    assert house.holds == [HoldKind.STOPPED]
    assert house.delivery.state is DeliveryState.SEALED


def test_a_robot_that_is_heard_again_still_says_what_it_is_held_for() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    house.hear(link.Reported(a_report(is_emergency_stopped=True)), link.RobotLost(20.0))
    assert house.codes == ["robot_lost"]

    house.hear(link.RobotReturned())

    assert house.codes == ["robot_stopped"]
    assert [reason.code for reason in house.record.waiting] == ["robot_stopped"]


def test_somebody_before_the_robot_for_a_moment_is_no_reason_to_send_another() -> None:
    house = House(DeliveryState.ASSIGNED)

    house.hear(link.Reported(a_report(has_field_violation=True)))

    assert house.delivery.state is DeliveryState.ASSIGNED


def test_a_forgotten_order_is_lost_and_one_that_was_done_stays_done() -> None:
    house, done = House(DeliveryState.IN_TRANSIT), House(DeliveryState.IN_TRANSIT)
    house.record = replace(house.record, phase=OrderPhase.ACKNOWLEDGED)
    done.record = replace(done.record, phase=OrderPhase.DONE)

    house.hear(link.OrderForgotten(OrderId("order-1")))
    done.hear(link.OrderForgotten(OrderId("order-1")))

    assert (house.record.phase, done.record.phase) == (OrderPhase.LOST, OrderPhase.DONE)


def test_a_node_passed_twice_or_backwards_changes_nothing() -> None:
    house = House(DeliveryState.IN_TRANSIT)
    step = an_order().steps[0]
    order = replace(an_order(), steps=(step, step, step), released=3)
    house.record = before = replace(house.record, order=order, passed=1, phase=OrderPhase.ACKNOWLEDGED)

    house.hear(link.NodePassed(OrderId("order-1"), 0, HOME), link.NodePassed(OrderId("order-2"), 2, HOME))

    assert house.record == before


def test_driving_is_no_news_and_being_moved_while_standing_is() -> None:
    before = a_report(pose=Pose(demo_level(), 0.0, 0.0))
    elsewhere = Pose(demo_level(), 5.0, 0.0)

    assert not is_news(replace(before, is_driving=True), replace(before, is_driving=True, pose=elsewhere))
    assert is_news(before, replace(before, pose=elsewhere))
    assert not is_news(before, replace(before, pose=Pose(demo_level(), 0.1, 0.0)))
    assert not is_news(before, replace(before, battery=0.8999))
    assert is_news(before, replace(before, last_waypoint=WaypointId("elsewhere")))


def demo_level() -> LevelId:
    return FLEET.pose_of(ROBOT, HOME).level
