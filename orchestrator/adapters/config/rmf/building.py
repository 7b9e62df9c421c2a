"""A traffic-editor building file (``*.building.yaml``) as it stands, checked, still in the units of its drawing.

Every typed property is written ``[type, value]`` (1 text, 2 whole number, 3 number, 4 yes or no); older files write
some bare. What we do not use (models, floors, crowd simulation) is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

from orchestrator.adapters.config.source import Complaint, ConfigFileError, Key, Place, Source, read_source
from orchestrator.domain.site.model import PropertyValue

Properties = Mapping[str, PropertyValue]


class MapNotImportableError(ConfigFileError):
    """A building file is well written but lacks what a site in metres needs."""

    code = "map_not_importable"


@dataclass(frozen=True, slots=True)
class Vertex:
    """A point of the drawing, y downwards in an image; ``name`` may be empty."""

    x: float
    y: float
    name: str
    properties: Properties


@dataclass(frozen=True, slots=True)
class Edge:
    """A lane, wall, door or measurement between two vertices of its level, with its line in the file."""

    start: int
    end: int
    properties: Properties
    line: int


@dataclass(frozen=True, slots=True)
class Floor:
    """One level of a building file, everything in drawing units but ``elevation_m``."""

    name: str
    line: int
    elevation_m: float
    vertices: tuple[Vertex, ...]
    lanes: tuple[Edge, ...]
    walls: tuple[Edge, ...]
    doors: tuple[Edge, ...]
    measurements: tuple[Edge, ...]
    fiducials: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Elevator:
    """A lift of a building file: ``x`` and ``y`` in the drawing of its reference floor, the rest in metres."""

    name: str
    line: int
    x: float
    y: float
    yaw_rad: float
    width_m: float
    depth_m: float
    reference_floor: str
    lowest_floor: str
    highest_floor: str
    floors_with_doors: tuple[str, ...]
    has_plugin: bool


@dataclass(frozen=True, slots=True)
class Building:
    """All of a building file that a site needs, in file order."""

    path: Path
    name: str
    coordinate_system: str
    reference_floor: str
    floors: Mapping[str, Floor]
    elevators: tuple[Elevator, ...]
    graph_names: Mapping[int, str]


def read_building(path: Path) -> Building:
    """Read a building file.

    Raises
    ------
    ConfigFileError
        It is not YAML or not a building file; the complaint names the line.
    """
    return building_of_source(read_source(path))


def building_of_source(source: Source) -> Building:
    """Return the building that a file's content describes; see `read_building`."""
    path, root = source.path, _Part(source, ())
    levels = root.part("levels")
    floors = {part.key: _floor(part) for part in levels.parts()}
    if not floors:
        levels.refuse("The building has no level", "at least one level with vertices and lanes")
    lifts = root.part("lifts", optional=True)
    graphs = root.part("graphs", optional=True)
    reference = root.text("reference_level_name", default=next(iter(floors)))
    if reference not in floors:
        root.part("reference_level_name").refuse(f"Level {reference!r} is not there", f"one of {', '.join(floors)}")
    return Building(
        path=path,
        name=root.text("building_name", default="") or root.text("name", default="") or path.name.split(".")[0],
        coordinate_system=root.text("coordinate_system", default="reference_image"),
        reference_floor=reference,
        floors=floors,
        elevators=tuple(_elevator(part, floors, reference) for part in lifts.parts()),
        graph_names={int(part.key): part.text("name", default="") for part in graphs.parts() if part.key.isdecimal()},
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A value of the file with the place it stands at, read with expectations."""

    source: Source
    place: Place
    value: object = None

    def __post_init__(self) -> None:
        if not self.place:
            object.__setattr__(self, "value", self.source.data)

    @property
    def key(self) -> str:
        return str(self.place[-1])

    @property
    def line(self) -> int:
        return self.source.line_of(self.place)

    @property
    def where(self) -> str:
        return " → ".join(str(key) for key in self.place) or "The file"

    def refuse(self, what: str, expected: str) -> NoReturn:
        sentence = f"{what}; expected {expected}."
        raise ConfigFileError(
            self.source.path, [Complaint(self.line, sentence, "Correct it in the traffic editor and save again.")]
        )

    def part(self, key: Key, *, optional: bool = False) -> _Part:
        """Return the value under ``key``; an empty one when it is optional and missing."""
        if isinstance(key, int):
            values = self.items()
            found = values[key] if key < len(values) else None
        else:
            mapping = self._mapping()
            if key not in mapping and not optional:
                self.refuse(f"{self.where} has no {key!r}", "it")
            found = mapping.get(key)
        return _Part(self.source, (*self.place, key), found)

    def parts(self) -> Iterator[_Part]:
        """Yield the members of a list or mapping, none for a missing one."""
        if self.value is None:
            return
        keys: list[Key] = list(self._mapping()) if isinstance(self.value, dict) else list(range(len(self.items())))
        for key in keys:
            yield self.part(key)

    def items(self) -> list[object]:
        if not isinstance(self.value, list):
            self.refuse(f"{self.where} is not a list", "a list")
        return cast("list[object]", self.value)

    def number(self, key: Key, *, default: float | None = None) -> float:
        found = self.part(key, optional=default is not None)
        value = _unwrapped(found.value)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e9:
            found.refuse(f"{found.where} is {_shown(value)}", "a number")
        return float(value)

    def index(self, key: Key, below: int) -> int:
        found = self.part(key)
        value = found.value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < below:
            found.refuse(f"Vertex {_shown(value)} is not on this level", f"a vertex from 0 to {below - 1}")
        return value

    def text(self, key: Key, *, default: str) -> str:
        value = _unwrapped(self.part(key, optional=True).value)
        if value is None:
            return default
        if isinstance(value, (dict, list)):
            self.part(key).refuse(f"{self.where} → {key} is not a word", "a word")
        return str(value)

    def properties(self) -> dict[str, PropertyValue]:
        """Return a mapping of typed properties as plain values."""
        found: dict[str, PropertyValue] = {}
        for part in self.parts():
            value = _unwrapped(part.value)
            if not isinstance(value, (str, int, float, bool)):
                part.refuse(f"Property {part.key} is {_shown(value)}", "a [type, value] pair")
            found[part.key] = value
        return found

    def _mapping(self) -> dict[str, object]:
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self.refuse(f"{self.where} is not a mapping", "a mapping")
        return cast("dict[str, object]", self.value)


def _shown(value: object) -> str:
    """Return a value as it is shown to people: long ones and whole lists by their kind only."""
    if value is None:
        return "missing"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _unwrapped(value: object) -> object:
    if isinstance(value, list):
        pair = cast("list[object]", value)
        if len(pair) == 2 and isinstance(pair[0], int) and not isinstance(pair[0], bool):
            return pair[1]
    return value


def _floor(part: _Part) -> Floor:
    vertices = tuple(_vertex(each) for each in part.part("vertices", optional=True).parts())

    def edges(key: str) -> tuple[Edge, ...]:
        return tuple(_edge(each, len(vertices)) for each in part.part(key, optional=True).parts())

    return Floor(
        name=part.key,
        line=part.line,
        elevation_m=part.number("elevation", default=0.0),
        vertices=vertices,
        lanes=edges("lanes"),
        walls=edges("walls"),
        doors=edges("doors"),
        measurements=edges("measurements"),
        fiducials=tuple(
            (each.text(2, default=""), each.number(0), each.number(1))
            for each in part.part("fiducials", optional=True).parts()
        ),
    )


def _vertex(part: _Part) -> Vertex:
    has_properties = len(part.items()) > 4
    return Vertex(
        x=part.number(0),
        y=part.number(1),
        name=part.text(3, default=""),
        properties=part.part(4).properties() if has_properties else {},
    )


def _edge(part: _Part, vertex_count: int) -> Edge:
    has_properties = len(part.items()) > 2
    return Edge(
        start=part.index(0, vertex_count),
        end=part.index(1, vertex_count),
        properties=part.part(2).properties() if has_properties else {},
        line=part.line,
    )


def _elevator(part: _Part, floors: Mapping[str, Floor], reference: str) -> Elevator:
    def floor_named(key: str, default: str) -> str:
        name = part.text(key, default=default) or default
        if name not in floors:
            part.part(key).refuse(f"Lift {part.key} names floor {name!r}", f"one of {', '.join(floors)}")
        return name

    by_height = sorted(floors.values(), key=lambda floor: floor.elevation_m)
    width_m, depth_m = part.number("width"), part.number("depth")
    if width_m <= 0.0 or depth_m <= 0.0:
        part.refuse(f"Lift {part.key} is {width_m:g} m by {depth_m:g} m", "a cabin with a size")
    return Elevator(
        name=part.key,
        line=part.line,
        x=part.number("x"),
        y=part.number("y"),
        yaw_rad=part.number("yaw", default=0.0),
        width_m=width_m,
        depth_m=depth_m,
        reference_floor=floor_named("reference_floor_name", reference),
        lowest_floor=floor_named("lowest_floor", by_height[0].name),
        highest_floor=floor_named("highest_floor", by_height[-1].name),
        floors_with_doors=tuple(
            doors.key
            for doors in part.part("level_doors", optional=True).parts()
            if doors.key in floors and doors.value
        ),
        has_plugin=part.text("plugins", default="True").lower() == "true",
    )
