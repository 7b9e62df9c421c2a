"""What requests may say: unknown fields are refused and a "3" is no 3.

Strictness is for JSON's own types; enums, dates and datetimes are texts there and are read from texts alone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.application.hand_to_runner import TakenOut
from orchestrator.application.report_incident import IncidentCode
from orchestrator.application.withdraw_robot import Aboard
from orchestrator.domain.delivery.counting import COUNT_MAX, SEAL_LENGTH_MAX
from orchestrator.domain.delivery.model import DeliveryState, LineCount, LineId, Priority, ToteId
from orchestrator.domain.delivery.packing import Packed
from orchestrator.domain.delivery.request import (
    BATCH_LENGTH_MAX,
    LINES_MAX,
    MEDICINE_LENGTH_MAX,
    QUANTITY_MAX,
    UNIT_LENGTH_MAX,
    DeliveryRequest,
    LineRequest,
)
from orchestrator.domain.delivery.seals import SealRead
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import REASON_LENGTH_MAX
from orchestrator.domain.site.model import StationId

ID_LENGTH_MAX = 200
PAGE_MAX = 100

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def date_text(value: object) -> object:
    """Return a text that has the form of a date; raises ValueError for anything else."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return value
    raise ValueError("a date as text, such as 2027-06-30, is expected")


def date_time_text(value: object) -> object:
    """Return a text that has the form of a date and time; raises ValueError for anything else."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        return value
    raise ValueError("a date and time with an offset as text, such as 2026-01-31T14:30:00Z, is expected")


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; raises ValueError for one that lies beyond the years 1 to 9999 there."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a date and time of the years 1 to 9999 is expected") from None


def whole_number(value: object) -> object:
    """Return what is an integer to JSON Schema as one of ours; anything else as it is."""
    # 3.0 and 3 are one number in JSON, and both an integer to JSON Schema.
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Strict(BaseModel):
    """The base of everything that comes in."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


WholeNumber = Annotated[int, BeforeValidator(whole_number)]
AskedMoment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(date_time_text), AfterValidator(in_utc)]
BatchText = Annotated[
    str, Field(min_length=1, max_length=BATCH_LENGTH_MAX, pattern=r"^[!-~]+( [!-~]+)*$", examples=["LOT7"])
]
"""A batch as a pack prints it. A space before it, or a letter that only looks like one, would be another batch."""
StationText = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]


class LineAsked(Strict):
    """One medicine, in the smallest unit: tablets, not packs."""

    medicine: str = Field(min_length=1, max_length=MEDICINE_LENGTH_MAX, examples=["Paracetamol 500 mg tablets"])
    quantity: WholeNumber = Field(ge=1, le=QUANTITY_MAX, examples=[32])
    unit: str = Field(min_length=1, max_length=UNIT_LENGTH_MAX, examples=["tablet"])
    batch: BatchText | None = None
    expiry: Annotated[date, Field(strict=False), BeforeValidator(date_text)] | None = None
    handling_class: Annotated[HandlingClass, Field(strict=False)] = HandlingClass.ORDINARY
    code: str | None = Field(default=None, min_length=1, max_length=18, description="dm+d code, as text.")
    quantity_in_words: str | None = Field(default=None, min_length=1, max_length=200)


class RequestedDelivery(Strict):
    """What goes where; ``due_by`` is when it shall be in the nurse's hand, ``is_critical`` that a late dose harms."""

    from_station: StationText
    to_station: StationText
    lines: list[LineAsked] = Field(min_length=1, max_length=LINES_MAX)
    priority: Annotated[Priority, Field(strict=False)] = Priority.ROUTINE
    due_by: AskedMoment | None = None
    is_critical: bool = False

    def to_request(self) -> DeliveryRequest:
        """Return what the use case takes."""
        return DeliveryRequest(
            from_station=StationId(self.from_station),
            to_station=StationId(self.to_station),
            lines=tuple(
                LineRequest(
                    medicine=line.medicine,
                    quantity=line.quantity,
                    unit=line.unit,
                    batch=line.batch,
                    expiry=line.expiry,
                    handling_class=line.handling_class,
                    code=line.code,
                    quantity_in_words=line.quantity_in_words,
                )
                for line in self.lines
            ),
            priority=self.priority,
            due_by=self.due_by,
            is_critical=self.is_critical,
        )


class CountAsked(Strict):
    """How many of one line were counted, in its unit; 0 for none."""

    line: str = Field(min_length=1, max_length=ID_LENGTH_MAX)
    quantity: WholeNumber = Field(ge=0, le=COUNT_MAX)


class CountsAsked(Strict):
    """A count of every line."""

    counts: list[CountAsked] = Field(min_length=1, max_length=LINES_MAX)

    def to_counts(self) -> tuple[LineCount, ...]:
        """Return what the use cases take."""
        return tuple(LineCount(LineId(count.line), count.quantity) for count in self.counts)


