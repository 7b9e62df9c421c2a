"""Fleet files (``*.fleet.yaml``): which robots there are, how they are addressed and where they live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.adapters.config.checked import FileModel, read_checked
from orchestrator.adapters.config.site_form import Id, Name
from orchestrator.adapters.config.source import Complaint, ConfigFileError, Source
from orchestrator.domain.fleet.fleet import Fleet
from orchestrator.domain.fleet.model import Commissioning, ModelId, Robot, RobotId, RobotModel
from orchestrator.domain.site.model import Site, StationId

SerialNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]+$", max_length=120)]
"""VDA 5050 allows these characters only, because the serial number is part of a topic."""


class RobotEntry(FileModel):
    """One robot. ``home`` is a resting place that is its own."""

    model: Id
    manufacturer: Id
    serial_number: SerialNumber
    home: Id
    interface_name: Id = "uagv"
    protocol_version: Literal["2.0.0", "2.1.0"] = "2.1.0"
    commissioning: Annotated[Commissioning, Field(strict=False)] = Commissioning.SIMULATED


class FleetFile(FileModel):
    """The robots of one orchestrator."""

    fleet: Id
    name: Name = ""
    robots: Annotated[dict[Id, RobotEntry], Field(min_length=1)]


def load_fleet(path: Path, *, site: Site | None = None, models: Mapping[ModelId, RobotModel] | None = None) -> Fleet:
    """Return the fleet that a file describes.

    Parameters
    ----------
    path : Path
        A ``*.fleet.yaml`` file.
    site : Site, optional
        Where the robots live; homes are checked against it.
    models : mapping, optional
        Known robot models; each robot's model is checked against them.

    Raises
    ------
    ConfigFileError
        The file is malformed, two robots share an address or a home, or a home or model is not there.
    """
    entry, source = read_checked(path, FleetFile)
    complaints = [*_clashes(entry, source), *_dangling(entry, source, site, models)]
    if complaints:
        raise ConfigFileError(path, complaints)
    robots = {
        RobotId(id): Robot(
            id=RobotId(id),
            model=ModelId(robot.model),
            manufacturer=robot.manufacturer,
            serial_number=robot.serial_number,
            interface_name=robot.interface_name,
            protocol_version=robot.protocol_version,
            home=StationId(robot.home),
            commissioning=robot.commissioning,
        )
        for id, robot in entry.robots.items()
    }
    return Fleet(id=entry.fleet, name=entry.name or entry.fleet, robots=robots)


def _clashes(entry: FleetFile, source: Source) -> Iterator[Complaint]:
    homes: dict[str, str] = {}
    addresses: dict[tuple[str, str], str] = {}
    for id, robot in entry.robots.items():
        other = homes.setdefault(robot.home, id)
        if other != id:
            sentence = f"Robot {id} has the home {robot.home} of robot {other}; expected one of its own."
            yield Complaint(source.line_of(("robots", id, "home")), sentence, "Name another charger or parking place.")
        other = addresses.setdefault((robot.manufacturer, robot.serial_number), id)
        if other != id:
            sentence = f"Robot {id} has manufacturer and serial number of robot {other}; expected its own."
            yield Complaint(source.line_of(("robots", id, "serial_number")), sentence, "Read the type plate.")


def _dangling(
    entry: FleetFile, source: Source, site: Site | None, models: Mapping[ModelId, RobotModel] | None
) -> Iterator[Complaint]:
    for id, robot in entry.robots.items():
        model = models.get(ModelId(robot.model)) if models is not None else None
        if models is not None and model is None:
            sentence = f"Robot {id} is of model {robot.model!r}; expected one of {', '.join(sorted(models))}."
            yield Complaint(source.line_of(("robots", id, "model")), sentence, "Add the model, or correct the name.")
        if site is None:
            continue
        home = site.stations.get(StationId(robot.home))
        line = source.line_of(("robots", id, "home"))
        if home is None or not home.kind.is_resting_place:
            sentence = f"Home {robot.home!r} of robot {id} is no charger or parking place of site {site.id}."
            yield Complaint(line, sentence, "Name a station of kind charger or parking.")
        elif model is not None and model.graph not in home.waypoints:
            sentence = f"Home {robot.home!r} of robot {id} is not on lane graph {model.graph} of its model."
            yield Complaint(line, sentence, "Name a resting place of that graph.")
