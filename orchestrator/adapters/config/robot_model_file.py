"""Robot model files (``*.model.yaml``): what every robot of one model is and can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from orchestrator.adapters.config.checked import FileModel, default_of, read_checked
from orchestrator.adapters.config.site_form import Id
from orchestrator.adapters.config.source import Complaint, ConfigFileError
from orchestrator.domain.fleet.model import ModelId, RobotModel
from orchestrator.domain.site.model import GraphId

Positive = Annotated[float, Field(gt=0.0, le=100_000.0)]
NotNegative = Annotated[float, Field(ge=0.0, le=100_000.0)]
Ratio = Annotated[float, Field(ge=0.0, le=1.0)]


class RobotModelFile(FileModel):
    """One robot model: metres, seconds, radians; battery from 0 to 1. Left-out values are `RobotModel`'s."""

    model: Id
    graph: Id
    radius_m: Annotated[float, Field(gt=0.0, le=3.0)]
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


def load_robot_models(folder: Path) -> dict[ModelId, RobotModel]:
    """Return the robot models of a folder, by id, in the order of file names.

    Raises
    ------
    ConfigFileError
        The folder holds no ``*.model.yaml``, or one of them is malformed, contradicts itself or repeats an id.
    """
    models: dict[ModelId, RobotModel] = {}
    paths = sorted(folder.glob("*.model.yaml"))
    if not paths:
        complaint = Complaint(1, "No *.model.yaml file is in this folder.", "Write one; see fleet_config/robot_models.")
        raise ConfigFileError(folder, [complaint])
    for path in paths:
        model, line = _load_robot_model(path)
        if model.id in models:
            raise ConfigFileError(path, [Complaint(line, f"Model {model.id!r} is in another file too.", "Rename it.")])
        models[model.id] = model
    return models


def _load_robot_model(path: Path) -> tuple[RobotModel, int]:
    entry, source = read_checked(path, RobotModelFile)
    complaints: list[Complaint] = []
    if len(set(entry.drawers)) != len(entry.drawers):
        complaints.append(Complaint(source.line_of(("drawers",)), "A drawer is named twice.", "Name each once."))
    if entry.lost_after_s <= entry.state_interval_s:
        line = source.line_of(("lost_after_s",))
        sentence = f"lost_after_s is {entry.lost_after_s:g}; expected more than state_interval_s."
        complaints.append(Complaint(line, sentence, "Give a robot at least two intervals."))
    if entry.battery_ready < entry.battery_reserve:
        line = source.line_of(("battery_ready",))
        sentence = f"battery_ready is {entry.battery_ready:g}; expected at least battery_reserve."
        complaints.append(Complaint(line, sentence, "Raise it, or lower the reserve."))
    if complaints:
        raise ConfigFileError(path, complaints)
    values = entry.model_dump(exclude={"model", "graph", "drawers"})
    model = RobotModel(id=ModelId(entry.model), graph=GraphId(entry.graph), drawers=tuple(entry.drawers), **values)
    return model, source.line_of(("model",))
