"""From the drawings of a building to one frame in metres.

The reference level's scale is the mean of its measurements. Every other level is turned, scaled and moved so that its
fiducials lie on those of the reference level; its own measurements do not count. Whatever this needs and is not there
is refused: a map in pixels looks like a map in metres until a robot drives on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from orchestrator.adapters.config.rmf.building import Building, Floor, MapNotImportableError
from orchestrator.adapters.config.source import Complaint
from orchestrator.domain.site.geometry import Point

_FURTHER = {
    "wgs84": "degrees of longitude and latitude",
    "web_mercator": "the stretched metres of a web map",
}


@dataclass(frozen=True, slots=True)
class Transform:
    """A similarity from the units of a drawing (y as written) to metres in the site frame.

    ``sign_y`` is -1 for an image, whose y points down. The turn comes first, then ``scale`` (metres a unit), then the
    shift.
    """

    scale: float
    turn_rad: float = 0.0
    shift_m: Point = (0.0, 0.0)
    sign_y: float = -1.0

    def point_m(self, x: float, y: float) -> Point:
        """Return a point of the drawing in metres."""
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        y = self.sign_y * y
        return (
            self.scale * (cos * x - sin * y) + self.shift_m[0],
            self.scale * (sin * x + cos * y) + self.shift_m[1],
        )


@dataclass(frozen=True, slots=True)
class Alignment:
    """The transform of every level that has one, the levels left out and why, and how well fiducials agree.

    ``residual_m`` is the largest distance between a fiducial and its counterpart on the reference level.
    """

    transforms: dict[str, Transform]
    left_out: dict[str, str]
    residual_m: float


def align(building: Building) -> Alignment:
    """Return how each level of a building lies in the site frame.

    Raises
    ------
    MapNotImportableError
        The reference level has no usable measurement, another level with lanes shares fewer than two fiducials with
        it, or the coordinates are not those of a drawing or of metres.
    """
    system = building.coordinate_system
    if system == "cartesian_meters":
        return Alignment({name: Transform(1.0, sign_y=1.0) for name in building.floors}, {}, 0.0)
    if system != "reference_image":
        found = _FURTHER.get(system, "no coordinates that we know")
        raise _refusal(
            building,
            1,
            f"The coordinate system is {system!r} ({found}); expected reference_image or cartesian_meters.",
            "Project the map to metres first.",
        )
    reference = building.floors[building.reference_floor]
    transforms = {reference.name: Transform(_scale_of(building, reference))}
    left_out: dict[str, str] = {}
    residual_m = 0.0
    for floor in building.floors.values():
        if floor is reference:
            continue
        pairs = _shared_fiducials(reference, floor)
        if len(pairs) >= 2:
            transforms[floor.name] = _fitted(building, floor, pairs, transforms[reference.name].scale)
            residual_m = max(residual_m, _residual_m(pairs, transforms[floor.name], transforms[reference.name]))
        elif floor.lanes:
            raise _refusal(
                building,
                floor.line,
                f"Level {floor.name} shares {len(pairs)} fiducials with reference level {reference.name}; expected at "
                "least 2, because its scale and place come from them.",
                "Mark the same points, by the same names, on both levels in the traffic editor.",
            )
        else:
            left_out[floor.name] = f"it has no lanes and shares {len(pairs)} fiducials with {reference.name}"
    return Alignment(transforms, left_out, residual_m)


def _refusal(building: Building, line: int, sentence: str, remedy: str) -> MapNotImportableError:
    return MapNotImportableError(building.path, [Complaint(line, sentence, remedy)])


def _scale_of(building: Building, floor: Floor) -> float:
    """Return metres a drawing unit on the reference level."""
    scales: list[float] = []
    for measurement in floor.measurements:
        start, end = floor.vertices[measurement.start], floor.vertices[measurement.end]
        length = math.hypot(end.x - start.x, end.y - start.y)
        distance_m = measurement.properties.get("distance", 0.0)
        if isinstance(distance_m, (str, bool)) or distance_m <= 0.0 or length == 0.0:
            raise _refusal(
                building,
                measurement.line,
                f"A measurement of level {floor.name} says {distance_m!r} m for {length:g} drawing units; expected two "
                "different points and a distance above 0.",
                "Measure again in the traffic editor, or delete it.",
            )
        scales.append(distance_m / length)
    if not scales:
        raise _refusal(
            building,
            floor.line,
            f"Reference level {floor.name} has no measurement; expected at least one, because the scale of the drawing "
            "comes from it.",
            "Add a measurement in the traffic editor.",
        )
    return fmean(scales)


_Pair = tuple[Point, Point]
"""A fiducial on the reference level and on another, y upwards, in drawing units."""


def _shared_fiducials(reference: Floor, floor: Floor) -> list[_Pair]:
    there = {name: (x, -y) for name, x, y in floor.fiducials}
    return [((x, -y), there[name]) for name, x, y in reference.fiducials if name in there]


def _fitted(building: Building, floor: Floor, pairs: Sequence[_Pair], reference_scale: float) -> Transform:
    sin_sum = cos_sum = 0.0
    ratios: list[float] = []
    for (ref_a, here_a), (ref_b, here_b) in combinations(pairs, 2):
        ref_x, ref_y = ref_b[0] - ref_a[0], ref_b[1] - ref_a[1]
        x, y = here_b[0] - here_a[0], here_b[1] - here_a[1]
        if math.hypot(ref_x, ref_y) == 0.0 or math.hypot(x, y) == 0.0:
            raise _refusal(
                building,
                floor.line,
                f"Two fiducials of level {floor.name} or of the reference level lie on one point; expected different "
                "points.",
                "Move them apart in the traffic editor.",
            )
        turned = math.atan2(y, x) - math.atan2(ref_y, ref_x)
        sin_sum += math.sin(turned)
        cos_sum += math.cos(turned)
        ratios.append(math.hypot(x, y) / math.hypot(ref_x, ref_y))
    turn_rad, ratio = -math.atan2(sin_sum, cos_sum), fmean(ratios)
    scale = reference_scale / ratio
    unmoved = Transform(scale, turn_rad, sign_y=1.0)
    moved = [(unmoved.point_m(*here), ref) for ref, here in pairs]
    shift_m = (
        -fmean(here[0] - reference_scale * ref[0] for here, ref in moved),
        -fmean(here[1] - reference_scale * ref[1] for here, ref in moved),
    )
    return Transform(scale, turn_rad, shift_m)


def _residual_m(pairs: Sequence[_Pair], floor: Transform, reference: Transform) -> float:
    here = [floor.point_m(x, -y) for _, (x, y) in pairs]
    there = [reference.point_m(x, -y) for (x, y), _ in pairs]
    return max(math.dist(a, b) for a, b in zip(here, there, strict=True))
