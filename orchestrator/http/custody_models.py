"""What requests about custody may say."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from orchestrator.application.prepare_delivery import Picked
from orchestrator.application.reading import Reading
from orchestrator.domain.custody.supply import SupplyRequest
from orchestrator.domain.delivery.counting import COUNT_MAX
from orchestrator.domain.delivery.custody_record import Basis, BasisKind, Carrier, SupplyKind
from orchestrator.domain.delivery.model import LineCount, LineId, ToteId
from orchestrator.domain.delivery.paper import PaperForm
from orchestrator.domain.delivery.request import LINES_MAX
from orchestrator.domain.delivery.seals import SealRead
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.model import PersonId
from orchestrator.http.request_models import (
    AskedMoment,
    BatchText,
    CountAsked,
    IdText,
    RequestedDelivery,
    SaidReason,
    SealReadAsked,
    SealText,
    StationText,
    Strict,
    WholeNumber,
    date_text,
)


class BasisAsked(Strict):
    """On what a delivery is supplied: the paper or order, its number, and who signed a requisition."""

    kind: Annotated[BasisKind, Field(strict=False)]
    reference: str = Field(min_length=1, max_length=100, examples=["REQ-1042"])
    requested_by: IdText | None = None


class PatientMovedAsked(Strict):
    """Where the patient is now, if the delivery shall follow; it comes back when left out."""

    to_station: StationText | None = None


LOCAL_NUMBER = r"^[A-Za-z0-9]([A-Za-z0-9/ ._-]*[A-Za-z0-9])?$"
"""A place's number of a patient: with a space around it, it would be another patient's; of spaces alone, nobody's."""


class PatientAsked(Strict):
    """For whom: an NHS number, or the local number of a patient who has none."""

    nhs_number: str | None = Field(default=None, min_length=1, max_length=40)
    local_number: str | None = Field(default=None, min_length=1, max_length=40, pattern=LOCAL_NUMBER)


class SupplyAsked(Strict):
    """For what a delivery is supplied, on what basis, for whom, and who carries it."""

    kind: Annotated[SupplyKind, Field(strict=False)] = SupplyKind.WARD_STOCK
    basis: BasisAsked | None = None
    patient: PatientAsked | None = None
    is_own_of_patient: bool = False
    carrier: Annotated[Carrier, Field(strict=False)] = Carrier.ROBOT
    above_usual_because: SaidReason | None = None

    def to_request(self, *, patient: str | None) -> SupplyRequest:
        """Return what the use case takes; ``patient`` is the reference that was made of what was said."""
        basis = self.basis
        return SupplyRequest(
            kind=self.kind,
            basis=None
            if basis is None
            else Basis(
                basis.kind,
                basis.reference,
                None if basis.requested_by is None else PersonId(basis.requested_by),
            ),
            patient=patient,
            is_own_of_patient=self.is_own_of_patient,
            carrier=self.carrier,
            above_usual_because=self.above_usual_because,
        )


class DeliveryAsked(RequestedDelivery):
    """A delivery to queue, and for what it is supplied."""

    supply: SupplyAsked | None = None
    return_to: StationText | None = None


class PickedAsked(Strict):
    """What was picked for one line: ``code`` as the scanner sent it, or batch and expiry by hand with the reason."""

    line: IdText
    quantity: WholeNumber = Field(ge=0, le=COUNT_MAX)
    code: str | None = Field(default=None, min_length=1, max_length=400)
    batch: BatchText | None = None
    expiry: Annotated[date, Field(strict=False), BeforeValidator(date_text)] | None = None
    unread_because: SaidReason | None = None

    def by_hand(self) -> Picked:
        """Return what the use case takes where no code was read."""
        return Picked(
            line=LineId(self.line),
            quantity=self.quantity,
            batch=self.batch,
            expiry=self.expiry,
            unread_because=self.unread_because,
        )


class DispensingAsked(Strict):
    """What was picked, line by line."""

    lines: list[PickedAsked] = Field(min_length=1, max_length=LINES_MAX)


class AcceptanceAsked(Strict):
    """Whom the ward names to receive the delivery."""

    named: list[IdText] = Field(min_length=1, max_length=4)


class FoundToteAsked(SealReadAsked):
    """The seal as read off one tote, and whether it was broken."""

    is_seal_broken: bool = False

    def to_read(self) -> SealRead:
        """Return what the use case takes."""
        return SealRead(ToteId(self.tote), self.seal_number, self.is_seal_broken)


class ReceiptAsked(Strict):
    """A receipt: the seals, a count of every line in the totes that were opened, and what is not as it should be.

    ``seal_number`` is that of the only tote still to be handed over; of several, each is named in ``totes``.
    ``refused`` lines go back under ``new_seal``; ``wrong`` ones hold something else. ``emergency`` is why one person
    opens alone what takes two, where the place allows that at all. ``is_return`` says whether what a person brought is
    taken back, and not in: it has to where those who are there may do either.
    """

    seal_number: SealText | None = None
    totes: list[FoundToteAsked] = Field(default_factory=list[FoundToteAsked], max_length=LINES_MAX)
    counts: list[CountAsked] = Field(max_length=LINES_MAX)
    is_seal_broken: bool = False
    refused: list[IdText] = Field(default_factory=list[str], max_length=LINES_MAX)
    wrong: list[IdText] = Field(default_factory=list[str], max_length=LINES_MAX)
    new_seal: SealText | None = None
    emergency: SaidReason | None = None
    is_return: bool | None = None

    def to_reading(self) -> Reading:
        """Return what the use case takes."""
        return Reading(
            seal_number=self.seal_number,
            counts=tuple(LineCount(LineId(count.line), count.quantity) for count in self.counts),
            is_seal_broken=self.is_seal_broken,
            refused=tuple(LineId(line) for line in self.refused),
            wrong=tuple(LineId(line) for line in self.wrong),
            new_seal=self.new_seal,
            emergency=self.emergency,
            totes=tuple(tote.to_read() for tote in self.totes),
            is_return=self.is_return,
        )


class PaperReceiptAsked(ReceiptAsked):
    """A receipt that was signed on paper while the network was down: its number, when, and why it was on paper."""

    occurred_at: AskedMoment
    paper: Annotated[str, Field(min_length=1, max_length=100, examples=["DT-7"])]
    reason: SaidReason

    def to_form(self) -> PaperForm:
        """Return the form as the use case takes it."""
        return PaperForm(self.occurred_at, self.paper, self.reason)


class Nothing(Strict):
    """An act that says all by itself."""


class ApprovalAsked(Strict):
    """An approval of the accountable officer: class, route, robot model, and the paper it stands on."""

    handling_class: Annotated[HandlingClass, Field(strict=False)] = HandlingClass.CONTROLLED
    from_place: IdText
    to_place: IdText
    model: IdText
    reference: SaidReason
    ends_at: AskedMoment | None = None


class FollowUpAsked(Strict):
    """What somebody found out about an incident. No patient's name."""

    sentence: SaidReason
    closes: bool = False