IdText = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]
SealText = Annotated[str, Field(min_length=1, max_length=SEAL_LENGTH_MAX)]


class PackedAsked(Strict):
    """One tote as it was packed: the number on its seal, and the ids of the lines in it."""

    seal_number: SealText
    lines: list[IdText] = Field(min_length=1, max_length=LINES_MAX)


class LoadAsked(CountsAsked):
    """A loading: a count of every line, and one seal for all, or the totes, each with its seal and its lines.

    ``is_by_hand`` says that a messenger carries it although a robot was asked for.
    """

    seal_number: SealText | None = None
    totes: list[PackedAsked] = Field(default_factory=list[PackedAsked], max_length=LINES_MAX)
    is_by_hand: bool = False

    def to_totes(self) -> tuple[Packed, ...]:
        """Return what the use case takes."""
        return tuple(Packed(tote.seal_number, tuple(LineId(line) for line in tote.lines)) for tote in self.totes)


class SealReadAsked(Strict):
    """The seal as read off one tote."""

    tote: IdText
    seal_number: SealText

    def to_read(self) -> SealRead:
        """Return what the use case takes."""
        return SealRead(ToteId(self.tote), self.seal_number)


class CancelAsked(Strict):
    """Why a delivery is no longer wanted; ``is_order_stopped`` says that the patient's order was stopped."""

    reason: str = Field(min_length=1, max_length=REASON_LENGTH_MAX, examples=["Patient was discharged"])
    is_order_stopped: bool = False


SaidReason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]


class RunnerAsked(Strict):
    """Why a person carries the delivery on; ``is_emptied`` says that it is out of its drawer already.

    ``seal_number`` is the seal as read when it was taken out, or ``totes`` are those of several; ``is_by_key`` says
    that the mechanical key opened the drawer, ``occurred_at`` when it did: not before it was sealed, and a late entry
    later than the day after.
    """

    reason: SaidReason = Field(examples=["Robot stands in the corridor, wanted now"])
    is_emptied: bool = False
    seal_number: SealText | None = None
    totes: list[SealReadAsked] = Field(default_factory=list[SealReadAsked], max_length=LINES_MAX)
    is_by_key: bool = False
    occurred_at: AskedMoment | None = None

    def to_taken_out(self) -> TakenOut:
        """Return what the use case takes."""
        totes = tuple(tote.to_read() for tote in self.totes)
        return TakenOut(self.seal_number, self.is_by_key, self.occurred_at, totes)


class IncidentAsked(Strict):
    """What is wrong with the delivery; ``is_emptied`` says that it is out of its drawer already.

    What is on the ledger is an incident for the accountable officer, and the words are for few. Whoever says that its
    drawer is empty took it out, or found it empty: as many people as carry it, each with a step-up for
    ``hand_to_runner``.
    """

    code: Annotated[IncidentCode, Field(strict=False)]
    sentence: SaidReason = Field(examples=["The seal was torn when the drawer was opened"])
    is_emptied: bool = False


class ReasonAsked(Strict):
    """Why, in the words of the person who asks. No patient's name: it is shown wherever the robot is."""

    reason: SaidReason = Field(examples=["Stands before the fire door"])


class ResumeAsked(ReasonAsked):
    """``clock_off_s`` only for a robot whose states do not count for its clock: its ``refused_clock_off_s``.

    It says that somebody stands at the robot and knows that it is the one that sends.
    """

    clock_off_s: Annotated[float, Field(ge=-4e9, le=4e9)] | None = None


class SendAsked(ReasonAsked):
    """Where a robot shall drive without a delivery; it stays there until it is sent on."""

    station: StationText


class WithdrawAsked(ReasonAsked):
    """What becomes of the medicines aboard: they come back, or a runner takes them out where the robot stands."""

    aboard: Annotated[Aboard, Field(strict=False)] = Aboard.RETURN


class FenceOffAsked(ReasonAsked):
    """``is_removed`` says that the robot was carried off the lanes and occupies nothing."""

    is_removed: bool = False


class OpenAsked(ReasonAsked):
    """Which directions of the lane are meant."""

    both_directions: bool = True


class CloseAsked(OpenAsked):
    """``until`` the lane opens by itself; ``even_if_cut_off`` closes it although somebody has no way then."""

    until: AskedMoment | None = None
    even_if_cut_off: bool = False


class HistoryQuery(BaseModel):
    """Which entries to list: ``after`` is the cursor that the page before gave as ``next_after``."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(default=None, ge=1, le=2**53)
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)


class DeliveriesQuery(BaseModel):
    """Which deliveries to list: ``after`` is the cursor that the page before gave as ``next_after``."""

    model_config = ConfigDict(extra="forbid")

    state: list[DeliveryState] | None = None
    after: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)


class EventsQuery(BaseModel):
    """From where to resume: the number of the last event that was seen."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(default=None, ge=0, le=2**53)
