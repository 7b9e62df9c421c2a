"""The lock of a robot's drawers: opens one on a grant, locks it again, and keeps the robot standing until it has.

What holds at every moment: a drawer is unlatched for a grant alone, once, while the robot stands where the grant says;
one drawer at a time; the robot does not drive while a drawer is open or is not known to be locked. Time (seconds on
board, monotonic), chance and the switches are handed in. Rules: docs/drawers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.custody.grant import Grant, Purpose
from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState
from orchestrator.vda5050.drawer_journal import DrawerEvent
from ros_nodes.onboard.drawer_hardware import DrawerHardware, Switches
from ros_nodes.onboard.drawer_journal import DrawerJournal, KeptJournal
from ros_nodes.onboard.grant_check import Circumstances, Refusal, Verify, read_grant, refusal_of
from ros_nodes.onboard.nonces import Chance, Nonces
from ros_nodes.onboard.switch_reading import content_of, nothing_known, state_of

STANDING_FOR_S = 1.0
"""How long a robot has to have stood still before it opens, seconds."""

FRESH_S = 1.0
"""How old what switches say may be, seconds; older, and the drawer counts as unknown."""

UNLATCHED_FOR_S = 30.0
"""How long an unlatched drawer waits to be pulled open before it locks again, seconds."""

LATCH_WITHIN_S = 2.0
"""How long a latch may take to let go, seconds."""

CONTRADICTION_S = 0.5
"""How long switches may contradict each other before it counts as force: they do not switch at one moment."""

OPEN_LONG_S = 180.0
"""From when on an open drawer is told of, seconds."""

FORCED, TAMPERED, LEFT_OPEN, UNKNOWN = "drawerForced", "drawerTampered", "drawerOpen", "drawerUnknown"


@dataclass(frozen=True, slots=True)
class DrawerFault:
    """What is wrong with the drawers; a fatal one stays until a person at the robot has seen to it."""

    error_type: str
    sentence: str
    is_fatal: bool


@dataclass(slots=True)
class _Opening:
    """A drawer that was let go. ``has_let_go`` once its latch said so, ``was_pulled`` once it was seen open."""

    drawer: str
    since_s: float
    nonce: str = ""
    has_let_go: bool = False
    was_pulled: bool = False
    latched_s: float | None = None

    @property
    def is_latching(self) -> bool:
        """Whether the latch was told to catch."""
        return self.latched_s is not None


class DrawerLock:
    """The drawers of one robot.

    Parameters
    ----------
    drawers : tuple of str
        Their names.
    hardware : DrawerHardware
        Latches and switches.
    manufacturer, serial_number : str
        Who the robot is on the link.
    verify : callable
        Whether a signature is the orchestrator's.
    chance : callable
        Random bytes, fit for secrets.
    """

    def __init__(
        self,
        *,
        drawers: tuple[str, ...],
        hardware: DrawerHardware,
        manufacturer: str,
        serial_number: str,
        verify: Verify,
        chance: Chance,
    ) -> None:
        self._drawers = drawers
        self._hardware = hardware
        self._identity = (manufacturer, serial_number)
        self._verify = verify
        self._chance = chance
        self._nonces = Nonces(chance)
        self.journal: DrawerJournal | None = None
        self._still_since_s: float | None = None
        self._opening: _Opening | None = None
        self._known = {name: nothing_known(name) for name in drawers}
        self._heard: Mapping[str, Switches] = {}
        self._contents: dict[str, DrawerContent] = {}
        self._contradicts_since_s: dict[str, float] = {}
        self._forced: dict[str, str] = {}
        self._seen: set[str] = set()
        self._handled_for: dict[str, Purpose] = {}
        self._put_in: dict[str, str] = {}
        self._time_s = 0.0
        self._failure: Refusal | None = None

    def keep_journal(self, kept: KeptJournal, utc: Callable[[float], datetime]) -> None:
        """Write down from now on what happens, after what is remembered from before."""
        self.journal = DrawerJournal(kept, chance=self._chance, utc=utc)

    def _note(self, event: DrawerEvent, drawer: str) -> None:
        if self.journal is not None:
            opening = self._opening
            nonce = opening.nonce if opening is not None and opening.drawer == drawer else ""
            self.journal.note(event, drawer, now_s=self._time_s, nonce=nonce)

    # -- what is known ---------------------------------------------------------------------------------------------

    @property
    def nonce(self) -> str | None:
        """What a grant has to name; None while none would open anything."""
        return self._nonces.current

    def reports(self) -> tuple[DrawerReport, ...]:
        """Return how each drawer stands."""
        return tuple(self._known.values())

    @property
    def keeps_standing(self) -> bool:
        """Whether the robot must not drive."""
        is_busy = bool(self._forced) or self._opening is not None
        return is_busy or any(report.state is not DrawerState.LOCKED for report in self._known.values())

    def faults(self, *, has_way: bool) -> tuple[DrawerFault, ...]:
        """Return what is wrong; ``has_way`` says that the robot would drive if it might."""
        found = [DrawerFault(kind, f"Drawer {drawer} {_WORDS[kind]}", True) for drawer, kind in self._forced.items()]
        forced = set(self._forced)
        unknown = [r.drawer for r in self.reports() if r.state is DrawerState.UNKNOWN and r.drawer not in forced]
        if unknown:
            found.append(DrawerFault(UNKNOWN, f"Drawer {', '.join(unknown)} {_WORDS[UNKNOWN]}", False))
        opened = [r.drawer for r in self.reports() if r.state is DrawerState.OPEN and r.drawer not in forced]
        if opened and (has_way or self._is_open_for_long):
            found.append(DrawerFault(LEFT_OPEN, f"Drawer {', '.join(opened)} {_WORDS[LEFT_OPEN]}", False))
        return tuple({fault.error_type: fault for fault in reversed(found)}.values())

    @property
    def _is_open_for_long(self) -> bool:
        return self._opening is not None and self._time_s - self._opening.since_s >= OPEN_LONG_S

    def refusal_of_pick(self, drawer: str | None) -> str | None:
        """Return why a load cannot be in a drawer by its sensor, for one that was opened to load it; else None."""
        if drawer is None or self._handled_for.get(drawer) is not Purpose.LOAD:
            return None
        is_empty = self._content(drawer) is DrawerContent.EMPTY
        return f"drawer {drawer} is empty by its sensor" if is_empty else None

    def refusal_of_drop(self, drawer: str | None) -> str | None:
        """Return why a load cannot be out of a drawer, for one that was opened to take it out; else None."""
        if drawer is None or self._handled_for.get(drawer) not in (Purpose.HAND_OVER, Purpose.TAKE_BACK):
            return None
        is_empty = self._content(drawer) is DrawerContent.EMPTY
        return None if is_empty else f"drawer {drawer} is not empty by its sensor"

    def _content(self, drawer: str) -> DrawerContent:
        known = self._known.get(drawer)
        return DrawerContent.UNKNOWN if known is None else known.content

    def note_handled(self, drawer: str | None) -> None:
        """Forget what a drawer was opened for, once that is in the books on board."""
        if drawer is not None:
            self._handled_for.pop(drawer, None)
            self._put_in.pop(drawer, None)

    # -- time ------------------------------------------------------------------------------------------------------

    @property
    def next_event_s(self) -> float | None:
        """When something will happen on its own (seconds, absolute)."""
        times = [self._hardware.next_event_s, self._nonces.next_change_s]
        if self._nonces.current is None and self._still_since_s is not None and self._may_show(ignoring_time=True):
            times.append(self._still_since_s + STANDING_FOR_S)
        if self._opening is not None:
            limits = (LATCH_WITHIN_S, UNLATCHED_FOR_S, OPEN_LONG_S)
            times += [self._opening.since_s + limit for limit in limits]
            if self._opening.latched_s is not None:
                times.append(self._opening.latched_s + LATCH_WITHIN_S)
        times += [since_s + CONTRADICTION_S for drawer, since_s in self._contradicts_since_s.items()]
        return min((at_s for at_s in times if at_s is not None and at_s > self._time_s), default=None)

    def advance_to(self, time_s: float, *, is_still: bool) -> bool:
        """Live on until ``time_s``; return whether anything that is reported has changed.

        Parameters
        ----------
        time_s : float
            Seconds on board.
        is_still : bool
            Whether the robot stands now, by data that is fresh.
        """
        self._time_s = time_s
        self._hardware.advance_to(time_s)
        if not is_still:
            self._still_since_s = None
        elif self._still_since_s is None:
            self._still_since_s = time_s
        before = (self.reports(), tuple(self._forced.items()), self._nonces.current, self._is_open_for_long)
        self._look()
        self._tend_opening()
        self._show_or_withdraw()
        return before != (self.reports(), tuple(self._forced.items()), self._nonces.current, self._is_open_for_long)

    @property
    def is_standing(self) -> bool:
        """Whether the robot has stood still for as long as is asked for."""
        return self._still_since_s is not None and self._time_s - self._still_since_s >= STANDING_FOR_S

    def _show_or_withdraw(self) -> None:
        if self._still_since_s is None:
            self._nonces.withdraw()
        elif self._may_show():
            self._nonces.show(self._time_s)

    def _may_show(self, *, ignoring_time: bool = False) -> bool:
        return (self.is_standing or ignoring_time) and not self.keeps_standing

    # -- opening and locking ---------------------------------------------------------------------------------------

    def open(self, text: str, signature: bytes, here: Circumstances) -> Refusal | None:
        """Let go of the drawer that a grant names; return why not, None when its latch was told to.

        A nonce that a grant of ours names is used up, whatever comes of it.
        """
        manufacturer, serial_number = self._identity
        grant = read_grant(text, signature, verify=self._verify, manufacturer=manufacturer, serial_number=serial_number)
        if isinstance(grant, Refusal):
            return grant
        shown_for_s = self._nonces.use(grant.nonce, self._time_s)
        if shown_for_s is None:
            return Refusal.NONCE
        occupied = frozenset(r.drawer for r in self._known.values() if r.content is DrawerContent.OCCUPIED)
        known = replace(here, put_in=self._put_in, occupied=occupied)
        refusal = refusal_of(grant, known, shown_for_s=shown_for_s) or self._own_refusal()
        if refusal is None:
            self._let_go(grant)
        return refusal

    def _own_refusal(self) -> Refusal | None:
        if self._forced:
            return Refusal.FAULT
        return Refusal.BUSY if self.keeps_standing else None

    def _let_go(self, grant: Grant) -> None:
        self._nonces.withdraw()
        self._opening = _Opening(grant.drawer, self._time_s, grant.nonce)
        self._handled_for[grant.drawer] = grant.purpose
        if grant.purpose is Purpose.LOAD:
            self._put_in[grant.drawer] = grant.load
        self._hardware.unlatch(grant.drawer, grant.purpose.value)
        self._look()
        self._tend_opening()

    def outcome_of_opening(self) -> Refusal | bool | None:
        """Return True once the latch has let go, the refusal when it did not, None while that is open."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            return failure
        return True if self._opening is None or self._opening.has_let_go else None

    def see_to(self) -> None:
        """A person at the robot has seen to what was forced or tampered with; what is still so comes again."""
        self._forced.clear()

    def _tend_opening(self) -> None:
        opening = self._opening
        if opening is None:
            return
        switches, waited_s = self._fresh(opening.drawer), self._time_s - opening.since_s
        if switches is not None and opening.is_latching:
            self._end_opening(opening, switches)
            return
        if switches is not None:
            self._note_leaf(opening, switches)
        if not opening.has_let_go:
            if waited_s >= LATCH_WITHIN_S and not opening.is_latching:
                self._failure = Refusal.LATCH
                self._latch(opening)
        elif switches is not None and switches.is_closed and (opening.was_pulled or waited_s >= UNLATCHED_FOR_S):
            self._latch(opening)

    def _note_leaf(self, opening: _Opening, switches: Switches) -> None:
        if not opening.has_let_go and switches.is_latched is False:
            opening.has_let_go = True
            self._note(DrawerEvent.LET_GO, opening.drawer)
        if opening.has_let_go and not opening.was_pulled and switches.is_closed is False:
            opening.was_pulled = True
            self._note(DrawerEvent.OPENED, opening.drawer)

    def _latch(self, opening: _Opening) -> None:
        opening.latched_s = self._time_s
        self._hardware.latch(opening.drawer)

    def _end_opening(self, opening: _Opening, switches: Switches) -> None:
        if switches.is_latched and switches.is_closed:
            self._note(DrawerEvent.CLOSED, opening.drawer)
            self._opening = None
        elif switches.is_closed is False:
            opening.latched_s = None  # pulled open again before the latch caught
        elif opening.latched_s is not None and self._time_s - opening.latched_s >= LATCH_WITHIN_S:
            self._latch(opening)  # whoever moves the latch may not have heard

    # -- switches --------------------------------------------------------------------------------------------------

    def _fresh(self, drawer: str) -> Switches | None:
        switches = self._heard.get(drawer)
        return None if switches is None or self._time_s - switches.heard_s > FRESH_S else switches

    def _look(self) -> None:
        self._heard = self._hardware.switches()
        for drawer in self._drawers:
            switches = self._fresh(drawer)
            if switches is None:
                self._known[drawer] = nothing_known(drawer)
                self._contradicts_since_s.pop(drawer, None)
                continue
            if drawer not in self._seen and switches.is_latched is not None:
                self._seen.add(drawer)
                self._adopt(drawer, switches)
            self._note_content(drawer, content_of(switches))
            self._known[drawer] = DrawerReport(
                drawer, state_of(switches), content_of(switches), bool(switches.is_tampered or drawer in self._forced)
            )
            self._look_for_force(drawer, switches)

    def _note_content(self, drawer: str, content: DrawerContent) -> None:
        if DrawerContent.UNKNOWN in (content, before := self._contents.get(drawer, content)):
            return
        self._contents[drawer] = content
        if content is not before:
            self._note(DrawerEvent.FILLED if content is DrawerContent.OCCUPIED else DrawerEvent.EMPTIED, drawer)

    def _adopt(self, drawer: str, switches: Switches) -> None:
        """Take a drawer that was open when the robot was switched on as one to lock, not as one that was forced."""
        if switches.is_latched is False and self._opening is None:
            self._opening = _Opening(drawer, self._time_s, has_let_go=True, was_pulled=True)

    def _look_for_force(self, drawer: str, switches: Switches) -> None:
        if switches.is_tampered:
            self._force(drawer, TAMPERED)
        is_ours = self._opening is not None and self._opening.drawer == drawer
        was_let_go = switches.is_latched is False and not is_ours
        contradicts = switches.is_latched is True and switches.is_closed is False
        if not (was_let_go or contradicts):
            self._contradicts_since_s.pop(drawer, None)
            return
        since_s = self._contradicts_since_s.setdefault(drawer, self._time_s)
        if self._time_s - since_s >= CONTRADICTION_S:
            self._force(drawer, FORCED)

    def _force(self, drawer: str, kind: str) -> None:
        if drawer not in self._forced:
            self._forced[drawer] = kind
            self._note(DrawerEvent.TAMPERED if kind == TAMPERED else DrawerEvent.FORCED, drawer)
        self._nonces.withdraw()


_WORDS = {
    FORCED: "is open although nothing let it go, or its switches contradict each other. Guard it and see to it.",
    TAMPERED: "was tampered with. Guard it and see to it.",
    LEFT_OPEN: "is open. Close it; it locks by itself.",
    UNKNOWN: "is not known to be locked: its switches say nothing, or contradict each other. See to it.",
}
