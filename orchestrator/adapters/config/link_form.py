"""``link:`` in robot model and fleet files: how a robot speaks VDA 5050, as people write it, and as a `Dialect`.

What a model says, one robot of it may say otherwise: action by action, map by map, option by option.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from orchestrator.adapters.config.checked import FileModel, default_of
from orchestrator.adapters.config.site_form import Id, Metres, Name, Position
from orchestrator.adapters.config.source import Complaint, Source
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.domain.site.model import LevelId, WaypointId
from orchestrator.vda5050.codec import V_2_0_0, decode_factsheet
from orchestrator.vda5050.dialect import (
    HOLDERS,
    HOLDERS_OF,
    STANDARD_ACTIONS,
    ActionRule,
    BatteryReports,
    Dialect,
    Headings,
    InstantKey,
    LoadReports,
    OrderUpdates,
    Positions,
    Where,
    holders_in,
)
from orchestrator.vda5050.factsheets import Factsheet
from orchestrator.vda5050.frames import SCALE_TOLERANCE, MapFrame, MapFrameError, MapFrames, fit_frame
from orchestrator.vda5050.orders import BlockingType
from orchestrator.vda5050.wire import MessageError

RESIDUAL_MAX_M = 0.1
WORD_MAX = 120
Key = Annotated[str, Field(min_length=1, max_length=WORD_MAX)]
Deviation = Annotated[float, Field(ge=0.0, le=10.0)]
NodeName = Annotated[str, Field(min_length=1, max_length=200)]
Turn = Annotated[float, Field(ge=0.0, le=3.1416)]

PlacedComplaint = tuple[Path, Complaint]
"""A complaint and the file it is about."""

NEVER_NONE = frozenset({ActionKind.PAUSE, ActionKind.RESUME, ActionKind.CANCEL_ORDER})
"""What every robot has to have an action for: without it nobody could stop it from here."""


class ActionForm(FileModel):
    """The robot's word for one of our acts. What is left out is as VDA 5050 has it.

    ``parameters`` replace the standard ones; a text in them may hold place-holders, see `ActionRule`.
    """

    type: Key | None = None
    where: Annotated[Where | None, Field(strict=False)] = None
    blocking: Annotated[BlockingType | None, Field(strict=False)] = None
    parameters: dict[Key, JsonValue] | None = None
    description: Name | None = None


def _read_action(given: object, _read_as_any: ValidatorFunctionWrapHandler) -> ActionForm | str:
    """Read an entry as the one form it has, so that a complaint is about that form and not about the others."""
    if isinstance(given, ActionForm):
        return given
    if isinstance(given, Mapping):
        return ActionForm.model_validate(given)
    if isinstance(given, str) and 1 <= len(given) <= WORD_MAX:
        return given
    raise PydanticCustomError(
        "action_rule",
        "Expected the robot's own word for it, of at most {most} characters, or `none`, or a rule such as {example}",
        {"most": WORD_MAX, "example": "{type: takeBox, where: instant}"},
    )


class PointPair(FileModel):
    """One place, as [x, y] in the site and as [x, y] in the robot's map, in metres."""

    site: Position
    robot: Position


class MapForm(FileModel):
    """Where the robot's map of one level lies in the site: three numbers, or two or more pairs of points.

    ``x_m``, ``y_m``: the origin of the map in the site. ``rotation_rad``: how far the map's x axis is turned,
    counter-clockwise. ``residual_max_m``: how far a pair of points may be from the fit.
    """

    map_id: Name
    x_m: Metres | None = None
    y_m: Metres | None = None
    rotation_rad: Annotated[float, Field(ge=-6.2832, le=6.2832)] | None = None
    scale: float = 1.0
    points: Annotated[list[PointPair], Field(min_length=2, max_length=200)] | None = None
    residual_max_m: Annotated[float, Field(gt=0.0, le=0.5)] = RESIDUAL_MAX_M


