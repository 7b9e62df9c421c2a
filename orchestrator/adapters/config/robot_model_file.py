"""Robot model files (``*.model.yaml``): what every robot of one model is and can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from orchestrator.adapters.config.checked import FileModel, default_of, read_checked
from orchestrator.adapters.config.link_form import LinkForm, PlacedLink
from orchestrator.adapters.config.site_form import Id
from orchestrator.adapters.config.source import Complaint, ConfigFileError, Source
from orchestrator.domain.fleet.model import Footprint, MapSwitch, ModelId, RobotModel, circumscribed_radius_m
from orchestrator.domain.site.model import GraphId

Positive = Annotated[float, Field(gt=0.0, le=100_000.0)]
NotNegative = Annotated[float, Field(ge=0.0, le=100_000.0)]
Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Corner = Annotated[list[Annotated[float, Field(ge=-3.0, le=3.0)]], Field(min_length=2, max_length=2)]

RADIUS_TOLERANCE_M = 0.01
"""How far a radius that is written beside a footprint may be from that of the circle around it, in metres."""


class RobotModelFile(FileModel):
    """One robot model: metres, seconds, radians; battery from 0 to 1. Left-out values are `RobotModel`'s."""

    model: Id
    graph: Id
    radius_m: Annotated[float | None, Field(gt=0.0, le=3.0)] = None
    footprint: Annotated[list[Corner], Field(min_length=3, max_length=64)] | None = None
    deviation_m: Annotated[float, Field(ge=0.0, le=2.0)] = default_of(RobotModel, "deviation_m")
    speed_max_m_s: Annotated[float, Field(gt=0.0, le=5.0)]
    acceleration_m_s2: Annotated[float, Field(gt=0.0, le=10.0)]
    turn_speed_max_rad_s: Annotated[float, Field(gt=0.0, le=10.0)]
    turn_acceleration_rad_s2: Annotated[float, Field(gt=0.0, le=50.0)]
    drawers: Annotated[list[Id], Field(min_length=1, max_length=64)]
    state_interval_s: Positive = default_of(RobotModel, "state_interval_s")
    lost_after_s: Positive = default_of(RobotModel, "lost_after_s")
    order_answer_s: Positive = default_of(RobotModel, "order_answer_s")
    resend_after_s: Positive = default_of(RobotModel, "resend_after_s")
    battery_reserve: Ratio = default_of(RobotModel, "battery_reserve")
    battery_ready: Ratio = default_of(RobotModel, "battery_ready")
    drive_drain_per_m: NotNegative = default_of(RobotModel, "drive_drain_per_m")
    idle_drain_per_s: NotNegative = default_of(RobotModel, "idle_drain_per_s")
    charge_per_s: Positive = default_of(RobotModel, "charge_per_s")
    handling_s: NotNegative = default_of(RobotModel, "handling_s")
    map_switch: Annotated[MapSwitch, Field(strict=False)] = default_of(RobotModel, "map_switch")
    map_version: Annotated[str, Field(min_length=1, max_length=120)] = default_of(RobotModel, "map_version")
    link: LinkForm | None = None


@dataclass(frozen=True)
class ReadModel:
    """A robot model, and how robots of it speak when its file says so."""

    model: RobotModel
    link: PlacedLink | None = None


def load_robot_models(folder: Path) -> dict[ModelId, RobotModel]:
    """Return the robot models of a folder; see `read_robot_models`."""
    return {id: read.model for id, read in read_robot_models(folder).items()}


def read_robot_models(folder: Path) -> dict[ModelId, ReadModel]:
    """Return the robot models of a folder with their links, by id, in the order of file names.

    Raises
    ------
    ConfigFileError
        The folder holds no ``*.model.yaml``, or one of them is malformed, contradicts itself or repeats an id.
    """
    models: dict[ModelId, ReadModel] = {}
    paths = sorted(folder.glob("*.model.yaml"))
    if not paths:
        complaint = Complaint(1, "No *.model.yaml file is in this folder.", "Write one; see fleet_config/robot_models.")
        raise ConfigFileError(folder, [complaint])
    for path in paths:
        entry, source = read_checked(path, RobotModelFile)
        read = model_of_entry(entry, source, ())
        if read.model.id in models:
            sentence = f"Model {read.model.id!r} is in another file too."
            raise ConfigFileError(path, [Complaint(source.line_of(("model",)), sentence, "Rename it.")])
        models[read.model.id] = read
    return models


def model_of_entry(entry: RobotModelFile, source: Source, place: tuple[str, ...]) -> ReadModel:
    """Return the model that ``entry`` at ``place`` of a file describes.

    Raises
    ------
    ConfigFileError
        It contradicts itself.
    """
    complaints: list[Complaint] = []
    if len(set(entry.drawers)) != len(entry.drawers):
        complaints.append(Complaint(source.line_of((*place, "drawers")), "A drawer is named twice.", "Name each once."))
    if entry.lost_after_s <= entry.state_interval_s:
        line = source.line_of((*place, "lost_after_s"))
        sentence = f"lost_after_s is {entry.lost_after_s:g}; expected more than state_interval_s."
        complaints.append(Complaint(line, sentence, "Give a robot at least two intervals."))
    if entry.battery_ready < entry.battery_reserve:
        line = source.line_of((*place, "battery_ready"))
        sentence = f"battery_ready is {entry.battery_ready:g}; expected at least battery_reserve."
        complaints.append(Complaint(line, sentence, "Raise it, or lower the reserve."))
    complaints += _outline_complaints(entry, source, place)
    if complaints:
        raise ConfigFileError(source.path, complaints)
    footprint = _footprint(entry)
    values = entry.model_dump(exclude={"model", "graph", "drawers", "link", "radius_m", "footprint"})
    model = RobotModel(
        id=ModelId(entry.model),
        graph=GraphId(entry.graph),
        drawers=tuple(entry.drawers),
        radius_m=circumscribed_radius_m(footprint) if footprint else entry.radius_m or 0.0,
        footprint=footprint,
        **values,
    )
    link = None if entry.link is None else PlacedLink(entry.link, source, (*place, "link"))
    return ReadModel(model, link)


def _outline_complaints(entry: RobotModelFile, source: Source, place: tuple[str, ...]) -> Iterator[Complaint]:
    """Yield what is wrong with the outline: the radius of the circle, the footprint inside it, or both are given."""
    footprint = _footprint(entry)
    if not footprint:
        if entry.radius_m is None:
            sentence = "Neither radius_m nor footprint is given; expected one of them."
            yield Complaint(source.line_of(place), sentence, "Measure the robot, from the point it turns on.")
        return
    line = source.line_of((*place, "footprint"))
    if abs(_twice_area_m2(footprint)) < 1e-4:
        yield Complaint(line, "The corners of footprint lie on one line; expected an outline.", "List them all round.")
    around_m = circumscribed_radius_m(footprint)
    if entry.radius_m is not None and abs(entry.radius_m - around_m) > RADIUS_TOLERANCE_M:
        line = source.line_of((*place, "radius_m"))
        sentence = f"radius_m is {entry.radius_m:g}; expected {around_m:.3f}, of the circle around the footprint."
        yield Complaint(line, sentence, "Correct one of the two, or leave the radius out.")


def _footprint(entry: RobotModelFile) -> Footprint:
    return tuple((corner[0], corner[1]) for corner in entry.footprint or ())


def _twice_area_m2(footprint: Footprint) -> float:
    pairs = zip(footprint, (*footprint[1:], footprint[0]), strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)
