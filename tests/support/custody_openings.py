"""Promise 9 in the play of random staff: drawers open on grants, with robots, messages and processes that fail.

Some of the deliveries ride with robots that check grants. Staff of all kinds ask for their drawers, alone and together,
for right and wrong purposes; messages come late, twice, to another robot, forged, or to one that was switched off
meanwhile; the orchestrator dies before it has written down what it was asked or told. After every step each drawer that
was let go is looked at by `tests.support.opening_judge`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from orchestrator.application.drawer_watch import settle_openings, what_keeps_standing
from orchestrator.application.grants import OpeningAsked, grant_drawer
from orchestrator.application.listening import hear
from orchestrator.application.openings import void_grants_of
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.turn import Turn
from orchestrator.domain.custody.grant import LIFETIME_MAX_S, Grant, Purpose, text_of_grant
from orchestrator.domain.custody.issued_grant import GrantOutcome, IssuedGrant
from orchestrator.domain.delivery.model import Delivery, DeliveryId, DeliveryState
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.fleet.order import RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import StationId
from orchestrator.vda5050 import events as link
from ros_nodes.onboard.drawer_lock import STANDING_FOR_S
from tests.support.boarded_robots import DRAWER, MANUFACTURER, STEP_S, BoardedRobot, a_fleet
from tests.support.custody import House
from tests.support.drawer_house import Signer
from tests.support.drawers import OTHER_KEY, sign
from tests.support.opening_judge import Judge, place_of

S = DeliveryState
ROBOTS = 12

picks = st.integers(0, 30)
rarely = st.integers(0, 4).map(lambda number: number == 0)
purposes = st.sampled_from((None, None, None, *Purpose))
fates = st.sampled_from(("done", "done", "again", "dies", "both"))
ends = st.sampled_from(("received", "received", "turned back", "taken out"))
posts = st.sampled_from(("once", "once", "twice", "other_robot", "lost"))
hearings = st.sampled_from(("heard", "heard", "heard", "dies", "unheard"))


class Openings:
    """What robots with locks add to a state machine that has a house, and asks for things as requests do."""

    if TYPE_CHECKING:
        house: House
        did: Counter[str]
        asked: int

        def ask(self, fate: str, what: str, use_case: Callable[..., Any], **said: Any) -> None: ...
        def a_delivery(self, pick: int) -> Delivery | None: ...
        def go_on(self, **drawn: Any) -> None: ...
        def cancel(self, **drawn: Any) -> None: ...

    def open_robots(self) -> None:
        """Begin with every robot switched on and nowhere."""
        self.fleet = a_fleet(ROBOTS)
        self.robots = {robot: BoardedRobot(robot, seed=number) for number, robot in enumerate(self.fleet.robots)}
        self.free = sorted(self.robots)
        self.brought = 0
        self.rides: dict[DeliveryId, RobotId] = {}
        self.messages: list[RobotAction] = []
        self.judged_up_to: dict[RobotId, int] = dict.fromkeys(self.robots, 0)
        self.judge = Judge()

    # -- robots that come and go -----------------------------------------------------------------------------------

    def fetch(self, ready: Delivery) -> Delivery:
        """Let a robot stand at the hatch for a delivery: every other one with a lock, while there are any."""
        self.brought += 1
        if self.brought % 2 == 0 or not self.free:
            return self.house.fetched(ready)
        robot = self.free.pop(0)
        self.rides[ready.id] = robot
        loading = self.house.fetched(ready, robot=robot)
        self.arrives(robot, ready.from_station)
        return loading

    def arrives(self, robot: RobotId, station: StationId) -> None:
        place = place_of(station)
        self.robots[robot].stands_at(place)
        with self.house.store.transaction() as uow:
            uow.robots.save(replace(uow.robots.get(robot), tip=place, checks_grants=True))
        self.listen(robot)

    def arrives_with(self, delivery: Delivery, station: StationId) -> None:
        """Let the robot of a delivery, if it has a lock, stand where the delivery is brought."""
        robot = self.of(delivery)
        if robot is not None:
            self.arrives(robot.id, station)

    def of(self, delivery: Delivery) -> BoardedRobot | None:
        """Return the robot with a lock that a delivery rides with, if it does."""
        return None if delivery.robot is None else self.robots.get(delivery.robot)

    def leaves(self, delivery: Delivery) -> bool:
        """Let the robot of a delivery leave where it stands; return whether nothing keeps it."""
        robot = self.of(delivery)
        if robot is None:
            return True
        self.listen(robot.id)
        with self.house.store.transaction() as uow:
            turn = self.turn(uow, robot.id)
            if robot.lock.keeps_standing or what_keeps_standing(turn, robot.id) is not None:
                return False
            settle_openings(turn, robot.id)
        if delivery.state is S.SEALED:
            robot.loads[DRAWER] = delivery.load
        robot.moves()
        return True

    def turn(self, uow: UnitOfWork, robot: RobotId) -> Turn:
        records: Mapping[RobotId, RobotRecord] = {robot: uow.robots.get(robot)}
        return Turn(uow, at=self.house.at, at_s=0.0, ids=self.house.ids, records=records)

    # -- messages --------------------------------------------------------------------------------------------------

    def post(self, robot: RobotId, *, how: str = "once") -> None:
        """Bring to a robot what the outbox has for it, or to another, or twice, or not."""
        with self.house.store.reading() as uow:
            wanted = [message.action for message in uow.outbox.wanted() if message.robot == robot and message.action]
        to = self.robots[min(self.robots.keys() - {robot})] if how == "other_robot" else self.robots[robot]
        for action in wanted if how != "lost" else ():
            self.messages.append(action)
            for _ in range(2 if how == "twice" else 1):
                to.hear(action)

    def listen(self, robot: RobotId, *, how: str = "heard") -> None:
        """Hear a robot's state and what it did, unless it is lost or the orchestrator dies before it is kept."""
        board = self.robots[robot]
        board.live(STEP_S)
        if how == "unheard":
            return
        try:
            with self.house.store.transaction() as uow:
                turn = self.turn(uow, robot)
                report = replace(board.report(number=self.brought), received_at=self.house.at)
                hear(turn, self.fleet, robot, link.Reported(report))
                for action, refusal in sorted(board.pending.items()):
                    done = link.ActionFinished(action) if refusal is None else link.ActionFailed(action, refusal)
                    hear(turn, self.fleet, robot, done)
                if how == "dies":
                    raise _DiedError
        except _DiedError:
            return
        board.pending = {}

    # -- what people and the world do --------------------------------------------------------------------------------

    def open_drawer(
        self, delivery: Delivery, fate: str, people: list[str], *, purpose: Purpose | None = None
    ) -> IssuedGrant | None:
        """Ask for a drawer; return the grant, if there came one."""
        before = self.grants_of(delivery.id)
        asked = OpeningAsked(delivery.id, self.house.present(*people), purpose)
        self.ask(fate, "open_drawer", self.granted, asked=asked)
        after = self.grants_of(delivery.id)
        return after[-1] if len(after) > len(before) else None

    def granted(self, uow: UnitOfWork, *, at: Any, asked: OpeningAsked) -> IssuedGrant:
        return grant_drawer(uow, self.fleet, asked, signer=Signer(), ids=self.house.ids, at=at)

    def grants_of(self, delivery: DeliveryId) -> list[IssuedGrant]:
        with self.house.store.reading() as uow:
            return list(uow.grants.of_delivery(delivery))

    def opens(self, delivery: Delivery, fate: str, people: list[str], *, purpose: Purpose | None = None) -> None:
        """Have the drawer of a delivery opened and pull it, as far as that goes; every fifth time nobody asks."""
        robot = self.of(delivery)
        if robot is None or self.asked % 5 == 4:
            return
        robot.live(STANDING_FOR_S)
        self.listen(robot.id)
        if self.open_drawer(delivery, fate, people, purpose=purpose) is None:
            return
        self.post(robot.id)
        robot.live(STEP_S)
        if robot.hardware.pull(DRAWER):
            self.did["opened"] += 1
        self.listen(robot.id)

    def shuts(self, delivery: Delivery) -> None:
        """Put in what was sealed, take out what is no longer aboard, and push the drawer shut."""
        robot = self.of(delivery)
        if robot is None:
            return
        now = self.house.now(delivery)
        robot.hardware.put(DRAWER, is_occupied=now.state.is_aboard)
        robot.hardware.push(DRAWER)
        robot.live(STANDING_FOR_S + STEP_S)
        self.listen(robot.id)
        if now.state.is_closed:
            robot.loads.pop(DRAWER, None)

    @rule(pick=picks, stages=st.integers(2, 4), ends=ends)
    def all_goes_well_with_a_robot(self, pick: int, stages: int, ends: str) -> None:
        """Let those whose work it is do it with a delivery that rides with a lock, or end it before it is received."""
        with self.house.store.reading() as uow:
            known = sorted(uow.deliveries.page(after=None, limit=20, states=None), key=lambda d: d.id)
        mine = [number for number, each in enumerate(known) if self.of(each) and not each.state.is_closed]
        if not mine:
            return
        chosen = mine[pick % len(mine)]
        for _ in range(stages):
            now = self.house.now(known[chosen])
            if now.state is S.SEALED and ends == "turned back":
                self.cancel(pick=chosen, fate="done", happens=True)
            if now.state is S.SEALED and ends == "taken out":
                self.opens(now, "done", ["pharmacist-1", "nurse-a1"], purpose=Purpose.RETRIEVE)
                self.shuts(now)
            right = {"seal": "S-right", "other": "S-right", "is_broken": False, "crew": 6}
            self.go_on(pick=chosen, fate="done", off=0, in_two=bool(pick % 2), takes_some=False, **right)

    @rule(pick=picks, people=st.data(), fate=fates, purpose=purposes)
    def ask_for_a_drawer(self, pick: int, people: st.DataObject, fate: str, purpose: Purpose | None) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None and self.of(delivery) is not None:
            self.open_drawer(delivery, fate, people.draw(self.crew()), purpose=purpose)

    def crew(self) -> st.SearchStrategy[list[str]]:
        names = sorted(self.house.people)
        right = st.sampled_from((["nurse-a1", "nurse-a2"], ["pharmacist-1", "technician-1"]))
        return st.one_of(right, st.lists(st.sampled_from(names), min_size=1, max_size=3))

    @rule(pick=picks, how=posts)
    def message_comes(self, pick: int, how: str) -> None:
        self.post(self.a_robot(pick), how=how)

    @rule(pick=picks, how=hearings)
    def robot_is_heard(self, pick: int, how: str) -> None:
        self.listen(self.a_robot(pick), how=how)

    @rule(pick=picks, message=picks)
    def message_is_played_again(self, pick: int, message: int) -> None:
        """Bring any grant of before to any robot, as an action that it has not seen."""
        if self.messages:
            played = self.messages[message % len(self.messages)]
            again = replace(played, id=type(played.id)(f"{played.id}-again-{message}-{self.brought}"))
            board = self.robots[self.a_robot(pick)]
            before = len(board.openings)
            is_open_still = self.is_wanted(played)
            board.hear(again)
            assert is_open_still or len(board.openings) == before, "a grant that was answered opened again"

    def is_wanted(self, played: RobotAction) -> bool:
        with self.house.store.reading() as uow:
            return any(grant.action == played.id for grant in uow.grants.standing())

    @rule(pick=picks, is_retrieval=st.booleans())
    def message_is_forged(self, pick: int, is_retrieval: bool) -> None:
        """Bring a grant that is right in everything but whose key signed it."""
        robot = self.robots[self.a_robot(pick)]
        mine = [self.house.now_of(id) for id, rides in self.rides.items() if rides == robot.id]
        if robot.lock.nonce is None or not mine:
            return
        usual = Purpose.HAND_OVER if robot.loads else Purpose.LOAD
        purpose = Purpose.RETRIEVE if is_retrieval else usual
        forged = text_of_grant(
            Grant(
                manufacturer=MANUFACTURER,
                serial_number=robot.id,
                drawer=DRAWER,
                delivery=mine[-1].id,
                load=mine[-1].load,
                purpose=purpose,
                node="" if is_retrieval else robot.node or "",
                nonce=robot.lock.nonce,
                lifetime_s=LIFETIME_MAX_S,
            )
        )
        assert robot.bring(forged, sign(forged, OTHER_KEY)) is not None, "a forged grant opened a drawer"

    @rule(pick=picks, happens=rarely)
    def robot_is_switched_off_and_on(self, pick: int, happens: bool) -> None:
        if happens:
            self.robots[self.a_robot(pick)].boot()

    @rule(pick=picks, stops=st.booleans())
    def robot_is_pushed(self, pick: int, stops: bool) -> None:
        """Push a robot away from where it stands; it may come to stand where no station is, or roll on."""
        robot = self.robots[self.a_robot(pick)]
        if robot.lock.keeps_standing:
            return
        was_at = robot.node
        robot.moves()
        if stops:
            robot.stands_at(was_at if pick % 2 else None)

    @rule(pick=picks, seconds=st.sampled_from((1.0, 20.0, 61.0)))
    def time_passes_on_board(self, pick: int, seconds: float) -> None:
        self.robots[self.a_robot(pick)].live(seconds)

    @rule(pick=picks, happens=st.booleans())
    def somebody_uses_the_drawer(self, pick: int, happens: bool) -> None:
        hardware = self.robots[self.a_robot(pick)].hardware
        if happens:
            hardware.pull(DRAWER)
        else:
            hardware.push(DRAWER)

    @rule(who=st.sampled_from(("nurse-a3", "technician-2")), happens=rarely)
    def grants_of_somebody_are_taken_back(self, who: str, happens: bool) -> None:
        if happens:
            with self.house.store.transaction() as uow:
                void_grants_of(uow, PersonId(who), at=self.house.at)

    def a_robot(self, pick: int) -> RobotId:
        """Return one of the robots that a delivery was brought with, or the first."""
        taken = sorted(self.robots.keys() - set(self.free)) or sorted(self.robots)
        return taken[pick % len(taken)]

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def a_drawer_opened_for_one_grant_alone(self) -> None:
        if not hasattr(self, "robots"):
            return
        for robot in self.robots.values():
            assert len(robot.hardware.unlatched) == len(robot.openings), "a latch let go without a grant"
            for opening in robot.openings[self.judged_up_to[robot.id] :]:
                self.judge.look_at(self.house, opening)
            self.judged_up_to[robot.id] = len(robot.openings)

    @invariant()
    def what_is_done_with_a_locked_drawer_was_opened_for_it(self) -> None:
        if not hasattr(self, "robots"):
            return
        with self.house.store.reading() as uow:
            for id, robot in self.rides.items():
                delivery = uow.deliveries.get(id)
                opened = {g.purpose: g for g in uow.grants.of_delivery(id) if g.outcome is GrantOutcome.OPENED}
                assert delivery.loading is None or Purpose.LOAD in opened, f"{id} was loaded into a locked drawer"
                was_at_robot = delivery.receipt is not None and delivery.robot == robot
                assert not was_at_robot or opened.keys() - {Purpose.LOAD}, f"{id} was received out of a locked drawer"
                assert all(self.judge.used[grant.id] == 1 for grant in opened.values()), "the books invent an opening"


class _DiedError(Exception):
    """The orchestrator ends before what it heard is kept."""
