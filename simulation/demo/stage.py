"""The files of a demonstration: a folder that holds site, fleet and models as the service reads them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

import yaml

from orchestrator.adapters.config.site_writing import site_file_text
from orchestrator.adapters.grant_key import grant_key, key_file
from orchestrator.domain.fleet.model import Robot, RobotId
from orchestrator.domain.site.model import Site
from ros_nodes.model_file import model_to_json
from ros_nodes.processes import Place, RobotProcess
from simulation.demo.cast import Cast


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything of one demonstration lies.

    ``service_env`` are the settings that the service starts with. ``store_url`` is the address of its books, by default
    a file of the demonstration's own, whatever the environment names: what is played never gets into real books.
    """

    folder: Path
    cast: Cast
    site: Site
    speed_factor: float
    port: int
    store_url: str | None = None
    identity: str = "development"
    policies: Path | None = None

    @property
    def service_env(self) -> dict[str, str]:
        """Settings of the service as environment variables."""
        return {
            "WARDPORTER_SITE": str(self.folder / "site.yaml"),
            "WARDPORTER_FLEET": str(self.folder / "demo.fleet.yaml"),
            "WARDPORTER_ROBOT_MODELS": str(self.folder / "robot_models"),
            "WARDPORTER_DATA": str(self.folder / "data"),
            "WARDPORTER_STORE": self.store_url or f"sqlite:///{self.folder / 'data' / 'wardporter.sqlite'}",
            "WARDPORTER_PORT": str(self.port),
            "WARDPORTER_SPEED_FACTOR": str(self.speed_factor),
            "WARDPORTER_IDENTITY": self.identity,
            **({"WARDPORTER_POLICIES": str(self.policies)} if self.policies is not None else {}),
        }

    @property
    def grant_key(self) -> Path:
        """The public half of the key that the service signs drawer grants with."""
        return key_file(self.folder / "data", is_simulation=True).with_suffix(".pub")

    @property
    def broker_folder(self) -> Path:
        """Where the child broker keeps its place."""
        return self.folder / "data" / "broker"

    def robot_process(
        self, robot: Robot, *, mqtt_url: str, ros_domain_id: int | None, mqtt_tls: Path | None = None
    ) -> RobotProcess:
        """Return how the process of a robot is started: at its home, in its own state folder."""
        return RobotProcess(
            robot_id=robot.id,
            mqtt_url=mqtt_url,
            model_file=self.folder / "model.json",
            state_dir=self.folder / "robots" / robot.id,
            start_pose=self._start_pose(robot),
            speed_factor=self.speed_factor,
            interface_name=robot.interface_name,
            manufacturer=robot.manufacturer,
            serial_number=robot.serial_number,
            protocol_version=robot.protocol_version,
            ros_domain_id=ros_domain_id,
            mqtt_tls=mqtt_tls,
            grant_key=self.grant_key,
        )

    def robot(self, robot: RobotId) -> Robot:
        """Return a robot of the cast."""
        return next(r for r in self.cast.robots if r.id == robot)

    def _start_pose(self, robot: Robot) -> Place:
        waypoint = self.site.stations[robot.home].waypoints[self.cast.graph]
        place = self.site.graphs[self.cast.graph].waypoints[waypoint]
        return (place.level, place.x_m, place.y_m, 0.0)


def set_stage(
    folder: Path, *, site: Site, cast: Cast, speed_factor: float, port: int, store_url: str | None = None
) -> Stage:
    """Write the files of a demonstration into ``folder`` and return where everything is."""
    (folder / "robot_models").mkdir(parents=True, exist_ok=True)
    (folder / "robots").mkdir(exist_ok=True)
    (folder / "site.yaml").write_text(site_file_text(site), encoding="utf-8")
    (folder / "demo.fleet.yaml").write_text(_fleet_text(cast), encoding="utf-8")
    (folder / "robot_models" / "porter.model.yaml").write_text(_model_text(cast), encoding="utf-8")
    (folder / "model.json").write_text(model_to_json(cast.model), encoding="utf-8")
    # Robots are given the key before the service starts; it takes the one that is there.
    grant_key(folder / "data", is_simulation=True)
    return Stage(folder=folder, cast=cast, site=site, speed_factor=speed_factor, port=port, store_url=store_url)


def _fleet_text(cast: Cast) -> str:
    robots = {
        str(robot.id): {
            "model": str(robot.model),
            "manufacturer": robot.manufacturer,
            "serial_number": robot.serial_number,
            "home": str(robot.home),
        }
        for robot in cast.robots
    }
    return yaml.safe_dump({"fleet": "demo", "name": "Robots of the demonstration", "robots": robots}, sort_keys=False)


def _model_text(cast: Cast) -> str:
    values = {key: value.value if isinstance(value, Enum) else value for key, value in asdict(cast.model).items()}
    outline = [list(corner) for corner in values.pop("footprint")]
    model = {"model": str(values.pop("id")), **values, "graph": str(cast.graph), "drawers": list(cast.model.drawers)}
    if outline:
        model["footprint"] = outline
    return yaml.safe_dump(model, sort_keys=False)
