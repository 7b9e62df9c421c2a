"""Drawers that are not there: latches, leaves and sensors on the robot's time, and a hand that uses them.

The hand does what the purpose asks for: it pulls a drawer that was let go, puts something in or takes it out, and
pushes it shut. Tests use their own hands, and break what they like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.custody.grant import Purpose
from ros_nodes.onboard.drawer_hardware import Switches

PULLED_AFTER_S = 1.0
"""How long the hand takes to pull a drawer that was let go, seconds."""

SHUT_AFTER_S = 3.0
"""How long after it was let go the hand has done its work and pushed the drawer shut, seconds."""


@dataclass(slots=True)
class _Drawer:
    is_latched: bool = True
    is_closed: bool = True
    is_occupied: bool = False
    is_tampered: bool = False


class SimulatedDrawers:
    """Drawers of one simulated robot; they outlive a restart of its computer.

    Parameters
    ----------
    names : tuple of str
        The drawers.
    has_hand : bool
        Whether somebody uses what is let go; otherwise whoever tests pulls and pushes.
    occupied : collection of str
        Those that something lies in at the start.
    """

    def __init__(self, names: tuple[str, ...], *, has_hand: bool = True, occupied: tuple[str, ...] = ()) -> None:
        self._drawers = {name: _Drawer(is_occupied=name in occupied) for name in names}
        self._has_hand = has_hand
        self._plan: list[tuple[float, str, str]] = []
        self._time_s = 0.0
        self.is_switch_stuck: set[str] = set()
        """Drawers whose limit switch says that they are open, whatever they are."""
        self.claims_occupied: set[str] = set()
        """Drawers whose sensor says that something is in them, whatever is."""
        self.is_latch_stuck: set[str] = set()
        """Drawers whose latch does not move."""
        self.silent_since_s: float | None = None
        """When the switches were heard last, while nothing is heard of them any more."""
        self.unlatched: list[str] = []
        """Every drawer that was let go, in order."""

    @property
    def next_event_s(self) -> float | None:
        """When the hand moves next."""
        return min((at_s for at_s, _, _ in self._plan), default=None)

    @property
    def to_be_occupied(self) -> tuple[str, ...]:
        """The drawers in which something lies once the hand has done what it is about to do."""
        lies_in = {name for name, drawer in self._drawers.items() if drawer.is_occupied}
        for _, drawer, act in sorted(self._plan):
            if act == Purpose.LOAD:
                lies_in.add(drawer)
            elif act not in ("pull", Purpose.RECOUNT):
                lies_in.discard(drawer)
        return tuple(sorted(lies_in))

    def advance_to(self, time_s: float) -> None:
        """Let the hand do what is due."""
        self._time_s = time_s
        due = [step for step in self._plan if step[0] <= time_s]
        self._plan = [step for step in self._plan if step[0] > time_s]
        for _, drawer, act in sorted(due):
            if act == "pull":
                self.pull(drawer)
            else:
                self._use(drawer, act)

    def switches(self) -> Mapping[str, Switches]:
        """Return what the switches say now."""
        return {
            name: Switches(
                is_latched=drawer.is_latched,
                is_closed=drawer.is_closed and name not in self.is_switch_stuck,
                is_occupied=drawer.is_occupied or name in self.claims_occupied,
                is_tampered=drawer.is_tampered,
                heard_s=self._time_s if self.silent_since_s is None else self.silent_since_s,
            )
            for name, drawer in self._drawers.items()
        }

    def unlatch(self, drawer: str, purpose: str) -> None:
        """Let go of a drawer."""
        if drawer in self.is_latch_stuck:
            return
        self.unlatched.append(drawer)
        self._drawers[drawer].is_latched = False
        if self._has_hand:
            self._plan += [
                (self._time_s + PULLED_AFTER_S, drawer, "pull"),
                (self._time_s + SHUT_AFTER_S, drawer, purpose),
            ]

    def latch(self, drawer: str) -> None:
        """Let the latch catch, if the drawer is closed."""
        if drawer not in self.is_latch_stuck and self._drawers[drawer].is_closed:
            self._drawers[drawer].is_latched = True

    # -- hands -----------------------------------------------------------------------------------------------------

    def pull(self, drawer: str) -> bool:
        """Pull a drawer; return whether it comes."""
        leaf = self._drawers[drawer]
        leaf.is_closed = leaf.is_closed and leaf.is_latched
        return not leaf.is_closed

    def push(self, drawer: str) -> None:
        """Push a drawer shut."""
        self._drawers[drawer].is_closed = True

    def put(self, drawer: str, *, is_occupied: bool) -> None:
        """Put something into an open drawer, or take it out; nothing happens to a closed one."""
        leaf = self._drawers[drawer]
        leaf.is_occupied = leaf.is_occupied if leaf.is_closed else is_occupied

    def force(self, drawer: str) -> None:
        """Break a drawer open."""
        self._drawers[drawer].is_closed = False

    def take_out_by_key(self, drawer: str) -> None:
        """Take out what is in a drawer with the mechanical key, and lock it again."""
        self._drawers[drawer].is_occupied = False

    def repair(self) -> None:
        """Put everything right: closed, latched, no switch stuck."""
        for stuck in (self.is_switch_stuck, self.claims_occupied, self.is_latch_stuck):
            stuck.clear()
        for leaf in self._drawers.values():
            leaf.is_closed = leaf.is_latched = True
            leaf.is_tampered = False

    def tamper(self, drawer: str, *, is_tampered: bool = True) -> None:
        """Set off the tamper switch of a drawer, or set it back."""
        self._drawers[drawer].is_tampered = is_tampered

    def _use(self, drawer: str, purpose: str) -> None:
        if purpose != Purpose.RECOUNT:
            self.put(drawer, is_occupied=purpose == Purpose.LOAD)
        self.push(drawer)
