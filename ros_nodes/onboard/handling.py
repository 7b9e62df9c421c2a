"""Carries node actions out: loads into and out of drawers, charging on and off."""

from __future__ import annotations

from orchestrator.vda5050.messages import Action, ActionType, ParameterKey
from ros_nodes.onboard.drawer_lock import DrawerLock
from ros_nodes.onboard.equipment import Drawers, PowerSource


class Handling:
    """Does what an action asks of drawers and battery.

    Parameters
    ----------
    duration_s : float
        How long each action takes, in seconds.
    drawers : Drawers
        Where loads lie.
    battery : PowerSource
        What charging fills.
    lock : DrawerLock, optional
        What knows whether something lies in a drawer that was opened.
    """

    def __init__(
        self, duration_s: float, drawers: Drawers, battery: PowerSource, lock: DrawerLock | None = None
    ) -> None:
        self._lock = lock
        self._duration_s = duration_s
        self._drawers = drawers
        self._battery = battery
        self.broken: dict[str, str] = {}
        """What does not work now: action type, and a sentence that says why."""

    def begin(self, action: Action) -> float | str:
        """Start ``action``; return its duration in seconds, or why it cannot be done."""
        refusal = self._refusal(action)
        return self._duration_s if refusal is None else refusal

    def complete(self, action: Action) -> str | None:
        """Bring about what ``action`` is for; return why not, if the drawers changed meanwhile."""
        refusal = self.broken.get(action.action_type) or self._refusal(action)
        if refusal is not None:
            return refusal
        load, drawer = _load_of(action), _drawer_of(action)
        if action.action_type == ActionType.PICK and load is not None:
            self._drawers.put(load, drawer)
            self._note_handled(self._drawers.drawer_of(load))
        elif action.action_type == ActionType.DROP and load is not None:
            self._note_handled(self._drawers.drawer_of(load))
            self._drawers.take(load)
        elif action.action_type == ActionType.START_CHARGING:
            self._battery.is_charging = True
        elif action.action_type == ActionType.STOP_CHARGING:
            self._battery.is_charging = False
        return None

    def _note_handled(self, drawer: str | None) -> None:
        if self._lock is not None:
            self._lock.note_handled(drawer)

    def _refusal(self, action: Action) -> str | None:
        load, drawer = _load_of(action), _drawer_of(action)
        if action.action_type == ActionType.PICK:
            refusal = self._drawers.refusal_of_pick(load, drawer)
            return refusal or (self._lock.refusal_of_pick(drawer) if self._lock is not None else None)
        if action.action_type == ActionType.DROP:
            refusal = self._drawers.refusal_of_drop(load, drawer)
            inside = self._drawers.drawer_of(load) if load is not None else None
            return refusal or (self._lock.refusal_of_drop(inside) if self._lock is not None else None)
        return None


def _load_of(action: Action) -> str | None:
    value = action.parameter(ParameterKey.LOAD_ID)
    return value if isinstance(value, str) and value else None


def _drawer_of(action: Action) -> str | None:
    value = action.parameter(ParameterKey.DRAWER)
    return value if isinstance(value, str) and value else None
