"""Whatever is sent, in whatever order: a robot stays within its base, its actions end, its loads stay whole."""

from __future__ import annotations

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.vda5050.address import TopicKind
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.messages import Action, ActionStatus, BlockingType, Order, State
from ros_nodes.onboard.memory import memory_from_json
from tests.support.onboard_robots import a_robot, an_action, an_order, finish, instant_actions, send, states

STEP_M = 2.0
blockings = st.sampled_from(BlockingType)
waits = st.floats(0.0, 20.0, allow_nan=False)


class OneRobot(RuleBasedStateMachine):
    """Drives a robot along a straight corridor with nodes every two metres, as a careless controller would."""

    def __init__(self) -> None:
        super().__init__()
        self.robot = a_robot()
        self.numbers = itertools.count(1)
        self.order_id = ""
        self.update_id = 0
        self.decision = 0  # index of the last released node along the corridor
        self.first_index = 0  # index of the order's first node
        self.sent: list[Order] = []
        self.aboard: set[str] = set()
        self.asked: dict[str, tuple[str, str]] = {}
        self.limit_m = 0.0
        self.heard: list[State] = []

    @initialize()
    def connect(self) -> None:
        self.robot.connect(0.0)
        self.hear(states(self.robot))

    def hear(self, said: list[State]) -> None:
        self.heard += said
        for state in said:
            for item in state.action_states:
                if item.action_status is ActionStatus.FINISHED and item.action_id in self.asked:
                    kind, load = self.asked.pop(item.action_id)
                    if kind == "pick":
                        self.aboard.add(load)
                    else:
                        self.aboard.discard(load)

    def give(self, message: Order | Action) -> State:
        if isinstance(message, Order):
            self.sent.append(message)
            self.robot.receive(TopicKind.ORDER, encode(message, version="2.1.0"), self.robot.time_s)
        else:
            payload = encode(instant_actions(message), version="2.1.0")
            self.robot.receive(TopicKind.INSTANT_ACTIONS, payload, self.robot.time_s)
        said = states(self.robot)
        self.hear(said)
        return said[-1]

    def handling(self, kind: str, number: int, blocking: BlockingType) -> Action:
        load = f"load-{number}"
        action = an_action(kind, blocking=blocking, action_id=f"action-{next(self.numbers)}", loadId=load)
        self.asked[action.action_id] = (kind, load)
        return action

    def nodes(self, first: int, count: int) -> list[tuple[str, float, float]]:
        return [(f"N{index}", index * STEP_M, 0.0) for index in range(first, first + count)]

    @rule(
        count=st.integers(1, 5),
        released=st.integers(1, 5),
        kind=st.sampled_from(["pick", "drop"]),
        number=st.integers(1, 3),
        where=st.integers(0, 4),
        blocking=blockings,
    )
    def send_order(self, count: int, released: int, kind: str, number: int, where: int, blocking: BlockingType) -> None:
        here = round(self.robot.driver.pose.x_m / STEP_M)
        places = self.nodes(here, count)
        actions = {places[where % count][0]: [self.handling(kind, number, blocking)]}
        order = an_order(places, released=min(released, count), order_id=f"order-{next(self.numbers)}", actions=actions)
        state = self.give(order)
        if state.order_id == order.order_id:
            self.order_id, self.update_id, self.first_index = order.order_id, 0, here
            self.decision = here + min(released, count) - 1
            self.limit_m = max(self.decision * STEP_M, self.robot.driver.pose.x_m)

    @precondition(lambda self: self.order_id)
    @rule(released=st.integers(1, 4), count=st.integers(1, 4), skew=st.sampled_from([0, 0, 0, 1]))
    def send_update(self, released: int, count: int, skew: int) -> None:
        first = self.decision + skew
        update = an_order(
            self.nodes(first, count),
            released=min(released, count),
            order_id=self.order_id,
            update_id=self.update_id + 1,
            first_sequence=2 * (first - self.first_index),
        )
        state = self.give(update)
        if (state.order_id, state.order_update_id) == (self.order_id, self.update_id + 1):
            assert skew == 0, "an update that does not start at the end of the base was taken"
            self.update_id += 1
            self.decision = first + min(released, count) - 1
            self.limit_m = max(self.limit_m, self.decision * STEP_M)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def replay_an_old_order(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.sent))
        before = (self.robot.order_id, self.heard[-1].order_update_id)
        accepted_before = {(state.order_id, state.order_update_id) for state in self.heard}
        if (old.order_id, old.order_update_id) not in accepted_before:
            return  # never taken: it may be taken now
        state = self.give(old)
        self.sent.pop()
        assert (state.order_id, state.order_update_id) == before

    @rule(kind=st.sampled_from(["cancelOrder", "startPause", "stopPause", "stateRequest", "dance"]))
    def act_at_once(self, kind: str) -> None:
        self.give(an_action(kind, action_id=f"action-{next(self.numbers)}"))

    @rule(payload=st.binary(max_size=40), kind=st.sampled_from([TopicKind.ORDER, TopicKind.INSTANT_ACTIONS]))
    def send_nonsense(self, payload: bytes, kind: TopicKind) -> None:
        self.robot.receive(kind, payload, self.robot.time_s)
        self.hear(states(self.robot))

    @rule(wait_s=waits)
    def wait(self, wait_s: float) -> None:
        self.robot.advance(self.robot.time_s + wait_s)
        self.hear(states(self.robot))

    @rule()
    def lose_power_and_come_back(self) -> None:
        remembered = self.robot.memory
        self.robot = a_robot(memory_from_json(remembered.to_json()))
        self.robot.connect(0.0)
        self.asked.clear()
        self.order_id = ""
        self.limit_m = remembered.pose.x_m
        self.hear(states(self.robot))
        assert self.heard[-1].order_id == ""

    @invariant()
    def stays_within_the_base(self) -> None:
        assert self.robot.driver.pose.x_m <= self.limit_m + 1e-6

    @invariant()
    def carries_exactly_what_it_was_given(self) -> None:
        assert set(self.robot.memory.loads.values()) == self.aboard

    @invariant()
    def says_what_it_carries(self) -> None:
        if self.heard:
            assert {load.load_id for load in self.heard[-1].loads or ()} == self.aboard

    def teardown(self) -> None:
        """Every action that became due ends, once nothing holds the robot and everything ahead is released."""
        self.give(an_action("stopPause", action_id="last-resume"))
        self.give(an_action("cancelOrder", action_id="last-cancel"))
        self.hear(finish(self.robot))
        assert self.robot.is_idle
        assert self.robot.driver.is_stopped
        last = send(self.robot, an_action("stateRequest", action_id="last-report"))
        over = (ActionStatus.FINISHED, ActionStatus.FAILED)
        assert all(item.action_status in over for item in last.action_states)


TestOneRobot = OneRobot.TestCase
TestOneRobot.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
