"""What is asked and answered about registers, recalls, whereabouts and reports."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from orchestrator.application.recalls import Affected, RecallRequest
from orchestrator.application.registers import Register
from orchestrator.application.whereabouts import Whereabouts
from orchestrator.domain.custody.balances import Balance
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.model import AccountKind, EntryKind, Signature, Signing
from orchestrator.domain.custody.occurrence import OccurrenceReport, Section
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.register import RegisterLine, RegisterPage
from orchestrator.domain.custody.scan_compliance import Period, PlaceScans, ScanReport
from orchestrator.domain.delivery.model import Delivery, DeliveryState
from orchestrator.domain.london import LONDON
from orchestrator.domain.medicine.recall import BATCHES_MAX, Recall, RecallClass
from orchestrator.domain.reason import REASON_LENGTH_MAX
from orchestrator.http.request_models import ID_LENGTH_MAX, BatchText, Strict, WholeNumber, date_text

Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
Id = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]


class RegisterQuery(Strict):
    """Which part of a register: of one medicine (dm+d code) or drug class, of what was entered from a day on."""

    medicine: Id | None = None
    since: Annotated[date, Field(strict=False), BeforeValidator(date_text)] | None = None

    @property
    def since_moment(self) -> datetime | None:
        """The first moment of that day in the hospital."""
        return None if self.since is None else datetime.combine(self.since, time(), LONDON)


class SignatureView(BaseModel):
    """Who signed, in what part and role, with which registration number."""

    person: str
    part: Signing
    role: str
    registration: str | None


class RegisterLineView(BaseModel):
    """A line of a register. ``balance`` holds what is set apart too; a late entry came after the next day."""

    entry: int
    kind: EntryKind
    occurred_at: datetime
    recorded_at: datetime
    is_late: bool
    batch: str
    obtained_from: str
    obtained: int
    supplied_to: str
    authority: str
    collected_by: str
    identity_requested: str
    identity_given: str
    supplied: int
    counted_off: int
    wasted: str
    balance: int
    set_apart: int
    signatures: list[SignatureView]
    note: str
    corrects: int | None
    corrected_by: list[int]


class RegisterPageView(BaseModel):
    """A page: one drug class, strength and form; ``own_of`` where it is a patient's own.

    ``brought_forward`` is the balance before the first line, where lines before a day are left out.
    """

    drug_class: str
    strength: str
    form: str
    own_of: str | None
    medicines: list[str]
    unit: str
    schedule: str
    is_required_by_law: bool
    brought_forward: int | None
    balance: int
    lines: list[RegisterLineView]


class RegisterView(BaseModel):
    """The register of a place as it stood after ``ledger_size`` entries of the ledger."""

    place: str
    is_simulation: bool
    mode: LedgerMode
    warning: str
    ledger_size: int
    taken_at: datetime
    pages: list[RegisterPageView]


def register_view(register: Register) -> RegisterView:
    """Return a register as shown."""
    return RegisterView(
        place=register.place,
        is_simulation=register.is_simulation,
        mode=register.mode,
        warning=register.warning,
        ledger_size=register.size,
        taken_at=register.taken_at,
        pages=[_page_view(page) for page in register.pages],
    )


def _page_view(page: RegisterPage) -> RegisterPageView:
    key, heading = page.heading.key, page.heading
    return RegisterPageView(
        drug_class=key.drug_class,
        strength=key.strength,
        form=key.form,
        own_of=key.own_of or None,
        medicines=list(heading.names),
        unit=heading.unit,
        schedule=heading.schedule,
        is_required_by_law=heading.is_required_by_law,
        brought_forward=page.brought_forward,
        balance=page.balance,
        lines=[_line_view(line) for line in page.lines],
    )


def _line_view(line: RegisterLine) -> RegisterLineView:
    names = [name for name in RegisterLineView.model_fields if name not in ("signatures", "corrected_by")]
    return RegisterLineView(
        **{name: getattr(line, name) for name in names},
        signatures=[_signature_view(sign) for sign in line.signatures],
        corrected_by=list(line.corrected_by),
    )


def _signature_view(sign: Signature) -> SignatureView:
    return SignatureView(person=sign.person, part=sign.part, role=sign.role, registration=sign.registration)


# -- recalls and whereabouts


class RecallAsked(Strict):
    """A recall as it was told to the hospital; no batches means every batch of the medicine."""

    medicine: Id
    batches: Annotated[list[BatchText], Field(max_length=BATCHES_MAX)] = Field(default_factory=list[str])
    recall_class: Annotated[RecallClass, Field(strict=False)]
    reference: Reason
    reason: Reason

    def to_request(self) -> RecallRequest:
        """Return it as the use case takes it."""
        return RecallRequest(
            self.medicine, self.recall_class, self.reference, self.reason, batches=frozenset(self.batches)
        )


class AcknowledgementAsked(Strict):
    """A place's word that it looked, and how many units it set apart."""

    place: Id
    set_apart: WholeNumber = Field(ge=0, le=1_000_000)


