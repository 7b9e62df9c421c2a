"""The robot as the link sees it: takes orders and instant actions, drives, handles loads, and says how it stands.

No I/O and no clock: time in seconds is handed in and only grows, messages go in and out as bytes, and a `Driver`
moves. So one class runs in virtual robots on virtual time and in the ROS 2 agent.

What holds at every moment: the driver is never given a point beyond the last released node; an order is never
resumed after a restart; losing the link changes nothing on board, so the robot drives on to the end of its base and
stands there (VDA 5050 §6.6.2, design §10 promise 7).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.address import RobotAddress, TopicKind
from orchestrator.vda5050.header import Header
from orchestrator.vda5050.messages import (
    ActionStatus,
    ActionType,
    ConnectionState,
    EStop,
    Node,
    OperatingMode,
    State,
)
from ros_nodes.onboard.actions import BoardAction
from ros_nodes.onboard.complaints import Complaints
from ros_nodes.onboard.drawer_desk import DrawerDesk
from ros_nodes.onboard.drawer_lock import DrawerLock
from ros_nodes.onboard.driving import Driver
from ros_nodes.onboard.equipment import Drawers, PowerSource, battery_of_model
from ros_nodes.onboard.handling import Handling
from ros_nodes.onboard.maps import Maps, last_node_of
from ros_nodes.onboard.memory import RobotMemory
from ros_nodes.onboard.order_acceptance import Acceptance, Rejection, Verdict
from ros_nodes.onboard.order_desk import OrderDesk
from ros_nodes.onboard.path_geometry import PathPoint, Pose
from ros_nodes.onboard.reading import read_instant_actions, read_order
from ros_nodes.onboard.report import Condition, state_of
from ros_nodes.onboard.voice import OutgoingMessage, Voice

_SEEN_ACTIONS_KEPT = 256

BATTERY_EMPTY = "batteryEmpty"


class OnboardRobot:
    """One robot's decisions on board. One owner, no threads.

    Parameters
    ----------
    address : RobotAddress
        Who it is on the link.
    model : RobotModel
        What it is and can do.
    driver : Driver
        What moves it; stands at the remembered pose.
    memory : RobotMemory
        Where it stands and what it carries, from its start or from before a restart.
    utc : callable
        Turns time on board (seconds) into the aware UTC time stamped on messages.
    time_s : float
        Present time on board.
    battery : PowerSource, optional
        What it lives on; one drained and charged as the model says when left out.
    state_interval_s : float, optional
        Longest silence in seconds on board; the model's own when left out. A robot whose time runs faster than the
        wall's is given more.
    driving_interval_s : float, optional
        Longest silence while driving, for those who want to see it move; the same as standing when left out.
    lock : DrawerLock, optional
        What opens its drawers on grants; left out, they have no locks of ours.
    """

    def __init__(
        self,
        *,
        address: RobotAddress,
        model: RobotModel,
        driver: Driver,
        memory: RobotMemory,
        utc: Callable[[float], datetime],
        time_s: float = 0.0,
        battery: PowerSource | None = None,
        state_interval_s: float | None = None,
        driving_interval_s: float | None = None,
        lock: DrawerLock | None = None,
    ) -> None:
        self.address = address
        self.model = model
        self._driver = driver
        self._time_s = time_s
        self._state_interval_s = state_interval_s or model.state_interval_s
        self._driving_interval_s = min(driving_interval_s or self._state_interval_s, self._state_interval_s)
        self._voice = Voice(address, utc, memory.header_ids, checks_grants=lock is not None)
        self._drawers = Drawers(model.drawers, memory.loads)
        self._battery = battery or battery_of_model(
            model, charge=memory.battery, time_s=time_s, distance_m=driver.distance_m
        )
        self._handling = Handling(model.handling_s, self._drawers, self._battery, lock)
        if lock is not None:
            lock.keep_journal(memory.journal, utc)
        self._locks = DrawerDesk(lock, model.drawers, self._drawers)
        self._complaints = Complaints()
        self._desk = OrderDesk(driver, self._complaints, memory)
        self._seen_actions: deque[str] = deque(maxlen=_SEEN_ACTIONS_KEPT)
        self._condition = Condition()
        self._is_held = False
        self._cancel: BoardAction | None = None
        self._pausing: list[BoardAction] = []
        self._maps = Maps(model, level=driver.pose.level)
        self._relocating: tuple[BoardAction, Pose] | None = None
        self._was_driving = False
        self._said_at_s = time_s
        self._has_news = False

    @property
    def time_s(self) -> float:
        """Time on board, in seconds."""
        return self._time_s

    @property
    def driver(self) -> Driver:
        """What moves the robot."""
        return self._driver

    @property
    def order_id(self) -> str:
        """The order in force or last carried out; empty after a restart."""
        return self._desk.progress.order_id

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to drive or to do."""
        return self._desk.is_idle

    @property
    def base_ahead(self) -> Sequence[Node]:
        """The released nodes that it has still to traverse."""
        return self._desk.progress.base_ahead

    @property
    def memory(self) -> RobotMemory:
        """What has to survive a loss of power."""
        return RobotMemory(
            pose=self._driver.pose,
            battery=self._battery.charge,
            loads=self._drawers.loads,
            last_node=self._desk.progress.last_node,
            last_sequence=self._desk.progress.last_sequence,
            last_place=self._desk.progress.last_place,
            header_ids=self._voice.header_ids,
            orders=self._desk.orders,
            journal=self._locks.kept_journal,
        )

    @property
    def next_event_s(self) -> float:
        """When something will happen on board on its own: at the latest the next regular state."""
        coming = (
            self._driver.next_event_s,
            self._desk.book.next_event_s,
            self._locks.next_event_s,
            self._next_state_s,
        )
        return min(event for event in coming if event is not None)

    @property
    def _next_state_s(self) -> float:
        return self._said_at_s + (self._driving_interval_s if self._was_driving else self._state_interval_s)

    def take_messages(self) -> tuple[OutgoingMessage, ...]:
        """Return what the robot wants published since the last call, oldest first."""
        return self._voice.take()

    def last_will(self) -> OutgoingMessage:
        """Return what the broker shall say in the robot's name when the link breaks."""
        return self._voice.connection(ConnectionState.CONNECTIONBROKEN, self._time_s)

    def connect(self, now_s: float) -> None:
        """Say who is there: connection, factsheet and state; call each time the link comes up."""
        self.advance(now_s)
        self._locks.note_link(self._time_s)
        self._voice.say_connection(ConnectionState.ONLINE, self._time_s)
        self._voice.say_factsheet(self.model, self._time_s)
        self._say_state()

    def report(self, now_s: float) -> None:
        """Say how it stands now, out of turn."""
        self.advance(now_s)
        self._say_state()

    def shut_down(self, now_s: float) -> None:
        """Give up the order, brake, and say good-bye; whoever switches the robot on again sends a new order."""
        self.advance(now_s)
        self._desk.drop("the robot was switched off")
        self._say_state()
        self._voice.say_connection(ConnectionState.OFFLINE, self._time_s)

    def receive(self, kind: TopicKind | str, payload: bytes, now_s: float) -> None:
        """Take in one message; what is malformed, foreign, repeated or not for robots changes nothing on board."""
        self.advance(now_s)
        if kind == TopicKind.ORDER:
            self._receive_order(payload)
        elif kind == TopicKind.INSTANT_ACTIONS:
            self._receive_instant_actions(payload)
        self._settle()

    def advance(self, now_s: float) -> None:
        """Live on until ``now_s``, through every event on the way; earlier times change nothing."""
        while (event_s := self.next_event_s) <= now_s:
            self._advance_to(max(event_s, self._time_s))
        self._advance_to(max(now_s, self._time_s))

    def press_emergency_stop(self, now_s: float) -> None:
        """Somebody pressed the button: the robot stands until a person releases it."""
        self.advance(now_s)
        self._condition.emergency_stop, self._has_news = EStop.MANUAL, True
        self._settle()

    def release_emergency_stop(self, now_s: float) -> None:
        """A person at the robot released the button; it goes on."""
        self.advance(now_s)
        self._condition.emergency_stop, self._has_news = EStop.NONE, True
        self._settle()

    def set_operating_mode(self, mode: OperatingMode, now_s: float) -> None:
        """Somebody turned the key; leaving automatic driving clears the order."""
        self.advance(now_s)
        self._condition.mode, self._has_news = mode, True
        if mode not in (OperatingMode.AUTOMATIC, OperatingMode.SEMIAUTOMATIC):
            self._desk.drop(f"the robot was put in {mode.value}")
        self._settle()

    def raise_fault(self, error_type: str, description: str, *, is_fatal: bool, now_s: float) -> None:
        """Report a fault until it is cleared; a fatal one holds the robot."""
        self.advance(now_s)
        self._complaints.raise_fault(error_type, description, is_fatal=is_fatal)
        self._has_news = True
        self._settle()

    def clear_fault(self, error_type: str, now_s: float) -> None:
        """The fault is gone."""
        self.advance(now_s)
        self._complaints.clear_fault(error_type)
        self._has_news = True
        self._settle()

    def take_out(self, load: str, now_s: float) -> None:
        """Somebody took a load out by hand; nothing happens when it is not aboard."""
        self.advance(now_s)
        if load in self._drawers.loads.values():
            self._drawers.take(load)
            self._has_news = True
        self._settle()

    def see_to_drawers(self, now_s: float) -> None:
        """A person at the robot has seen to a drawer that was forced or tampered with; it may go on."""
        self.advance(now_s)
        if self._locks.lock is not None:
            self._locks.lock.see_to()
            self._has_news = True
        self._settle()

    def release_wheels(self) -> None:
        """Drive on, unless something on board keeps it standing."""
        if not self._is_held:
            self._driver.resume()

    def break_action(self, action_type: str, why: str | None) -> None:
        """Let actions of a type fail at their end, or work again when ``why`` is None."""
        self._handling.broken.pop(action_type, None)
        if why is not None:
            self._handling.broken[action_type] = why

    def _receive_order(self, payload: bytes) -> None:
        order = read_order(payload, self.address)
        if order is None:
            return
        if isinstance(order, Verdict):
            self._reject(order)
            return
        self._has_news = True
        self._desk.take(
            order,
            takes_orders=self._condition.takes_orders and not self._complaints.is_fatal,
            is_cancelling=self._cancel is not None,
        )

    def _reject(self, verdict: Verdict) -> None:
        self._complaints.reject(verdict)
        self._has_news = True

    def _receive_instant_actions(self, payload: bytes) -> None:
        message = read_instant_actions(payload, self.address)
        if message is None:
            return
        if isinstance(message, Verdict):
            self._reject(message)
            return
        self._has_news = True
        for action in message.actions:
            # A repeated action was heard before: the state that follows says so, and nothing happens twice.
            if action.action_id not in self._seen_actions and self._desk.book.find(action.action_id) is None:
                self._seen_actions.append(action.action_id)
                self._act_at_once(self._desk.book.add_instant(action))

    def _act_at_once(self, item: BoardAction) -> None:
        kind = item.action.action_type
        if kind == ActionType.CANCEL_ORDER:
            self._begin_cancel(item)
        elif kind == ActionType.START_PAUSE:
            self._condition.is_paused = True
            item.status = ActionStatus.RUNNING
            self._pausing.append(item)
        elif kind == ActionType.STOP_PAUSE:
            self._condition.is_paused = False
            self._finish_pausing()
            item.finish()
        elif kind == ActionType.FACTSHEET_REQUEST:
            self._voice.say_factsheet(self.model, self._time_s)
            item.finish()
        elif kind == ActionType.STATE_REQUEST:
            item.finish()
        elif kind in (ActionType.START_CHARGING, ActionType.STOP_CHARGING):
            item.is_due = True
        elif kind == ActionType.ENABLE_MAP:
            self._end(item, self._maps.enable(item.action))
        elif kind == ActionType.INIT_POSITION:
            self._begin_relocation(item)
        elif kind == ActionType.OPEN_DRAWER:
            self._begin_opening(item)
        else:
            self._end(item, f"this robot has no instant action {kind!r}")

    def _end(self, item: BoardAction, failure: str | None) -> None:
        if failure is None:
            item.finish()
            return
        item.fail(failure)
        self._complaints.action_failed(item.action, failure)

    def _begin_opening(self, item: BoardAction) -> None:
        """Open a drawer; it is over once its latch has let go."""
        failure = self._locks.begin(item, self._desk.progress, self._driver.pose)
        if failure is not None:
            self._end(item, failure)

    def _end_opening(self) -> bool:
        ended = self._locks.take_opened()
        if ended is None:
            return False
        item, failure = ended
        if failure is None:
            item.finish("opened")
        else:
            self._end(item, failure)
        return True

    def _begin_relocation(self, item: BoardAction) -> None:
        """Stand where an initPosition says; it is over once the driver says so too."""
        pose = self._maps.place_of(item.action)
        if isinstance(pose, str):
            self._end(item, pose)
        elif not self._driver.is_stopped or self._desk.has_order or self._relocating is not None:
            self._end(item, "a position is initialised only while the robot stands without an order")
        else:
            item.status = ActionStatus.RUNNING
            self._relocating = item, pose
            self._driver.relocate(pose)

    def _end_relocation(self) -> bool:
        if self._relocating is None or self._driver.pose.level != self._relocating[1].level:
            return False
        item, pose = self._relocating
        self._relocating = None
        node = last_node_of(item.action)
        if node is not None:
            self._desk.progress.last_node = node
            self._desk.progress.last_place = PathPoint(pose.x_m, pose.y_m, pose.level)
        item.finish()
        return True

    def _begin_cancel(self, item: BoardAction) -> None:
        if self._cancel is not None or not self._desk.has_order:
            sentence = "there is no order to cancel"
            item.fail(sentence)
            references = {"actionId": item.action.action_id}
            self._reject(Verdict(Acceptance.REJECTED, Rejection.NO_ORDER_TO_CANCEL, sentence, references=references))
            return
        item.status = ActionStatus.RUNNING
        self._cancel = item
        self._desk.drop("the order was cancelled")

    def _advance_to(self, time_s: float) -> None:
        self._time_s = time_s
        self._driver.advance_to(time_s)
        self._battery.advance_to(time_s, distance_m=self._driver.distance_m)
        self._has_news = self._locks.advance_to(time_s, self._driver) or self._has_news
        self._settle()

    def _settle(self) -> None:
        """Do everything that is possible at this moment, then say what changed."""
        self._check_battery()
        has_way = bool(self._desk.progress.base_ahead)
        self._has_news = self._locks.complain(self._complaints, has_way=has_way) or self._has_news
        self._hold_or_go()
        while self._work():
            pass
        is_driving = not self._driver.is_stopped
        if is_driving != self._was_driving:
            self._was_driving, self._has_news = is_driving, True
        if self._has_news or self._time_s >= self._next_state_s:
            self._say_state()

    def _work(self) -> bool:
        """Take one round of steps that follow from each other; return whether anything changed."""
        changed = self._desk.pass_reached_nodes()
        ended = self._desk.book.advance_to(
            self._time_s,
            self._handling,
            is_standing=self._driver.is_stopped,
            may_start=not self._is_held,
        )
        for item in ended:
            if item.status is ActionStatus.FAILED:
                self._complaints.action_failed(item.action, item.result or "")
        changed = self._end_instant_actions() or changed or bool(ended)
        changed = self._end_relocation() or changed
        changed = self._end_opening() or changed
        changed = self._drive_on() or changed
        self._has_news = self._has_news or changed
        return changed

    def _drive_on(self) -> bool:
        """Hand the driver the released points it does not have yet."""
        if self._cancel is not None or self._is_held or self._desk.book.holds_robot:
            return False
        if not self._desk.feed.offer(self._desk.progress.stretch()):
            return False
        self._battery.is_charging = False
        return True

    def _end_instant_actions(self) -> bool:
        if not self._driver.is_stopped:
            return False
        changed = False
        if self._cancel is not None and not self._desk.book.is_anything_running:
            self._cancel.finish()
            self._cancel = None
            changed = True
        return self._finish_pausing() or changed

    def _finish_pausing(self) -> bool:
        changed = bool(self._pausing)
        for item in self._pausing:
            item.finish()
        self._pausing.clear()
        return changed

    def _check_battery(self) -> None:
        is_empty = self._battery.charge <= 0.0
        if is_empty != self._complaints.has_fault(BATTERY_EMPTY):
            self._has_news = True
            if is_empty:
                self._complaints.raise_fault(BATTERY_EMPTY, "The battery is empty.", is_fatal=True)
            else:
                self._complaints.clear_fault(BATTERY_EMPTY)

    def _hold_or_go(self) -> None:
        """Brake while anything keeps the robot from driving, and go on when nothing does."""
        condition = self._condition
        is_stopped_by_hand = condition.emergency_stop is not EStop.NONE
        is_at_fault = self._complaints.is_fatal or self._locks.keeps_standing
        holds = condition.is_paused or is_stopped_by_hand or is_at_fault
        if holds == self._is_held:
            return
        self._is_held, self._has_news = holds, True
        if holds:
            self._driver.pause()
        else:
            self._driver.resume()

    def _say_state(self) -> None:
        self._voice.say_state(self._state, self._time_s)
        self._said_at_s, self._has_news = self._time_s, False

    def _state(self, header: Header) -> State:
        return state_of(
            header,
            desk=self._desk,
            driver=self._driver,
            drawers=self._drawers,
            battery=self._battery,
            complaints=self._complaints,
            condition=self._condition,
            maps=self._maps,
            lock=self._locks.lock,
            journal=self._locks.told_journal(self._time_s),
            is_localised=self._relocating is None,
        )
