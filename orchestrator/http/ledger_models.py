"""What is asked and answered about the ledger and registers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from orchestrator.application.ledger_heads import LedgerStanding, Witnessing
from orchestrator.domain.custody.balances import is_late
from orchestrator.domain.custody.canonical import entry_bytes
from orchestrator.domain.custody.checkpoint import Checkpoint
from orchestrator.domain.custody.model import AccountKind, Entry, EntryKind, Posting, Signature, Signing
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.part_dose import PartDose
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.delivery.counting import COUNT_MAX
from orchestrator.domain.delivery.request import QUANTITY_MAX
from orchestrator.domain.reason import REASON_LENGTH_MAX
from orchestrator.http.request_models import ID_LENGTH_MAX, PAGE_MAX, AskedMoment, BatchText, Strict, whole_number

Words = Annotated[str, Field(min_length=1, max_length=500)]
Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
Quantity = Annotated[int, Field(ge=1, le=QUANTITY_MAX), BeforeValidator(whole_number)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX), BeforeValidator(whole_number)]
Amount = Annotated[str, Field(max_length=12, pattern=r"^[0-9]{1,7}(\.[0-9]{1,4})?$")]
INDEX_MAX = 2**53
"""The largest whole number that every reader of JSON reads alike."""
Index = Annotated[int, Field(strict=False, ge=0, le=INDEX_MAX)]
SetApart = Literal["quarantine", "returned"]


class StockAsked(Strict):
    """Of what: a medicine by its dm+d code, one batch, and whose own it is, where it is a patient's.

    ``own_of`` is an NHS number, the local number of a patient without one, or the reference that the register shows.
    """

    medicine: str = Field(min_length=1, max_length=ID_LENGTH_MAX)
    batch: BatchText
    own_of: Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)] | None = None


class OpeningBalanceAsked(StockAsked):
    """What two people counted at the start of a register."""

    counted: Count


class SupplierReceiptAsked(StockAsked):
    """What a supplier, by name and address, delivered."""

    quantity: Quantity
    supplier: Words
    reference: Words | None = None


class PartDoseAsked(Strict):
    """What was given and what was wasted, such as 5 and 5 mg of ampoules that hold 10 each.

    ``whole`` is left out where the medicine is counted in ``unit`` itself. Amounts are text: nothing is rounded.
    """

    given: Amount = Field(examples=["5"])
    wasted: Amount = Field(examples=["5"])
    unit: Annotated[str, Field(min_length=1, max_length=40)] = Field(examples=["mg"])
    whole: Amount | None = Field(default=None, examples=["10"])

    def to_part_dose(self) -> PartDose:
        """Return it as the use case takes it."""
        whole = None if self.whole is None else Decimal(self.whole)
        return PartDose(Decimal(self.given), Decimal(self.wasted), self.unit, whole)


class SupplyAsked(StockAsked):
    """What was given to a patient: by whose authority, who collected it, and proof of identity.

    ``part_dose`` says what of it was given and what was wasted, where not all of it was given.
    """

    quantity: Quantity
    patient: Words
    authority: Words
    supplied_to: Words | None = None
    collected_by: Words | None = None
    identity_requested: bool | None = None
    identity_given: bool | None = None
    part_dose: PartDoseAsked | None = None


class StockCheckAsked(StockAsked):
    """What each of two people counted for themselves, in the order in which they sign."""

    counts: Annotated[list[Count], Field(min_length=2, max_length=2)]
    reason: Reason | None = None


class RestockingAsked(StockAsked):
    """What goes back into the cupboard."""

    quantity: Quantity
    out_of: SetApart = "returned"
    reason: Reason | None = None


class DestructionAsked(StockAsked):
    """What was destroyed; ``authority`` is the witness's appointment, for a pharmacy's stock."""

    quantity: Quantity
    out_of: SetApart | Literal["cupboard"] = "cupboard"
    reason: Reason
    authority: Words | None = None


class BreakageAsked(StockAsked):
    """What broke or was dropped, and how."""

    quantity: Quantity
    out_of: SetApart | Literal["cupboard"] = "cupboard"
    reason: Reason


class ResolutionAsked(StockAsked):
    """What a discrepancy turned out to be: units that were short (positive) or over (negative), and where they are.

    ``into`` is an account of the place that found it: cupboard, quarantine, returned, and for what was short destroyed,
    broken or patient, with ``patient`` and ``authority`` of what was found administered.
    """

    difference: Annotated[int, Field(ge=-COUNT_MAX, le=COUNT_MAX), BeforeValidator(whole_number)]
    into: Annotated[AccountKind, Field(strict=False)]
    of: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)
    reason: Reason
    patient: Words | None = None
    authority: Words | None = None


class CorrectionAsked(Strict):
    """What is right instead of a wrong entry: its quantity, or words of its headings.

    The quantity of a receipt, a stock check or an opening balance is what was counted.
    """

    entry: Annotated[int, Field(ge=0, le=INDEX_MAX), BeforeValidator(whole_number)]
    quantity: Count | None = None
    supplier: Words | None = None
    patient: Words | None = None
    authority: Words | None = None
    supplied_to: Words | None = None
    collected_by: Words | None = None
    reason: Reason


class BackSupplierReceipt(SupplierReceiptAsked):
    """A receipt from a supplier that was kept on paper."""

    kind: Literal["supplier_receipt"]


class BackSupply(SupplyAsked):
    """A supply that was kept on paper."""

    kind: Literal["supply"]


class BackDestruction(DestructionAsked):
    """A destruction that was kept on paper."""

    kind: Literal["destruction"]


class BackBreakage(BreakageAsked):
    """A breakage that was kept on paper."""

    kind: Literal["breakage"]


class BackRestocking(RestockingAsked):
    """A restocking that was kept on paper."""

    kind: Literal["restocking"]


class BackEntryAsked(Strict):
    """What happened while nothing could be entered: when, on which paper form, and what."""

    occurred_at: AskedMoment
    paper: Words
    entry: Annotated[
        BackSupplierReceipt | BackSupply | BackDestruction | BackBreakage | BackRestocking, Field(discriminator="kind")
    ]


class EntriesQuery(Strict):
    """Which entries: those of a place's register, a delivery or a medicine, after an index."""

    after: Index | None = None
    limit: Annotated[int, Field(strict=False, ge=1, le=PAGE_MAX)] = 50
    place: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)
    delivery: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)
    medicine: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)


