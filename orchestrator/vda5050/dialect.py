"""How a robot model speaks VDA 5050: what the standard leaves open, and the habits that makers have.

What another maker's robot needs is configured here and nowhere else: its words for our actions, its maps, how it wants
its nodes, and what it can be asked. The domain says pick, drop and waypoint; the wire says what this robot understands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from orchestrator.domain.fleet.order import ActionKind
from orchestrator.domain.site.model import WaypointId
from orchestrator.vda5050.factsheets import Factsheet
from orchestrator.vda5050.frames import MapFrames
from orchestrator.vda5050.orders import ActionType, BlockingType, ParameterKey

HOLDER = re.compile(r"\{([\w -]+)\}")
"""What reads as a place-holder in a text. What is none of ours is a slip of the pen: no robot wants ``{lod}``."""

HOLDERS = frozenset({"load", "drawer", "node"})
"""The place-holders that stand in every action's parameters."""

_OF_PLACE = frozenset({"x", "y", "theta", "map", "map_version", "last_node"})
HOLDERS_OF: Mapping[ActionKind, frozenset[str]] = {
    ActionKind.ENABLE_MAP: _OF_PLACE,
    ActionKind.INIT_POSITION: _OF_PLACE,
    ActionKind.OPEN_DRAWER: frozenset({"grant", "signature"}),
}
"""Those that only some actions have besides."""


def holders_in(value: JsonValue) -> tuple[str, ...]:
    """Return the names of all that reads as a place-holder in a parameter, however deep, in the order it stands."""
    match value:
        case str():
            return tuple(HOLDER.findall(value))
        case dict():
            return tuple(name for key, part in value.items() for name in (*holders_in(key), *holders_in(part)))
        case list():
            return tuple(name for part in value for name in holders_in(part))
        case _:
            return ()


class Where(StrEnum):
    """Whether an action stands at a node of an order or is asked for at once, before the order."""

    NODE = "node"
    INSTANT = "instant"


class OrderUpdates(StrEnum):
    """When the robot takes updates of its order (VDA 5050 2.1 §6.6.2).

    ``anytime`` as the standard has it; ``standing`` only at the end of its base; ``none`` never: then each way that is
    granted goes out as an order of its own, all of it released.
    """

    ANYTIME = "anytime"
    STANDING = "standing"
    NONE = "none"


class LoadReports(StrEnum):
    """How the robot reports what it carries: by the ids it was given, under ids of its own, or not at all."""

    NAMED = "named"
    OWN = "own"
    NONE = "none"


class BatteryReports(StrEnum):
    """Whether the robot reports its battery. One that does not counts as full: people see to its charge."""

    PERCENT = "percent"
    NONE = "none"


class Positions(StrEnum):
    """How the robot says where it is: by coordinates, or only by the last node it passed."""

    COORDINATES = "coordinates"
    NODES = "nodes"


class Headings(StrEnum):
    """At which nodes a heading is sent: nowhere, wherever it drives to, or at the first node too."""

    NONE = "none"
    ALONG = "along"
    ALL = "all"


class InstantKey(StrEnum):
    """The key of the list of instant actions: that of 2.x, or that of 1.1, which some robots on 2.x still read."""

    ACTIONS = "actions"
    INSTANT_ACTIONS = "instantActions"

    @property
    def other(self) -> InstantKey:
        """The one that this is not."""
        return InstantKey.INSTANT_ACTIONS if self is InstantKey.ACTIONS else InstantKey.ACTIONS


@dataclass(frozen=True, slots=True)
class ActionRule:
    """A robot's word for one of our actions.

    ``parameters`` are sent in this order; a text in them, however deep, may hold the place-holders of `HOLDERS` and
    `HOLDERS_OF`. A parameter, or a part of one, whose place-holder has no value is left out.
    """

    action_type: str
    where: Where = Where.NODE
    blocking: BlockingType = BlockingType.HARD
    parameters: tuple[tuple[str, JsonValue], ...] = ()
    description: str | None = None


_HANDLING: tuple[tuple[str, JsonValue], ...] = (
    (ParameterKey.DRAWER.value, "{drawer}"),
    (ParameterKey.STATION_TYPE.value, "handover"),
    (ParameterKey.LOAD_TYPE.value, "tote"),
    (ParameterKey.LOAD_ID.value, "{load}"),
)


def _at_once(kind: ActionType) -> ActionRule:
    """What must not wait behind another action (a cancel, a pause, a question) is NONE, as 3.0 fixes it."""
    return ActionRule(kind.value, where=Where.INSTANT, blocking=BlockingType.NONE)


