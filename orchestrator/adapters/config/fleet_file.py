"""Fleet files (``*.fleet.yaml``): which robots there are, how they are addressed, how they speak, and where they live.

A robot of another maker needs nothing else: a fleet file may bring models of its own, and say of each robot how it
speaks (docs/other-makers-robots.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from orchestrator.adapters.config.checked import FileModel, checked_part, read_checked
from orchestrator.adapters.config.link_form import LinkForm, PlacedLink, read_dialect
from orchestrator.adapters.config.robot_model_file import ReadModel, RobotModelFile, model_of_entry
from orchestrator.adapters.config.site_form import Id, Name
from orchestrator.adapters.config.source import Complaint, ConfigFileError, Source
from orchestrator.domain.fleet.fleet import Fleet
from orchestrator.domain.fleet.model import Commissioning, ModelId, Robot, RobotId, RobotModel
from orchestrator.domain.site.model import LevelId, Site, StationId
from orchestrator.vda5050.dialect import Dialect

SerialNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]+$", max_length=120)]
"""VDA 5050 allows these characters only, because the serial number is part of a topic."""

Level = Annotated[str, Field(pattern=r"^[^/+#$\x00-\x1f\x7f]+$", max_length=120)]
"""One level of a topic: makers have blanks in their names."""

InterfaceName = Annotated[str, Field(pattern=r"^[^/+#$\x00-\x1f\x7f]+(/[^/+#$\x00-\x1f\x7f]+)*$", max_length=240)]


class RobotEntry(FileModel):
    """One robot. ``home`` is a resting place that is its own; ``link`` says how it differs from its model."""

    model: Id
    manufacturer: Level
    serial_number: SerialNumber
    home: Id
    interface_name: InterfaceName = "uagv"
    protocol_version: Literal["2.0.0", "2.1.0"] = "2.1.0"
    commissioning: Annotated[Commissioning, Field(strict=False)] = Commissioning.SIMULATED
    link: LinkForm | None = None


_OWN_MODEL: dict[str, Any] = {
    name: (info.rebuild_annotation() | None, None)
    for name, info in RobotModelFile.model_fields.items()
    if name != "model"
}
ModelEntry = create_model(
    "ModelEntry",
    __base__=FileModel,
    __doc__="A robot model of this fleet: as the model it is ``like``, but for what is said here.",
    like=(Id | None, None),
    **_OWN_MODEL,
)


class FleetFile(FileModel):
    """The robots of one orchestrator, and models that only they are of."""

    fleet: Id
    name: Name = ""
    models: dict[Id, ModelEntry] = Field(default_factory=dict)  # type: ignore[valid-type]
    robots: Annotated[dict[Id, RobotEntry], Field(min_length=1)]


@dataclass(frozen=True)
class FleetReading:
    """A fleet file as read, before the site it is for is known.

    ``models`` are the known ones and those of the file itself.
    """

    entry: FleetFile
    source: Source
    models: Mapping[ModelId, ReadModel] | None

    def robot_models(self) -> list[RobotModel]:
        """Return every model that the site is to be checked for."""
        return [read.model for read in (self.models or {}).values()]

    def fleet(self, site: Site | None = None) -> Fleet:
        """Return the fleet.

        Raises
        ------
        ConfigFileError
            Two robots share an address or a home, or a home or model is not there.
        """
        models = None if self.models is None else {id: read.model for id, read in self.models.items()}
        complaints = [*_clashes(self.entry, self.source), *_dangling(self.entry, self.source, site, models)]
        if complaints:
            raise ConfigFileError(self.source.path, complaints)
        robots = {RobotId(id): _robot(id, robot) for id, robot in self.entry.robots.items()}
        return Fleet(id=self.entry.fleet, name=self.entry.name or self.entry.fleet, robots=robots)

    def dialects(self, levels: Iterable[LevelId] | None = None) -> Mapping[RobotId, Dialect]:
        """Return how each robot speaks.

        Raises
        ------
        ConfigFileError
            A link names a level, drawer or file that is not there, or a map whose points do not fit.
        """
        by_file: dict[Path, list[Complaint]] = {}
        dialects: dict[RobotId, Dialect] = {}
        known_levels = None if levels is None else list(levels)
        for id, robot in self.entry.robots.items():
            read = (self.models or {}).get(ModelId(robot.model))
            links = [read.link] if read is not None and read.link is not None else []
            links += [PlacedLink(robot.link, self.source, ("robots", id, "link"))] if robot.link is not None else []
            for link in links:
                by_file.setdefault(link.source.path, [])
            made = read_dialect(
                links,
                version=robot.protocol_version,
                drawers=read.model.drawers if read is not None else (),
                levels=known_levels,
            )
            dialects[RobotId(id)] = made.dialect
            for path, complaint in made.complaints:
                if complaint not in by_file[path]:
                    by_file[path].append(complaint)
        for path, complaints in by_file.items():
            if complaints:
                raise ConfigFileError(path, complaints)
        return dialects


def read_fleet(path: Path, *, models: Mapping[ModelId, ReadModel] | None = None) -> FleetReading:
    """Read a ``*.fleet.yaml`` file.

    Parameters
    ----------
    path : Path
        The file.
    models : mapping, optional
        Known robot models; the file's own may be like them.

    Raises
    ------
    ConfigFileError
        The file is malformed, or one of its models is.
    """
    entry, source = read_checked(path, FleetFile)
    if models is None:
        return FleetReading(entry, source, None)
    known = dict(models)
    complaints: list[Complaint] = []
    for id, own in entry.models.items():
        like = known.get(ModelId(own.like)) if own.like is not None else None
        if own.like is not None and like is None:
            sentence = f"Model {id} is like {own.like!r}; expected one of {', '.join(sorted(known))}."
            complaints.append(Complaint(source.line_of(("models", id, "like")), sentence, "Name a known model."))
        elif id in known:
            sentence = f"Model {id!r} is known already from a model file."
            complaints.append(Complaint(source.line_of(("models", id)), sentence, "Give it a name of its own."))
        else:
            known[ModelId(id)] = _own_model(id, own, like, source)
    if complaints:
        raise ConfigFileError(path, complaints)
    return FleetReading(entry, source, known)


def _own_model(id: str, own: Any, like: ReadModel | None, source: Source) -> ReadModel:
    said = {name: getattr(own, name) for name in own.model_fields_set - {"like"}}
    link = said.pop("link", None)
    base: dict[str, Any] = {}
    if like is not None:
        base = {k: v for k, v in asdict(like.model).items() if k in RobotModelFile.model_fields}
        base["drawers"] = list(like.model.drawers)
        base |= _outline_of(like.model, said)
    place = ("models", id)
    entry = checked_part(source, {**base, **said, "model": id}, RobotModelFile, place)
    read = model_of_entry(entry, source, place)
    if link is not None:
        return replace(read, link=PlacedLink(link, source, (*place, "link")))
    return replace(read, link=like.link if like is not None else None)


def _outline_of(model: RobotModel, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return radius and footprint as a model file gives them: one of the two, none where others are said."""
    if said.keys() & {"radius_m", "footprint"}:
        return {"radius_m": None, "footprint": None}
    if model.footprint:
        return {"radius_m": None, "footprint": [list(corner) for corner in model.footprint]}
    return {"footprint": None}


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
    known = None if models is None else {id: ReadModel(model) for id, model in models.items()}
    return read_fleet(path, models=known).fleet(site)


def _robot(id: str, robot: RobotEntry) -> Robot:
    return Robot(
        id=RobotId(id),
        model=ModelId(robot.model),
        manufacturer=robot.manufacturer,
        serial_number=robot.serial_number,
        interface_name=robot.interface_name,
        protocol_version=robot.protocol_version,
        home=StationId(robot.home),
        commissioning=robot.commissioning,
    )


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
