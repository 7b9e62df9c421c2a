"""Drawers and battery: what the robot carries and lives on, apart from driving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.domain.fleet.model import RobotModel
from orchestrator.vda5050.messages import Load

FULL = 1.0


class Drawers:
    """Which load lies in which drawer; a drawer holds one load.

    Parameters
    ----------
    names : sequence of str
        The drawers there are, in order.
    loads : mapping, optional
        Load id by drawer, as remembered from before a restart; drawers this robot does not have keep their load
        under the remembered name, because a load is never forgotten.
    """

    def __init__(self, names: Sequence[str], loads: Mapping[str, str] | None = None) -> None:
        self._names = tuple(names)
        self._loads: dict[str, str] = dict(loads or {})

    @property
    def loads(self) -> Mapping[str, str]:
        """Load id by drawer."""
        return dict(self._loads)

    def reported(self) -> tuple[Load, ...]:
        """Return the loads as they stand in a state message."""
        return tuple(Load(load_id=load, load_position=drawer) for drawer, load in sorted(self._loads.items()))

    def refusal_of_pick(self, load: str | None, drawer: str | None) -> str | None:
        """Return why ``load`` cannot be put into ``drawer`` (any free one if None), or None if it can."""
        if not load:
            return "pick needs the parameter loadId"
        if load in self._loads.values():
            return f"load {load} is already aboard"
        if drawer is not None and drawer not in self._names:
            return f"there is no drawer {drawer}; this robot has {', '.join(self._names)}"
        if drawer is not None and drawer in self._loads:
            return f"drawer {drawer} is not empty"
        if drawer is None and self._free() is None:
            return "no drawer is empty"
        return None

    def refusal_of_drop(self, load: str | None, drawer: str | None) -> str | None:
        """Return why ``load`` cannot be taken out, or None if it can."""
        if not load:
            return "drop needs the parameter loadId"
        found = self.drawer_of(load)
        if found is None:
            return f"load {load} is not aboard"
        if drawer is not None and drawer != found:
            return f"load {load} lies in drawer {found}, not in {drawer}"
        return None

    def put(self, load: str, drawer: str | None) -> None:
        """Put ``load`` into ``drawer`` or the first free one; ask `refusal_of_pick` before."""
        place = drawer or self._free()
        if place is None or place in self._loads:
            raise ValueError(f"no empty drawer for {load}; refusal_of_pick says so beforehand")
        self._loads[place] = load

    def take(self, load: str) -> None:
        """Take ``load`` out; ask `refusal_of_drop` before."""
        place = self.drawer_of(load)
        if place is None:
            raise ValueError(f"{load} is not aboard; refusal_of_drop says so beforehand")
        del self._loads[place]

    def _free(self) -> str | None:
        return next((name for name in self._names if name not in self._loads), None)

    def drawer_of(self, load: str) -> str | None:
        """Return the drawer that a load lies in, None when it is not aboard."""
        return next((drawer for drawer, held in self._loads.items() if held == load), None)


class PowerSource(Protocol):
    """What the robot lives on: simulated in process, or measured on hardware."""

    @property
    def is_charging(self) -> bool:
        """Whether the charger is in use; set to connect or disconnect it."""
        ...

    @is_charging.setter
    def is_charging(self, is_charging: bool, /) -> None: ...

    @property
    def charge(self) -> float:
        """Charge from 0 to 1."""
        ...

    def advance_to(self, time_s: float, *, distance_m: float) -> None:
        """Account for time (seconds) and distance (metres) driven so far; does nothing where it is measured."""
        ...


@dataclass(slots=True)
class Battery:
    """Charge from 0 to 1, drained by time and distance, filled while charging; all rates per second or metre."""

    charge: float
    idle_drain_per_s: float
    drive_drain_per_m: float
    charge_per_s: float
    time_s: float = 0.0
    distance_m: float = 0.0
    is_charging: bool = False

    def advance_to(self, time_s: float, *, distance_m: float) -> None:
        """Account for the time and distance since the last call."""
        elapsed_s, driven_m = time_s - self.time_s, distance_m - self.distance_m
        gain = self.charge_per_s if self.is_charging else -self.idle_drain_per_s
        self.charge = min(FULL, max(0.0, self.charge + gain * elapsed_s - self.drive_drain_per_m * driven_m))
        self.time_s, self.distance_m = time_s, distance_m


def battery_of_model(model: RobotModel, *, charge: float, time_s: float, distance_m: float) -> Battery:
    """Return a battery with the rates of ``model``, at ``charge`` (0 to 1)."""
    return Battery(
        charge=charge,
        idle_drain_per_s=model.idle_drain_per_s,
        drive_drain_per_m=model.drive_drain_per_m,
        charge_per_s=model.charge_per_s,
        time_s=time_s,
        distance_m=distance_m,
    )
