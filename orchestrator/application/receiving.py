"""What becomes of seals and lines at a handover: taken in, set apart, or back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.recorded_acts import (
    is_for_officer,
    is_on_ledger,
    open_incident,
    open_lines,
    quantity_in,
    record_event,
    settle,
)
from orchestrator.domain.custody.balances import comes_late
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.people import Present
from orchestrator.domain.delivery.custody_record import LineEnd, SettledLine
from orchestrator.domain.delivery.model import Delivery, Line, LineCount, LineId, Tote
from orchestrator.domain.delivery.paper import PaperForm
from orchestrator.domain.delivery.seals import Seals
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import PlaceId

SEAL_AGAIN = Reason(
    "seal_again", "A number read is not that of the seal; read the seals once more and enter them again."
)
SEAL_DIFFERS = Reason(
    "seal_differs", "The seal is not the one that was put on. The bag stays unopened and is set apart at the pharmacy."
)


RECEIVED_ON_PAPER = "received_on_paper"


@dataclass(frozen=True, slots=True)
class Received:
    """A handover: the delivery as it stands, when and where, who is there, and whether it comes back.

    ``paper`` is the form on which it was signed before, ``at`` when that is entered. ``before`` is the delivery as it
    stays while nothing was received yet, where that is not as ``delivery`` says: what a paper takes out of a robot.
    """

    delivery: Delivery
    at: datetime
    place: PlaceId
    present: Present
    ids: Ids
    is_return: bool
    paper: PaperForm | None = None
    before: Delivery | None = None


def entered_late(handover: Received) -> Reason | None:
    """Return that it was signed on paper before. Whoever enters a count has seen it, so none of these was blind."""
    paper = handover.paper
    if paper is None:
        return None
    late = " Entered later than the day after." if comes_late(paper.occurred_at, at=handover.at) else ""
    sentence = f"Received on paper {paper.reference}: {paper.reason}. Entered afterwards; not counted blind.{late}"
    return Reason(RECEIVED_ON_PAPER, sentence)


def seals_noted(uow: UnitOfWork, handover: Received, seals: Seals) -> Delivery:
    """Return the delivery with the seals as they were read; of each that differs an entry is written.

    One that differs for the second time is an incident: its tote stays unopened.
    """
    before = handover.delivery
    for tote in seals.differing:
        facts = {"tote": tote.id}
        record_event(
            uow,
            before,
            "seal_differed",
            at=handover.at,
            place=handover.place,
            present=handover.present,
            reason="seal",
            facts=facts if handover.paper is None else {**facts, **handover.paper.facts},
            occurred_at=None if handover.paper is None else handover.paper.occurred_at,
        )
        if tote in seals.unopened:
            sentence = f"The seal of tote {tote.id} is not the one that was put on; it stays unopened and is set apart."
            kept_apart(uow, handover, IncidentKind.SEAL_DIFFERS, sentence)
    return replace(before, totes=tuple(_as_read(tote, seals) for tote in before.totes))


def unopened_set_apart(uow: UnitOfWork, handover: Received, totes: Collection[Tote]) -> Delivery:
    """Return the delivery with the lines of totes set apart, unopened, where they are."""
    delivery = handover.delivery
    for line in open_lines(delivery):
        if not any(line.id in tote.lines for tote in totes):
            continue
        settled = SettledLine(line.id, LineEnd.QUARANTINED, line.quantity, handover.at, SEAL_DIFFERS.code)
        delivery = settle(
            uow,
            delivery,
            settled,
            place=handover.place,
            present=handover.present,
            is_counted=False,
            paper=handover.paper,
        )
    return delivery


def _as_read(tote: Tote, seals: Seals) -> Tote:
    read = seals.read(tote.id)
    if read is None:
        return tote
    differed = tote.seal_differed + (tote in seals.differing)
    return replace(tote, seal_read=read.seal_number, seal_differed=differed)


def settled_lines(
    uow: UnitOfWork,
    handover: Received,
    lines: Collection[Line],
    counts: tuple[LineCount, ...],
    *,
    refused: Collection[LineId],
    wrong: Collection[LineId],
    spoilt: Collection[LineId],
    recalled: Collection[LineId],
) -> Delivery:
    """Return the delivery with each of some lines ended as it was found, but for those refused."""
    delivery = handover.delivery
    for line in lines:
        if line.id in refused:
            continue
        apart = "wrong_contents" if line.id in wrong else "recalled" if line.id in recalled else None
        end, reason = _end_of(line, handover, counts, apart=apart, is_spoilt=line.id in spoilt)
        counted = quantity_in(counts, line)
        settled = SettledLine(line.id, end, counted, handover.at, reason)
        delivery = settle(uow, delivery, settled, place=handover.place, present=handover.present, paper=handover.paper)
        _tell(uow, handover, line, counted=counted, is_wrong=line.id in wrong, is_spoilt=line.id in spoilt)
    return delivery


def kept_apart(
    uow: UnitOfWork, handover: Received, kind: IncidentKind, sentence: str, *, about: Collection[Line] | None = None
) -> None:
    """Open an incident of what is looked into, of some lines if it is known; what is no controlled drug has none."""
    if any(is_for_officer(line) for line in (handover.delivery.lines if about is None else about)):
        open_incident(
            uow,
            handover.delivery,
            kind,
            sentence,
            at=handover.at,
            ids=handover.ids,
            place=handover.place,
            caused_by=handover.present.ids,
            about=about,
        )


def _end_of(
    line: Line, handover: Received, counts: tuple[LineCount, ...], *, apart: str | None, is_spoilt: bool
) -> tuple[LineEnd, str | None]:
    """Return how a line ends, and why; ``apart`` is why it is set apart wherever it is received."""
    is_as_sent = quantity_in(counts, line) == line.quantity
    if apart is not None:
        return LineEnd.QUARANTINED, apart
    if handover.is_return:
        return (LineEnd.RETURNED, None) if is_as_sent else (LineEnd.RETURNED_DIFFERENT, "received_different")
    if is_spoilt:
        return LineEnd.QUARANTINED, "temperature"
    return (LineEnd.RECEIVED, None) if is_as_sent else (LineEnd.RECEIVED_DIFFERENT, "received_different")


def _tell(uow: UnitOfWork, handover: Received, line: Line, *, counted: int, is_wrong: bool, is_spoilt: bool) -> None:
    """Open the incidents of one line: something else was in it, it was warm too long, or its count differs."""
    if not is_for_officer(line):
        return
    apart = "; what was counted was set apart" if is_on_ledger(line) else ""
    found = {
        IncidentKind.WRONG_CONTENTS: "A line holds something else; it was set apart." if is_wrong else None,
        IncidentKind.TEMPERATURE: "A line was outside its temperature; it was set apart." if is_spoilt else None,
        IncidentKind.SHORT: f"A line was counted short{apart}." if counted < line.quantity else None,
        IncidentKind.OVER: f"A line was counted over{apart}." if counted > line.quantity else None,
    }
    for kind, sentence in found.items():
        if sentence is not None:
            kept_apart(uow, handover, kind, sentence, about=(line,))
