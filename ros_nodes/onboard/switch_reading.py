"""How a drawer stands, by what its switches say."""

from __future__ import annotations

from orchestrator.domain.fleet.model import DrawerContent, DrawerReport, DrawerState
from ros_nodes.onboard.drawer_hardware import Switches


def nothing_known(drawer: str) -> DrawerReport:
    """Return what is known of a drawer whose switches were not heard lately."""
    return DrawerReport(drawer, DrawerState.UNKNOWN, DrawerContent.UNKNOWN, is_tampered=False)


def state_of(switches: Switches) -> DrawerState:
    """Return whether it is locked: latched and closed. A latch and a leaf that contradict each other say nothing."""
    if switches.is_latched is None or switches.is_closed is None:
        return DrawerState.UNKNOWN
    if not switches.is_latched:
        return DrawerState.OPEN
    return DrawerState.LOCKED if switches.is_closed else DrawerState.UNKNOWN


def content_of(switches: Switches) -> DrawerContent:
    """Return what its sensor says of what is in it."""
    if switches.is_occupied is None:
        return DrawerContent.UNKNOWN
    return DrawerContent.OCCUPIED if switches.is_occupied else DrawerContent.EMPTY
