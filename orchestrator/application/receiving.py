"""What becomes of seal and lines at a handover: taken in, set apart, or back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import (
    is_on_ledger,
    open_incident,
    open_lines,
    quantity_in,
    record_event,
    settle,
)
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.counting import is_same_seal, seal_mismatch
from orchestrator.domain.delivery.custody_record import LineEnd, SettledLine
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import Delivery, DeliveryState, Line, LineCount, LineId
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import PlaceId

SEAL_AGAIN = Reason("seal_again", "The number read is not that of the seal; read it once more and enter it again.")
SEAL_DIFFERS = Reason(
    "seal_differs", "The seal is not the one that was put on. The bag stays unopened and is set apart at the pharmacy."
)


@dataclass(frozen=True, slots=True)
class Received:
    """A handover: the delivery as it stands, when and where, who is there, and whether it comes back."""

    delivery: Delivery
    at: datetime
    place: PlaceId
    present: Present
    ids: Ids
    is_return: bool


def seal_read(uow: UnitOfWork, handover: Received, seal_number: str, *, is_broken: bool) -> Delivery | None:
    """Return what becomes of a delivery whose seal was read wrongly or is another; None when the count may go on.

    Ordinary medicines are refused with `SealMismatchError`, and nothing changes. Of all others the number may be
    entered once more; then the bag stays unopened.
    """
    before = handover.delivery
    tote = before.totes[0]
    if before.loading is None or is_broken or is_same_seal(tote, seal_number):
        return None
    if before.handling_class is HandlingClass.ORDINARY:
        raise seal_mismatch(before, tote)
    differed = tote.seal_differed + 1
    noted = replace(before, totes=(replace(tote, seal_read=seal_number, seal_differed=differed),))
    record_event(
        uow, before, "seal_differed", at=handover.at, place=handover.place, present=handover.present, reason="seal"
    )
    if differed == 1:
        return replace(noted, waiting=(SEAL_AGAIN,))
    kept_apart(uow, handover, IncidentKind.SEAL_DIFFERS, SEAL_DIFFERS.sentence)
    if handover.is_return or before.state is DeliveryState.HANDED_TO_RUNNER:
        return _unopened(uow, handover, noted)
    return moved(noted, DeliveryState.RETURNING, at=handover.at, cause=handover.present.actor, reason=SEAL_DIFFERS)


def settled_lines(
    uow: UnitOfWork,
    handover: Received,
    counts: tuple[LineCount, ...],
    *,
    refused: Collection[LineId],
    wrong: Collection[LineId],
    spoilt: Collection[LineId],
) -> Delivery:
    """Return the delivery with each line ended as it was found, but for those refused."""
    delivery = handover.delivery
    for line in open_lines(delivery):
        if line.id in refused:
            continue
        end, reason = _end_of(line, handover, counts, is_wrong=line.id in wrong, is_spoilt=line.id in spoilt)
        counted = quantity_in(counts, line)
        settled = SettledLine(line.id, end, counted, handover.at, reason)
        delivery = settle(uow, delivery, settled, place=handover.place, present=handover.present)
        _tell(uow, handover, line, counted=counted, is_wrong=line.id in wrong, is_spoilt=line.id in spoilt)
    return delivery


def kept_apart(uow: UnitOfWork, handover: Received, kind: IncidentKind, sentence: str) -> None:
    """Open an incident of what is looked into; ordinary medicines have none."""
    if any(is_on_ledger(line) for line in handover.delivery.lines):
        open_incident(
            uow,
            handover.delivery,
            kind,
            sentence,
            at=handover.at,
            ids=handover.ids,
            place=handover.place,
            caused_by=handover.present.ids,
        )


def _end_of(
    line: Line, handover: Received, counts: tuple[LineCount, ...], *, is_wrong: bool, is_spoilt: bool
) -> tuple[LineEnd, str | None]:
    is_as_sent = quantity_in(counts, line) == line.quantity
    if is_wrong:
        return LineEnd.QUARANTINED, "wrong_contents"
    if handover.is_return:
        return (LineEnd.RETURNED, None) if is_as_sent else (LineEnd.RETURNED_DIFFERENT, "received_different")
    if is_spoilt:
        return LineEnd.QUARANTINED, "temperature"
    return (LineEnd.RECEIVED, None) if is_as_sent else (LineEnd.RECEIVED_DIFFERENT, "received_different")


def _tell(uow: UnitOfWork, handover: Received, line: Line, *, counted: int, is_wrong: bool, is_spoilt: bool) -> None:
    """Open the incidents of one line: something else was in it, it was warm too long, or its count differs."""
    if not is_on_ledger(line):
        return
    if is_wrong:
        kept_apart(uow, handover, IncidentKind.WRONG_CONTENTS, "A line holds something else; it was set apart.")
    if is_spoilt:
        kept_apart(uow, handover, IncidentKind.TEMPERATURE, "A line was outside its temperature; it was set apart.")
    if counted < line.quantity:
        kept_apart(uow, handover, IncidentKind.SHORT, "A line was counted short; what was counted was set apart.")
    if counted > line.quantity:
        kept_apart(uow, handover, IncidentKind.OVER, "A line was counted over; what was counted was set apart.")


def _unopened(uow: UnitOfWork, handover: Received, delivery: Delivery) -> Delivery:
    """Return the delivery set apart unopened where it is."""
    for line in open_lines(delivery):
        settled = SettledLine(line.id, LineEnd.QUARANTINED, line.quantity, handover.at, SEAL_DIFFERS.code)
        delivery = settle(uow, delivery, settled, place=handover.place, present=handover.present, is_counted=False)
    released = replace(delivery, custody=replace(delivery.custody, accountable=None, receivers=handover.present.ids))
    end = DeliveryState.RETURNED if handover.is_return else DeliveryState.INCIDENT
    return moved(released, end, at=handover.at, cause=handover.present.actor, reason=SEAL_DIFFERS)
