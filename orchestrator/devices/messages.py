"""The messages of the device protocol: strict about what counts, deaf to fields it does not know.

Ids of messages: ``number`` grows with every message of one sender run; ``boot`` names the run of a device and ``epoch``
that of an orchestrator. They tell old from new without trusting anybody's clock; ``sent_at`` is for people.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from orchestrator.bounded_json import UnreadableJsonError, parse_object
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.alarm_input import PanelStatus
from orchestrator.domain.site.device import DoorPosition, LiftMode

MESSAGE_BYTES_MAX = 32 * 1024
"""The longest message that is read; a door with 64 sessions says its state in less."""

SESSIONS_MAX = 64


class DeviceMessageError(InvalidInputError):
    """A message that is not of this protocol; it changes nothing."""

    code = "device_message"


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment names its offset; UTC with a trailing Z is expected")
    return value


def _written(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


Moment = Annotated[datetime, AfterValidator(_aware), PlainSerializer(_written, return_type=str, when_used="json")]
Id = Annotated[str, Field(min_length=1, max_length=120)]
Words = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=0, le=2**62)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class DoorCommand(StrEnum):
    """What is asked of a door."""

    OPEN = "open"
    RELEASE = "release"


class LiftCommand(StrEnum):
    """What is asked of a lift."""

    CALL = "call"
    RELEASE = "release"


class SessionPart(_Part):
    """One session as the device has it; see `orchestrator.domain.site.device.Session`."""

    session: Id
    holder: Id
    owner: Id
    epoch: Number
    purpose: Words = ""
    since: Moment
    heard_at: Moment


class _Request(_Part):
    """What every request says: for whom, by whom, since which start of the orchestrator, and which message it is.

    ``session`` names one holding; it is made by the orchestrator, never used again once released, and stays the same
    while the request is renewed. ``level`` is only a lift's.
    """

    session: Id
    holder: Id
    owner: Id
    epoch: Number
    number: Number
    purpose: Words = ""
    sent_at: Moment


class DoorRequest(_Request):
    """Asks a door to open and stay open, or says that it is needed no more. Renewed every few seconds while needed."""

    command: DoorCommand


class LiftRequest(_Request):
    """Asks the cabin to a level, to stand there with open doors for one robot alone, or gives it back."""

    command: LiftCommand
    level: Id | None = None


class _State(_Part):
    boot: Id
    number: Number
    sent_at: Moment


class DoorState(_State):
    """How a door stands; said on every change and at least every ``heartbeat_s`` seconds of the protocol."""

    position: DoorPosition
    obstructed: bool = False
    sessions: Annotated[tuple[SessionPart, ...], Field(max_length=SESSIONS_MAX)] = ()


class LiftState(_State):
    """Where the cabin is and whom it serves; ``level`` is null between levels.

    ``waiting`` are the holders whose turn comes next, in order. ``occupied`` says whether people are in the cabin, by
    its own sensor. One that cannot tell people from a robot says nothing here: null, or left out.
    """

    level: Id | None
    doors: DoorPosition
    mode: LiftMode = LiftMode.NORMAL
    load_kg: Annotated[float, Field(ge=-1000.0, le=100_000.0)] | None = None
    occupied: bool | None = None
    session: SessionPart | None = None
    waiting: Annotated[tuple[Id, ...], Field(max_length=SESSIONS_MAX)] = ()


class PanelState(_State):
    """What a fire panel says; ``levels`` are those in alarm, none named means all zones of the panel."""

    status: PanelStatus
    levels: Annotated[tuple[Id, ...], Field(max_length=SESSIONS_MAX)] = ()


class CallState(_State):
    """Whether a crash call is active, and where: a level of the site and the call system's own words."""

    active: bool
    level: Id | None = None
    place: Words = ""


DeviceMessage = DoorRequest | LiftRequest | DoorState | LiftState | PanelState | CallState
M = TypeVar("M", bound=_Part)


def encode(message: DeviceMessage) -> bytes:
    """Return a message as the bytes to publish."""
    return message.model_dump_json().encode()


def decode(kind: type[M], payload: bytes) -> M:
    """Return the message of this kind in ``payload``; fields that are not known are passed over.

    Raises
    ------
    DeviceMessageError
        It is too long, not one unambiguous JSON object, or lacks or mistakes a field; it changes nothing.
    """
    try:
        parse_object(payload, limit=MESSAGE_BYTES_MAX)
        return kind.model_validate_json(payload, strict=True)
    except UnreadableJsonError as error:
        raise _refusal(kind, error.what) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:80] or "the object"
        raise _refusal(kind, f"{place}: {first['msg'].lower()}") from error


def _refusal(kind: type[_Part], what: str) -> DeviceMessageError:
    return DeviceMessageError(
        f"A {kind.__name__} was dropped: {what}. Expected the form that docs/asyncapi.yaml gives; look at its sender."
    )
