"""Drawers as the robot's link sees them: the action that opens one, and the errors that they give rise to."""

from __future__ import annotations

import base64
import binascii
import math

from orchestrator.vda5050.drawer_journal import Journal
from orchestrator.vda5050.messages import ActionStatus, ParameterKey
from ros_nodes.onboard.actions import BoardAction
from ros_nodes.onboard.complaints import Complaints
from ros_nodes.onboard.drawer_journal import KeptJournal
from ros_nodes.onboard.drawer_lock import FORCED, LEFT_OPEN, TAMPERED, UNKNOWN, DrawerLock
from ros_nodes.onboard.driving import Driver
from ros_nodes.onboard.equipment import Drawers
from ros_nodes.onboard.grant_check import Circumstances, Refusal
from ros_nodes.onboard.order_progress import OrderProgress
from ros_nodes.onboard.path_geometry import Pose

AT_NODE_M = 1.0
"""How far from its last node a robot may stand and still be there, metres; as far as an order may begin from."""

STANDING_M_S, STANDING_RAD_S = 1e-3, 1e-3
"""Below these speeds nothing moves."""

_FAULTS = (FORCED, TAMPERED, LEFT_OPEN, UNKNOWN)


class DrawerDesk:
    """What a robot does about its lock, or nothing when it has none.

    Parameters
    ----------
    lock : DrawerLock or None
        The lock; a robot without one knows no grants.
    names : tuple of str
        Its drawers.
    drawers : Drawers
        What lies in them.
    """

    def __init__(self, lock: DrawerLock | None, names: tuple[str, ...], drawers: Drawers) -> None:
        self.lock = lock
        self._names = names
        self._drawers = drawers
        self._opening: BoardAction | None = None

    @property
    def keeps_standing(self) -> bool:
        """Whether a drawer keeps the robot from driving."""
        return self.lock is not None and self.lock.keeps_standing

    @property
    def kept_journal(self) -> KeptJournal:
        """What has to survive a loss of power of what was written down."""
        journal = None if self.lock is None else self.lock.journal
        return KeptJournal() if journal is None else journal.kept

    def told_journal(self, now_s: float) -> Journal | None:
        """Return what is told of the journal in a state now."""
        journal = None if self.lock is None else self.lock.journal
        return None if journal is None else journal.told(now_s)

    def note_link(self, now_s: float) -> None:
        """Note that the link has come up: what was written down meanwhile is told again."""
        if self.lock is not None and self.lock.journal is not None:
            self.lock.journal.note_link(now_s)

    @property
    def next_event_s(self) -> float | None:
        """When something will happen on its own (seconds, absolute)."""
        return None if self.lock is None else self.lock.next_event_s

    def advance_to(self, time_s: float, driver: Driver) -> bool:
        """Live on until ``time_s``; return whether what is reported has changed."""
        return self.lock is not None and self.lock.advance_to(time_s, is_still=_is_still(driver))

    def begin(self, item: BoardAction, progress: OrderProgress, pose: Pose) -> str | None:
        """Open a drawer as an action asks; return why not, None once its latch was told to let go."""
        if self.lock is None:
            return "this robot has no locks that open on grants"
        grant, signature = item.action.parameter(ParameterKey.GRANT), item.action.parameter(ParameterKey.SIGNATURE)
        if not isinstance(grant, str) or not isinstance(signature, str):
            return _told(Refusal.MALFORMED)
        try:
            signed = base64.b64decode(signature, validate=True)
        except (ValueError, binascii.Error):
            return _told(Refusal.SIGNATURE)
        here = Circumstances(
            is_standing=self.lock.is_standing,
            node=_node_stood_at(progress, pose),
            loads=self._drawers.loads,
            drawers=self._names,
        )
        refusal = self.lock.open(grant, signed, here)
        if refusal is not None:
            return _told(refusal)
        item.status = ActionStatus.RUNNING
        self._opening = item
        return None

    def take_opened(self) -> tuple[BoardAction, str | None] | None:
        """Return the action that is over by now and why it failed, None while there is none."""
        if self._opening is None or self.lock is None:
            return None
        outcome = self.lock.outcome_of_opening()
        if outcome is None:
            return None
        item, self._opening = self._opening, None
        return item, None if outcome is True else _told(Refusal(outcome))

    def complain(self, complaints: Complaints, *, has_way: bool) -> bool:
        """Report what is wrong with the drawers, and no longer what is not; return whether that changed anything."""
        if self.lock is None:
            return False
        before = complaints.reported()
        faults = {fault.error_type: fault for fault in self.lock.faults(has_way=has_way)}
        for kind in _FAULTS:
            if kind in faults:
                complaints.raise_fault(kind, faults[kind].sentence, is_fatal=faults[kind].is_fatal)
            else:
                complaints.clear_fault(kind)
        return complaints.reported() != before


def _is_still(driver: Driver) -> bool:
    is_slow = abs(driver.speed_m_s) <= STANDING_M_S and abs(driver.turn_speed_rad_s) <= STANDING_RAD_S
    return is_slow and driver.is_stopped and driver.is_fresh


def _node_stood_at(progress: OrderProgress, pose: Pose) -> str | None:
    """Return the node that a robot with nothing left to drive stands at, None when it does not."""
    place = progress.last_place
    if not progress.is_done or place is None or place.level != pose.level:
        return None
    return progress.last_node if math.hypot(place.x_m - pose.x_m, place.y_m - pose.y_m) <= AT_NODE_M else None


def _told(refusal: Refusal) -> str:
    return f"{refusal.value}: {refusal.sentence}"
