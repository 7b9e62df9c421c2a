"""What a first reading leaves behind, whatever people say when they are asked to look once more.

A count may be mistyped and a number misread, so both are asked for again. That a seal was broken, that something else
lay in a bag, and that one person opened it alone are no such slips: once said, they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.reading import Reading
from orchestrator.application.receiving import Received, kept_apart
from orchestrator.application.recorded_acts import is_standing, open_incident
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.counting import lines_that_differ
from orchestrator.domain.delivery.counts import FirstCount
from orchestrator.domain.delivery.model import Delivery, LineCount
from orchestrator.domain.delivery.seals import Seals
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import PlaceId

COUNT_AGAIN = Reason("count_again", "Count each line once more, together; both counts are kept.")


def found_kept(uow: UnitOfWork, handover: Received, reading: Reading, seals: Seals) -> Delivery:
    """Return the delivery with what people found on record, and open the incidents of it, each once.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    handover : Received
        The delivery as it stands, and who is there.
    reading : Reading
        What they say.
    seals : Seals
        What follows from the seals.
    """
    before = handover.delivery
    known = before.custody
    broken = tuple(tote.id for tote in seals.broken if tote.id not in known.broken_seals)
    for tote in broken:
        sentence = f"The seal of tote {tote} was broken; the contents are counted before a witness."
        kept_apart(uow, handover, IncidentKind.SEAL_BROKEN, sentence)
    is_alone = reading.emergency is not None and bool(seals.opened)
    if is_alone:
        _note_alone(uow, handover)
    wrong = tuple(line for line in reading.wrong if line not in known.found_wrong)
    custody = replace(
        known,
        broken_seals=(*known.broken_seals, *broken),
        found_wrong=(*known.found_wrong, *wrong),
        opened_by_emergency=known.opened_by_emergency or (reading.emergency if is_alone else None),
    )
    return replace(before, custody=custody)


def is_to_be_counted_again(
    delivery: Delivery, counts: Sequence[LineCount], premises: Premises, *, place: PlaceId
) -> bool:
    """Whether a line that is counted blind differs for the first time at this place."""
    if not premises.rule(delivery.handling_class).is_count_blind:
        return False
    counted_before = {first.line for first in delivery.custody.first_counts if first.is_of(place)}
    return any(line not in counted_before for line in counted_otherwise(delivery, counts))


def counted_first(delivery: Delivery, counts: Sequence[LineCount], *, place: PlaceId) -> Delivery:
    """Return the delivery with the counts kept as the first ones at this place; it waits for the second."""
    kept = delivery.custody.first_counts
    known = {first.line for first in kept if first.is_of(place)}
    news = (FirstCount(count.line, count.quantity, place) for count in counts if count.line not in known)
    return replace(delivery, custody=replace(delivery.custody, first_counts=(*kept, *news)), waiting=(COUNT_AGAIN,))


def counted_otherwise(delivery: Delivery, counts: Sequence[LineCount]) -> tuple[str, ...]:
    """Return the lines counted otherwise than sealed; what a runner took unsealed is compared with what was asked."""
    asked = [LineCount(line.id, line.quantity) for line in delivery.lines]
    return lines_that_differ(counts, asked if delivery.loading is None else delivery.loading.counts)


def _note_alone(uow: UnitOfWork, handover: Received) -> None:
    # Where its drawer was granted to one person alone, that was the incident already.
    if is_standing(uow, handover.delivery.id, IncidentKind.BREAK_GLASS):
        return
    open_incident(
        uow,
        handover.delivery,
        IncidentKind.BREAK_GLASS,
        "Opened by one person alone in an emergency; a second person was not there.",
        at=handover.at,
        ids=handover.ids,
        place=handover.place,
        caused_by=handover.present.ids,
    )