STANDARD_ACTIONS: Mapping[ActionKind, ActionRule] = {
    ActionKind.PICK: ActionRule(ActionType.PICK.value, parameters=_HANDLING),
    ActionKind.DROP: ActionRule(ActionType.DROP.value, parameters=_HANDLING),
    ActionKind.START_CHARGING: ActionRule(ActionType.START_CHARGING.value),
    ActionKind.STOP_CHARGING: ActionRule(ActionType.STOP_CHARGING.value),
    ActionKind.PAUSE: _at_once(ActionType.START_PAUSE),
    ActionKind.RESUME: _at_once(ActionType.STOP_PAUSE),
    ActionKind.CANCEL_ORDER: _at_once(ActionType.CANCEL_ORDER),
    ActionKind.REPORT_STATE: _at_once(ActionType.STATE_REQUEST),
    ActionKind.REPORT_FACTSHEET: _at_once(ActionType.FACTSHEET_REQUEST),
    ActionKind.ENABLE_MAP: ActionRule(
        ActionType.ENABLE_MAP.value,
        where=Where.INSTANT,
        parameters=((ParameterKey.MAP_ID.value, "{map}"), (ParameterKey.MAP_VERSION.value, "{map_version}")),
    ),
    ActionKind.INIT_POSITION: ActionRule(
        ActionType.INIT_POSITION.value,
        where=Where.INSTANT,
        parameters=(
            (ParameterKey.X.value, "{x}"),
            (ParameterKey.Y.value, "{y}"),
            (ParameterKey.THETA.value, "{theta}"),
            (ParameterKey.MAP_ID.value, "{map}"),
            (ParameterKey.LAST_NODE_ID.value, "{last_node}"),
        ),
    ),
    ActionKind.OPEN_DRAWER: ActionRule(
        ActionType.OPEN_DRAWER.value,
        where=Where.INSTANT,
        blocking=BlockingType.NONE,
        parameters=(
            (ParameterKey.GRANT.value, "{grant}"),
            (ParameterKey.SIGNATURE.value, "{signature}"),
        ),
    ),
}
"""The predefined actions of VDA 5050 2.1 §6.8.1, and ours that opens a drawer.

What moves a load, the current or the robot's idea of where it stands is HARD: the robot stands.
"""


@dataclass(frozen=True)
class Dialect:
    """One robot model's way to speak.

    ``actions`` are the robot's words where they differ from the standard's, None for an action it does not have.
    ``deviation_m`` is how far from a node a robot may pass, ``start_deviation_m`` how far from the first node of a new
    order it may stand (the robot is where it is; a narrow circle there only makes it refuse). By default no heading is
    sent, because robots in the field compare headings without wrapping. ``drawer_words`` are the robot's names for our
    drawers. ``factsheet`` stands for the robot's own until it has sent one. ``may_be_asked`` says whether a robot that
    is silent for longer than its state interval is asked for its state, and for its factsheet when it has sent none.
    ``nodes`` are the robot's ids of our waypoints, for one that knows its nodes by ids of its own.
    ``uses_uninitialised_position`` is for a robot that never sets positionInitialized though it knows where it is.
    """

    actions: Mapping[ActionKind, ActionRule | None] = field(default_factory=dict[ActionKind, "ActionRule | None"])
    frames: MapFrames = field(default_factory=MapFrames)
    order_updates: OrderUpdates = OrderUpdates.ANYTIME
    loads: LoadReports = LoadReports.NAMED
    deviation_m: float | None = None
    start_deviation_m: float = 1.0
    headings: Headings = Headings.NONE
    heading_deviation_rad: float | None = None
    drawer_words: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    instant_key: InstantKey = InstantKey.ACTIONS
    may_be_asked: bool = True
    uses_uninitialised_position: bool = False
    battery: BatteryReports = BatteryReports.PERCENT
    position: Positions = Positions.COORDINATES
    nodes: Mapping[WaypointId, str] = field(default_factory=dict[WaypointId, str])
    factsheet: Factsheet | None = None

    def node_of(self, waypoint: WaypointId) -> str:
        """Return the robot's id of a waypoint."""
        return self.nodes.get(waypoint, waypoint)

    def waypoint_of(self, node: str) -> WaypointId:
        """Return the waypoint that the robot means by a node id."""
        return next((waypoint for waypoint, name in self.nodes.items() if name == node), WaypointId(node))

    def rule(self, kind: ActionKind) -> ActionRule | None:
        """Return how the robot is asked for ``kind``, None when it has no such action."""
        return self.actions.get(kind, STANDARD_ACTIONS[kind])

    def knows(self, kind: ActionKind) -> bool:
        """Whether the robot has an action for ``kind``."""
        return self.rule(kind) is not None

    def wants_before_order(self, kind: ActionKind) -> bool:
        """Whether an action that belongs to an order has to be asked for at once, before the order."""
        rule = self.rule(kind)
        return rule is not None and rule.where is Where.INSTANT


STANDARD = Dialect()
"""A robot that speaks as the standard has it."""