class LinkForm(FileModel):
    """How a robot speaks, as far as it differs from a robot that speaks as the standard has it."""

    actions: dict[
        Annotated[ActionKind, Field(strict=False)],
        Annotated[ActionForm | Literal["none"] | Key, WrapValidator(_read_action)],
    ] = Field(default_factory=dict[ActionKind, "ActionForm | str"])
    maps: dict[Id, MapForm] = Field(default_factory=dict[str, MapForm])
    order_updates: Annotated[OrderUpdates, Field(strict=False)] = default_of(Dialect, "order_updates")
    loads: Annotated[LoadReports, Field(strict=False)] = default_of(Dialect, "loads")
    deviation_m: Deviation | None = default_of(Dialect, "deviation_m")
    start_deviation_m: Deviation = default_of(Dialect, "start_deviation_m")
    headings: Annotated[Headings, Field(strict=False)] = default_of(Dialect, "headings")
    heading_deviation_rad: Turn | None = default_of(Dialect, "heading_deviation_rad")
    drawer_words: dict[Id, JsonValue] = Field(default_factory=dict[str, JsonValue])
    instant_key: Annotated[InstantKey, Field(strict=False)] = default_of(Dialect, "instant_key")
    may_be_asked: bool = default_of(Dialect, "may_be_asked")
    uses_uninitialised_position: bool = default_of(Dialect, "uses_uninitialised_position")
    nodes: dict[Id, NodeName] = Field(default_factory=dict[str, str])
    position: Annotated[Positions, Field(strict=False)] = default_of(Dialect, "position")
    battery: Annotated[BatteryReports, Field(strict=False)] = default_of(Dialect, "battery")
    factsheet: Annotated[str, Field(min_length=1, max_length=500)] | None = None


@dataclass(frozen=True)
class PlacedLink:
    """A link as it stands in a file: what was written, and where complaints about it belong."""

    form: LinkForm
    source: Source
    place: tuple[str, ...]

    def complaint(self, where: Sequence[str], sentence: str, remedy: str) -> PlacedComplaint:
        """Return a complaint about something in it."""
        return self.source.path, Complaint(self.source.line_of((*self.place, *where)), sentence, remedy)


@dataclass
class DialectReading:
    """A dialect, and what is wrong with what it was made from."""

    dialect: Dialect = field(default_factory=Dialect)
    complaints: list[PlacedComplaint] = field(default_factory=list[PlacedComplaint])


def read_dialect(
    links: Sequence[PlacedLink], *, version: str, drawers: Iterable[str], levels: Iterable[LevelId] | None
) -> DialectReading:
    """Return the dialect that ``links`` describe, the later ones over the earlier.

    Parameters
    ----------
    links : sequence of PlacedLink
        That of the model, then that of the robot.
    version : str
        Of the protocol that the robot speaks.
    drawers : iterable of str
        Of the model.
    levels : iterable of LevelId, optional
        Of the site; maps are checked against them, and a level without a map has one of its own name.
    """
    reading = DialectReading()
    known_levels = None if levels is None else list(levels)
    frames: dict[LevelId, MapFrame] = {}
    for link in links:
        form = link.form
        reading.complaints += _unknown_words(link, drawers=list(drawers), levels=known_levels)
        reading.complaints += _objects_as_words(link, version)
        rules = _rules(link, version, reading)
        frames |= _frames(link, reading)
        plain = {name: getattr(form, name) for name in form.model_fields_set & _PLAIN}
        dialect = replace(reading.dialect, **plain)
        reading.dialect = replace(
            dialect,
            actions={**dialect.actions, **rules},
            drawer_words={**dialect.drawer_words, **form.drawer_words},
            nodes={**dialect.nodes, **{WaypointId(place): node for place, node in form.nodes.items()}},
            factsheet=_factsheet(link, reading) or dialect.factsheet,
        )
    try:
        made = MapFrames(frames)
        completed = made.completed(known_levels) if known_levels is not None and frames else made
    except MapFrameError as error:
        last = next(link for link in reversed(links) if link.form.maps)
        remedy = "Name the robot's map of every level, and each map once."
        reading.complaints.append(last.complaint(("maps",), error.message, remedy))
    else:
        reading.dialect = replace(reading.dialect, frames=completed)
    return reading


_PLAIN = frozenset(LinkForm.model_fields) - {"actions", "maps", "drawer_words", "nodes", "factsheet"}


def _unknown_words(
    link: PlacedLink, *, drawers: Sequence[str], levels: Sequence[str] | None
) -> Iterator[PlacedComplaint]:
    for drawer in link.form.drawer_words:
        if drawer not in drawers:
            sentence = f"drawer_words names the drawer {drawer!r}; the model has {', '.join(drawers)}."
            yield link.complaint(("drawer_words", drawer), sentence, "Name a drawer of the model.")
    for node, count in Counter(link.form.nodes.values()).items():
        if count > 1:
            sentence = f"nodes names the robot's node {node!r} {count} times; it is one place."
            yield link.complaint(("nodes",), sentence, "Give each waypoint a node of its own.")
    for level in link.form.maps:
        if levels is not None and level not in levels:
            sentence = f"maps names the level {level!r}; the site has {', '.join(levels)}."
            yield link.complaint(
                ("maps", level), sentence, "Name a level of the site, and under map_id the robot's map."
            )


def _objects_as_words(link: PlacedLink, version: str) -> Iterator[PlacedComplaint]:
    for drawer, word in link.form.drawer_words.items():
        if version == V_2_0_0 and isinstance(word, dict):
            sentence = f"drawer_words calls {drawer!r} by an object, which VDA 5050 {version} does not know."
            yield link.complaint(("drawer_words", drawer), sentence, "Write a number or a word.")


