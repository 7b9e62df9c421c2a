"""What may be asked for: the lines and stations of a delivery before it exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches

from orchestrator.domain.delivery.errors import (
    DueInPastError,
    SameStationError,
    StationNotServedError,
    UnknownStationError,
)
from orchestrator.domain.delivery.model import Priority
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.site.model import Station, StationId

LINES_MAX = 50
MEDICINE_LENGTH_MAX = 200
TITLE_LENGTH_MAX = 3 * MEDICINE_LENGTH_MAX + 2
"""Name, strength and form of the catalogue, with spaces between."""
UNIT_LENGTH_MAX = 40
BATCH_LENGTH_MAX = 64
QUANTITY_MAX = 100_000


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One medicine as it was asked for: a quantity of the smallest unit, of a batch if it matters.

    ``code`` is its dm+d code as text; ``schedule`` and ``storage`` are what the catalogue says of it.
    """

    medicine: str
    quantity: int
    unit: str
    batch: str | None = None
    expiry: date | None = None
    handling_class: HandlingClass = HandlingClass.ORDINARY
    code: str | None = None
    quantity_in_words: str | None = None
    schedule: str | None = None
    storage: str = "room"


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """A delivery as it was asked for; ``due_by`` is when it shall be in the nurse's hand.

    ``is_critical`` says that a late dose harms, by the place's own list of critical medicines.
    """

    from_station: StationId
    to_station: StationId
    lines: tuple[LineRequest, ...]
    priority: Priority = Priority.ROUTINE
    due_by: datetime | None = None
    is_critical: bool = False


def check_request(
    request: DeliveryRequest,
    *,
    at: datetime,
    stations: Mapping[StationId, Station],
    is_served: Callable[[Station], bool],
) -> None:
    """Refuse a request that nobody could carry out.

    Parameters
    ----------
    request : DeliveryRequest
        What was asked for.
    at : datetime
        Now; aware.
    stations : mapping
        The stations of the site, by id.
    is_served : callable
        Whether some robot of the fleet can drive to a station.

    Raises
    ------
    UnknownStationError, StationNotServedError, SameStationError, DueInPastError
        The request breaks the rule the error is named after.
    InvalidInputError
        A line is outside what a line may hold, or a station is a resting place.
    """
    if request.from_station == request.to_station:
        raise SameStationError(
            f"The delivery was refused: from_station and to_station are both {request.from_station}; "
            "expected two different stations. Choose where it shall go.",
            detail={"station": request.from_station},
        )
    for field, station in (("from_station", request.from_station), ("to_station", request.to_station)):
        check_station(station, field=field, stations=stations, is_served=is_served)
    _check_lines(request.lines)
    _check_due_by(request.due_by, at=at)


def check_station(
    wanted: StationId, *, field: str, stations: Mapping[StationId, Station], is_served: Callable[[Station], bool]
) -> None:
    """Refuse a station that nobody could bring a delivery to or fetch one from; raises as `check_request`."""
    station = stations.get(wanted)
    if station is None:
        near = get_close_matches(wanted, list(stations), n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "GET /api/v1/site lists the stations."
        raise UnknownStationError(
            f"The delivery was refused: {field} names no station of this site; expected a station's id. {hint}",
            detail={"field": field, "near": near},
        )
    if station.kind.is_resting_place:
        raise InvalidInputError(
            f"The delivery was refused: {field} {wanted} is a {station.kind.value} place where robots rest; "
            "expected a place where people load or receive. Choose another station.",
            detail={"field": field, "station": wanted, "kind": station.kind.value},
        )
    if not is_served(station):
        raise StationNotServedError(
            f"The delivery was refused: no robot of the fleet can drive to {field} {wanted}; expected a station "
            "that the fleet reaches. Choose another one nearby, or ask a porter.",
            detail={"field": field, "station": wanted},
        )


def _check_lines(lines: Sequence[LineRequest]) -> None:
    if not 1 <= len(lines) <= LINES_MAX:
        raise InvalidInputError(
            f"The delivery was refused: it has {len(lines)} lines; expected 1 to {LINES_MAX}. "
            "Split it, or say what shall be carried.",
            detail={"field": "lines", "minimum": 1, "maximum": LINES_MAX},
        )
    for number, line in enumerate(lines):
        words_max = MEDICINE_LENGTH_MAX if line.code is None else TITLE_LENGTH_MAX
        _check_text(line.medicine, field=f"lines[{number}].medicine", length_max=words_max)
        _check_text(line.unit, field=f"lines[{number}].unit", length_max=UNIT_LENGTH_MAX)
        if line.batch is not None:
            _check_text(line.batch, field=f"lines[{number}].batch", length_max=BATCH_LENGTH_MAX)
        if not 1 <= line.quantity <= QUANTITY_MAX:
            raise InvalidInputError(
                f"The delivery was refused: lines[{number}].quantity is out of range; expected 1 to {QUANTITY_MAX} "
                "of the smallest unit. Correct it, or split the line.",
                detail={"field": f"lines[{number}].quantity", "minimum": 1, "maximum": QUANTITY_MAX},
            )


def _check_text(text: str, *, field: str, length_max: int) -> None:
    if 1 <= len(text.strip()) and len(text) <= length_max and text.isprintable():
        return
    raise InvalidInputError(
        f"The delivery was refused: {field} is empty, too long or not printable; "
        f"expected 1 to {length_max} printable characters. Correct it.",
        detail={"field": field, "length_max": length_max},
    )


def _check_due_by(due_by: datetime | None, *, at: datetime) -> None:
    if due_by is None:
        return
    if due_by.tzinfo is None:
        raise InvalidInputError(
            "The delivery was refused: due_by has no time zone; expected an offset, such as 2026-01-31T14:30:00Z.",
            detail={"field": "due_by"},
        )
    try:
        due_by.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError(
            "The delivery was refused: due_by lies outside the years 1 to 9999 in UTC; expected a moment when somebody "
            "waits for it. Correct it, or leave it out if it is wanted as soon as possible.",
            detail={"field": "due_by"},
        ) from None
    if due_by <= at:
        raise DueInPastError(
            "The delivery was refused: due_by has passed; expected a moment in the future. "
            "Leave it out if it is wanted as soon as possible.",
            detail={"field": "due_by", "now": at.isoformat()},
        )
