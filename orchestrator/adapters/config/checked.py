"""Configuration files checked against their pydantic models, complaints in plain words with line numbers."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.adapters.config.source import Complaint, ConfigFileError, Source, read_source


class FileModel(BaseModel):
    """A part of a configuration file: unknown keys are refused, text is not taken for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


def default_of(kind: type, field: str) -> Any:
    """Return the default that dataclass ``kind`` gives ``field``, so that it is written in one place only."""
    return next(each.default for each in fields(kind) if each.name == field)


_FileModel = TypeVar("_FileModel", bound=FileModel)


def read_checked(path: Path, kind: type[_FileModel]) -> tuple[_FileModel, Source]:
    """Return a file as the model it should be, with its source for later complaints.

    Raises
    ------
    ConfigFileError
        It is not YAML or not what ``kind`` expects; one complaint for each wrong value.
    """
    source = read_source(path)
    return checked(source, kind), source


def checked(source: Source, kind: type[_FileModel]) -> _FileModel:
    """Return what ``source`` says as ``kind``; see `read_checked`."""
    return checked_part(source, source.data, kind, ())


def checked_part(source: Source, data: object, kind: type[_FileModel], place: tuple[str, ...]) -> _FileModel:
    """Return ``data``, which stands at ``place`` of ``source``, as ``kind``; see `read_checked`."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found: set[tuple[int, str, str]] = set()
        for item in error.errors(include_url=False, include_context=False):
            where = (*place, *(key for key in item["loc"] if key != "[key]"))
            found.add((source.line_of(where), *_sentence(where, item["type"], item["msg"], item["input"])))
        complaints = [Complaint(*each) for each in sorted(found)]
        raise ConfigFileError(source.path, complaints) from error


def _sentence(where: tuple[str | int, ...], kind: str, message: str, given: object) -> tuple[str, str]:
    place = " → ".join(str(key) for key in where) or "The file"
    if kind == "extra_forbidden":
        return f"{place} is not a known key.", "Correct the spelling, or remove it."
    if kind == "missing":
        return f"{place} is missing.", "Add it."
    is_mapping = kind in ("model_type", "dict_type")
    expected = "expected keys with values" if is_mapping else message[0].lower() + message[1:]
    shown = repr(given)
    return (
        f"{place} was refused: {expected} (found {shown if len(shown) < 60 else type(given).__name__}).",
        "Correct it.",
    )