class InclusionQuery(Strict):
    """That an entry is in the ledger of a size; the newest size when left out."""

    entry: Index
    size: Index | None = None


class ConsistencyQuery(Strict):
    """That the ledger of a size is the beginning of that of a larger one; the newest when left out."""

    old: Index
    new: Index | None = None


class SignatureView(BaseModel):
    """Who signed, in what part and role."""

    person: str
    part: Signing
    role: str
    registration: str | None


class PostingView(BaseModel):
    """Units that an account got (positive) or gave."""

    account: AccountKind
    of: str
    medicine: str
    batch: str
    own_of: str | None
    quantity: int


class EntryView(BaseModel):
    """An entry; ``canonical`` is the text whose leaf hash ``hash`` is. ``id`` is its index as text."""

    id: str
    index: int
    kind: EntryKind
    place: str
    occurred_at: datetime
    recorded_at: datetime
    is_late: bool
    delivery: str | None
    line: str | None
    corrects: int | None
    reason: str
    facts: dict[str, str]
    postings: list[PostingView]
    opens: list[str]
    resolves: list[str]
    signatures: list[SignatureView]
    previous_hash: str
    hash: str
    canonical: str


class EntriesView(BaseModel):
    """A page of entries; ``next`` is what to ask for as ``after``."""

    entries: list[EntryView]
    size: int
    next: int | None


class LedgerHeadView(BaseModel):
    """The newest head, and how much of the ledger a second keeper has.

    ``checkpoint`` is the signed head, null while nothing was entered. ``unwitnessed`` counts the entries that no second
    keeper knows of, the oldest recorded at ``unwitnessed_since``. ``sentence`` says what is wrong, if anything.
    """

    origin: str
    is_simulation: bool
    mode: LedgerMode
    size: int
    root: str
    checkpoint: str | None
    witnessing: Witnessing
    witnessed: int
    unwitnessed: int
    unwitnessed_since: datetime | None
    sentence: str


class InclusionView(BaseModel):
    """The proof, in hex, from the leaf to the root (RFC 9162, section 2.1.3)."""

    entry: int
    size: int
    leaf: str
    proof: list[str]
    root: str


class ConsistencyView(BaseModel):
    """The proof, in hex (RFC 9162, section 2.1.4)."""

    old: int
    new: int
    old_root: str
    new_root: str
    proof: list[str]


def entry_view(entry: Entry) -> EntryView:
    """Return an entry as shown."""
    draft = entry.draft
    canonical = entry_bytes(draft, index=entry.index, recorded_at=entry.recorded_at, previous=entry.previous_hash)
    return EntryView(
        id=str(entry.index),
        index=entry.index,
        kind=draft.kind,
        place=draft.place,
        occurred_at=draft.occurred_at,
        recorded_at=entry.recorded_at,
        is_late=is_late(entry),
        delivery=draft.delivery,
        line=draft.line,
        corrects=draft.corrects,
        reason=draft.reason,
        facts=dict(draft.facts),
        postings=[_posting_view(posting) for posting in draft.postings],
        opens=list(draft.opens),
        resolves=list(draft.resolves),
        signatures=[_signature_view(signature) for signature in draft.signatures],
        previous_hash=entry.previous_hash,
        hash=entry.hash,
        canonical=canonical.decode(),
    )


def _posting_view(posting: Posting) -> PostingView:
    return PostingView(
        account=posting.account.kind,
        of=posting.account.of,
        medicine=posting.stock.medicine,
        batch=posting.stock.batch,
        own_of=posting.stock.own_of,
        quantity=posting.quantity,
    )


def _signature_view(signature: Signature) -> SignatureView:
    return SignatureView(
        person=signature.person, part=signature.part, role=signature.role, registration=signature.registration
    )


def head_view(
    head: Checkpoint, standing: LedgerStanding, *, checkpoint: str | None, mode: LedgerMode, first: datetime | None
) -> LedgerHeadView:
    """Return the head as shown; ``first`` is when the oldest entry without a second keeper was recorded."""
    origin: LedgerOrigin = head.origin
    return LedgerHeadView(
        origin=origin.line,
        is_simulation=origin.is_simulation,
        mode=mode,
        size=head.size,
        root=head.root.hex(),
        checkpoint=checkpoint,
        witnessing=standing.witnessing,
        witnessed=standing.witnessed,
        unwitnessed=head.size - standing.witnessed,
        unwitnessed_since=first,
        sentence=standing.sentence,
    )
