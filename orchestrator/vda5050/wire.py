"""What every VDA 5050 message shares: camelCase on the wire, unknown fields kept, and the header."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from orchestrator.domain.errors import InvalidInputError

HEADER_ID_MAX = 2**32 - 1


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a timestamp names its offset; VDA 5050 wants UTC with a trailing Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a timestamp beyond the year 9999 or before the year 1") from error


Timestamp = Annotated[datetime, AfterValidator(_aware)]
"""An aware datetime; written in UTC with a trailing Z."""


class MessageError(InvalidInputError):
    """A message cannot be written or read as VDA 5050."""

    code = "vda5050_message"


class WireModel(BaseModel):
    """One object of a message.

    Fields carry the specification's 2.1 names in snake_case. Fields we do not know are kept in ``model_extra`` and
    written again, so that a maker's own extensions are not lost in passing.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
        coerce_numbers_to_str=True,
        protected_namespaces=(),
    )


class Message(WireModel):
    """The header of every message (VDA 5050 §6.4).

    ``header_id`` counts per topic and may start again when the sender does: a hint about gaps, never about order.
    """

    header_id: Annotated[int, Field(ge=0, le=HEADER_ID_MAX)]
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