class WhereaboutsQuery(Strict):
    """Which batch, and of which medicine (dm+d code): makers number batches as they like.

    Without the medicine, what was brought is found only of medicines that the ledger holds of that batch, or that are
    under way.
    """

    batch: BatchText
    medicine: Id | None = None


class QuarterQuery(Strict):
    """Which quarter of a year."""

    quarter: Annotated[str, Field(min_length=1, max_length=20, examples=["2026-Q3"])]


class PeriodQuery(Strict):
    """Which days, the last included, in the hospital's time."""

    first: Annotated[date, Field(strict=False, alias="from"), BeforeValidator(date_text)]
    last: Annotated[date, Field(strict=False, alias="to"), BeforeValidator(date_text)]

    @property
    def period(self) -> Period:
        """The period; raises `PeriodInvalidError`."""
        return Period(self.first, self.last)


class AcknowledgementView(BaseModel):
    """A place's word: who looked, when, and how many units were set apart."""

    place: str
    by: str
    at: datetime
    set_apart: int


class RecallView(BaseModel):
    """A recall; ``outstanding`` are the places that have not answered."""

    id: str
    medicine: str
    batches: list[str]
    recall_class: RecallClass
    reference: str
    reason: str
    raised_by: str
    raised_at: datetime
    acknowledgements: list[AcknowledgementView]
    outstanding: list[str]
    ended_at: datetime | None
    ended_by: str | None


class RecallsView(BaseModel):
    """Recalls, newest first."""

    recalls: list[RecallView]


def recall_view(recall: Recall) -> RecallView:
    """Return a recall as shown."""
    return RecallView(
        id=recall.id,
        medicine=recall.medicine,
        batches=sorted(recall.batches),
        recall_class=recall.recall_class,
        reference=recall.reference,
        reason=recall.reason,
        raised_by=recall.raised_by,
        raised_at=recall.raised_at,
        acknowledgements=[
            AcknowledgementView(place=one.place, by=one.by, at=one.at, set_apart=one.set_apart)
            for one in recall.acknowledgements
        ],
        outstanding=list(recall.outstanding),
        ended_at=recall.ended_at,
        ended_by=recall.ended_by,
    )


class HeldView(BaseModel):
    """Units that the ledger counts in an account of a place or tote."""

    account: AccountKind
    of: str
    medicine: str
    batch: str
    units: int


class CarriedView(BaseModel):
    """A delivery that holds, or brought, what is looked for; ``totes`` are those of its totes that do."""

    delivery: str
    state: DeliveryState
    to_station: str
    totes: list[str]
    robot: str | None
    drawer: str | None
    accountable: str | None


class WhereaboutsView(BaseModel):
    """Where something is: by the ledger, in deliveries under way, and by deliveries that were received."""

    held: list[HeldView]
    under_way: list[CarriedView]
    brought: list[CarriedView]


def whereabouts_view(found: Whereabouts | Affected) -> WhereaboutsView:
    """Return where something is as shown."""
    return WhereaboutsView(
        held=[_held_view(balance) for balance in found.held],
        under_way=[_carried_view(delivery, found) for delivery in found.under_way],
        brought=[_carried_view(delivery, found) for delivery in found.brought],
    )


