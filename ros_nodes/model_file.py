"""A robot model as a JSON file, so that a robot's process needs no site and no fleet file."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import cast

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import MapSwitch, RobotModel


class ModelFileError(InvalidInputError):
    """A model file does not describe a robot model."""

    code = "model_file"


def model_to_json(model: RobotModel) -> str:
    """Return ``model`` as JSON; field names and units are those of `RobotModel`."""
    return json.dumps(asdict(model), indent=2, sort_keys=True)


def model_from_json(text: str) -> RobotModel:
    """Return the model written by `model_to_json`.

    Raises
    ------
    ModelFileError
        Not JSON, a field is missing or unknown.
    """
    try:
        values = cast("dict[str, object]", json.loads(text))
        unknown = sorted(set(values) - {field.name for field in fields(RobotModel)})
        if unknown:
            raise ModelFileError(f"The model file has unknown fields {', '.join(unknown)}; remove them.")
        drawers = tuple(cast("list[str]", values.pop("drawers")))
        outline = cast("list[tuple[float, float]]", values.pop("footprint", []))
        footprint = tuple((x, y) for x, y in outline)
        map_switch = MapSwitch(cast("str", values.pop("map_switch", MapSwitch.NONE)))
        return RobotModel(drawers=drawers, footprint=footprint, map_switch=map_switch, **values)  # pyright: ignore[reportArgumentType]  # checked by the writer
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"The model file cannot be read ({error}): expected the JSON form of a robot model. Write it again."
        ) from error