def _rules(link: PlacedLink, version: str, reading: DialectReading) -> Mapping[ActionKind, ActionRule | None]:
    rules: dict[ActionKind, ActionRule | None] = {}
    for kind, entry in link.form.actions.items():
        where = ("actions", kind.value)
        if entry == "none":
            rules[kind] = None
            if kind in NEVER_NONE:
                sentence = f"{kind.value} is none; every robot needs an action that does it."
                reading.complaints.append(link.complaint(where, sentence, "Name the robot's own action type."))
            continue
        form = ActionForm(type=entry) if isinstance(entry, str) else entry
        rules[kind] = _rule(STANDARD_ACTIONS[kind], form)
        reading.complaints += _unknown_holders(link, kind, form.parameters or {})
        if version == V_2_0_0 and any(isinstance(value, dict) for value in (form.parameters or {}).values()):
            sentence = f"{kind.value} has a parameter that is an object, which VDA 5050 {version} does not know."
            reading.complaints.append(link.complaint(where, sentence, "Send its parts as parameters of their own."))
    return rules


def _unknown_holders(
    link: PlacedLink, kind: ActionKind, parameters: Mapping[str, JsonValue]
) -> Iterator[PlacedComplaint]:
    known = HOLDERS | HOLDERS_OF.get(kind, frozenset[str]())
    for name, value in parameters.items():
        for holder in dict.fromkeys(each for each in (*holders_in(name), *holders_in(value)) if each not in known):
            sentence = f"The parameter {name!r} of {kind.value} holds {{{holder}}}, which stands for nothing there."
            words = ", ".join(f"{{{each}}}" for each in sorted(known))
            yield link.complaint(("actions", kind.value), sentence, f"Write one of {words}, or leave it out.")


def _rule(standard: ActionRule, form: ActionForm) -> ActionRule:
    return ActionRule(
        action_type=form.type or standard.action_type,
        where=form.where or standard.where,
        blocking=form.blocking or standard.blocking,
        parameters=standard.parameters if form.parameters is None else tuple(form.parameters.items()),
        description=form.description or standard.description,
    )


def _frames(link: PlacedLink, reading: DialectReading) -> Mapping[LevelId, MapFrame]:
    frames: dict[LevelId, MapFrame] = {}
    for level, form in link.form.maps.items():
        try:
            frames[LevelId(level)] = _frame(form)
        except MapFrameError as error:
            remedy = "Measure the places again, or write x_m, y_m and rotation_rad."
            reading.complaints.append(link.complaint(("maps", level), error.message, remedy))
    return frames


def _frame(form: MapForm) -> MapFrame:
    numbers = (form.x_m, form.y_m, form.rotation_rad)
    if form.scale != 1.0:
        raise MapFrameError(f"Map {form.map_id!r} has scale {form.scale:g}; expected 1, robots measure in metres.")
    if form.points is None:
        return MapFrame(form.map_id, *(number or 0.0 for number in numbers))
    if any(number is not None for number in numbers):
        raise MapFrameError(f"Map {form.map_id!r} has numbers and points; expected one of them.")
    pairs = [((p.site[0], p.site[1]), (p.robot[0], p.robot[1])) for p in form.points]
    fit = fit_frame(form.map_id, pairs)
    if abs(fit.scale - 1.0) > SCALE_TOLERANCE:
        raise MapFrameError(
            f"The points of map {form.map_id!r} give it a scale of {fit.scale:.3f}; expected 1 within "
            f"{SCALE_TOLERANCE:g}."
        )
    if fit.residual_m > form.residual_max_m:
        raise MapFrameError(
            f"The points of map {form.map_id!r} fit to {fit.residual_m:.3f} m; expected {form.residual_max_m:g} m or "
            "better."
        )
    return fit.frame


def _factsheet(link: PlacedLink, reading: DialectReading) -> Factsheet | None:
    """Return the factsheet that stands for the robot's own; its path is taken from the file's own folder."""
    name = link.form.factsheet
    if name is None:
        return None
    path = Path(link.source.path).parent / name
    try:
        return decode_factsheet(path.read_bytes()).message
    except OSError as error:
        sentence = f"Factsheet {name} cannot be read: {error.strerror or error}."
    except ValueError as error:
        sentence = f"Factsheet {name!r} names no file: {error}."
    except MessageError as error:
        sentence = f"Factsheet {name} was refused: {error.message}"
    remedy = "Save the JSON of the robot's factsheet message there."
    reading.complaints.append(link.complaint(("factsheet",), sentence, remedy))
    return None