def _held_view(balance: Balance) -> HeldView:
    return HeldView(
        account=balance.account.kind,
        of=balance.account.of,
        medicine=balance.stock.medicine,
        batch=balance.stock.batch,
        units=balance.quantity,
    )


def _carried_view(delivery: Delivery, found: Whereabouts | Affected) -> CarriedView:
    return CarriedView(
        delivery=delivery.id,
        state=delivery.state,
        to_station=delivery.to_station,
        totes=[tote.id for tote in found.totes_of(delivery)],
        robot=delivery.robot,
        drawer=delivery.drawer,
        accountable=delivery.custody.accountable,
    )


# -- the report on scanning


class PlaceScansView(BaseModel):
    """What one place picked: lines scanned and entered by hand, why, and the part that was scanned, 0 to 1."""

    place: str
    scanned: int
    by_hand: int
    share_scanned: float
    reasons: dict[str, int]


class ScanComplianceView(BaseModel):
    """How often packs were scanned, by the place that picked them, and over all places."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    is_simulation: bool
    places: list[PlaceScansView]
    whole: PlaceScansView


def scan_compliance_view(report: ScanReport) -> ScanComplianceView:
    """Return the report on scanning as shown."""
    return ScanComplianceView(
        first=report.period.first,
        last=report.period.last,
        is_simulation=report.is_simulation,
        places=[_place_scans_view(one) for one in report.places],
        whole=_place_scans_view(report.whole),
    )


def _place_scans_view(one: PlaceScans) -> PlaceScansView:
    return PlaceScansView(
        place=one.place,
        scanned=one.scanned,
        by_hand=one.by_hand,
        share_scanned=one.share_scanned,
        reasons=dict(one.reasons),
    )


# -- the occurrence report


class OccurredView(BaseModel):
    """An incident or near miss."""

    id: str
    kind: IncidentKind
    at: datetime
    place: str
    sentence: str
    is_closed: bool


class DifferenceView(BaseModel):
    """A count that was not what was expected; units are positive where short, negative where over.

    ``is_settled``: the entry says what such units turned out to be, or corrects the count.
    """

    entry: int
    medicine: str
    place: str
    units: int
    is_settled: bool


class MovementView(BaseModel):
    """By how many units the accounts of a kind changed, for one medicine."""

    medicine: str
    account: AccountKind
    units: int


class SectionView(BaseModel):
    """What happened with one schedule; null for medicines that nobody classified."""

    schedule: int | None
    is_nil: bool
    entries: int
    corrections: int
    late_entries: int
    incidents: list[OccurredView]
    differences: list[DifferenceView]
    movements: list[MovementView]


class OccurrenceView(BaseModel):
    """The quarterly report: schedules 2 to 5 each have a section, also with nothing in it."""

    quarter: str
    is_final: bool
    is_nil: bool
    is_simulation: bool
    sections: list[SectionView]


def occurrence_view(report: OccurrenceReport) -> OccurrenceView:
    """Return the quarterly report as shown."""
    return OccurrenceView(
        quarter=report.quarter.name,
        is_final=report.is_final,
        is_nil=report.is_nil,
        is_simulation=report.is_simulation,
        sections=[_section_view(section) for section in report.sections],
    )


def _section_view(section: Section) -> SectionView:
    return SectionView(
        schedule=section.schedule,
        is_nil=section.is_nil,
        entries=section.entries,
        corrections=section.corrections,
        late_entries=section.late_entries,
        incidents=[
            OccurredView(
                id=one.id, kind=one.kind, at=one.at, place=one.place, sentence=one.sentence, is_closed=one.is_closed
            )
            for one in section.incidents
        ],
        differences=[
            DifferenceView(
                entry=one.entry, medicine=one.medicine, place=one.place, units=one.units, is_settled=one.is_settled
            )
            for one in section.differences
        ],
        movements=[
            MovementView(medicine=one.medicine, account=one.account, units=one.units) for one in section.movements
        ],
    )
