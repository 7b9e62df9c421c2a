"""Counting and sealing: what a count and a seal must look like, and whether they agree with what went before."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.delivery.errors import (
    CountUnfinishedError,
    LinesMismatchError,
    LoadedCountDiffersError,
    SealMismatchError,
)
from orchestrator.domain.delivery.model import Delivery, DeliveryState, Line, LineCount, Tote
from orchestrator.domain.errors import InvalidInputError

SEAL_LENGTH_MAX = 64
COUNT_MAX = 1_000_000


def check_seal_form(seal_number: str, *, act: str) -> None:
    """Refuse a seal number that nobody could have read off a seal.

    Raises
    ------
    InvalidInputError
        It is not 1 to 64 printable characters without blanks around them.
    """
    if 1 <= len(seal_number) <= SEAL_LENGTH_MAX and seal_number.isprintable() and seal_number == seal_number.strip():
        return
    raise InvalidInputError(
        f"{act} was refused: the seal number is empty, too long or not printable; expected 1 to {SEAL_LENGTH_MAX} "
        "printable characters without blanks around them. Read it off the seal again.",
        detail={"field": "seal_number", "length_max": SEAL_LENGTH_MAX},
    )


def is_same_seal(tote: Tote, seal_number: str) -> bool:
    """Whether a seal is the one that was put on."""
    return (tote.seal_number or "") == seal_number


def seal_mismatch(delivery: Delivery, tote: Tote) -> SealMismatchError:
    """Return the refusal of a seal that is not the one put on. The right number is never told."""
    return SealMismatchError(
        f"The receipt was refused: the seal number entered for tote {tote.id} is not that of delivery {delivery.id}; "
        "expected the number put on at loading. Read it again; if it still differs, leave the bag unopened and cancel, "
        "so that it returns.",
        detail={"delivery": delivery.id, "tote": tote.id},
    )


def check_counted_lines(
    delivery: Delivery, counts: Sequence[LineCount], *, act: str, lines: Sequence[Line] | None = None
) -> None:
    """Refuse counts that do not name every line of the delivery, or every one of ``lines``, exactly once.

    Raises
    ------
    LinesMismatchError
        A line is missing, named twice or not of this delivery.
    InvalidInputError
        A count is negative or beyond what a drawer could hold.
    """
    counted = [count.line for count in counts]
    expected = [line.id for line in (delivery.lines if lines is None else lines)]
    if sorted(counted) != sorted(expected):
        raise LinesMismatchError(
            f"{act} was refused: the counts do not name each line of delivery {delivery.id} exactly once. "
            "Count every line, the empty ones as 0.",
            detail={
                "delivery": delivery.id,
                "field": "counts",
                "missing": [line for line in expected if line not in counted],
                "unknown": [line for line in counted if line not in expected],
                "repeated": sorted({line for line in counted if counted.count(line) > 1}),
            },
        )
    for number, count in enumerate(counts):
        if not 0 <= count.quantity <= COUNT_MAX:
            raise InvalidInputError(
                f"{act} was refused: counts[{number}].quantity is out of range; expected 0 to {COUNT_MAX}. "
                "Count again.",
                detail={"field": f"counts[{number}].quantity", "minimum": 0, "maximum": COUNT_MAX},
            )


def check_loaded_as_asked(delivery: Delivery, counts: Sequence[LineCount], *, act: str) -> None:
    """Refuse to pick, check or seal what is not what was asked for; ``act`` is what is refused, `The loading`.

    Raises
    ------
    LoadedCountDiffersError
        A count differs; names the lines, not the quantities.
    """
    differing = lines_that_differ(counts, [LineCount(line.id, line.quantity) for line in delivery.lines])
    if not differing:
        return
    raise LoadedCountDiffersError(
        f"{act} was refused: {len(differing)} of the lines of delivery {delivery.id} are counted differently "
        "from what was asked for. Correct what is in the tote, or cancel and queue what there is.",
        detail={"delivery": delivery.id, "lines": list(differing)},
    )


def lines_that_differ(counts: Sequence[LineCount], others: Sequence[LineCount]) -> tuple[str, ...]:
    """Return the ids of the lines whose two counts are not equal, in the order of ``counts``."""
    other = {count.line: count.quantity for count in others}
    return tuple(count.line for count in counts if other.get(count.line) != count.quantity)


def is_being_counted(delivery: Delivery) -> bool:
    """Whether people at the ward have opened it and are to count a line once more."""
    is_open = any(delivery.custody.ended(first.line) is None for first in delivery.custody.first_counts)
    return is_open and delivery.state is DeliveryState.ARRIVED


def require_count_finished(delivery: Delivery, *, act: str) -> None:
    """Refuse to let a delivery go that was opened and is being counted: its old seal says nothing any more.

    Raises
    ------
    CountUnfinishedError
        A second count is still to come.
    """
    if not is_being_counted(delivery):
        return
    raise CountUnfinishedError(
        f"{act} was refused: delivery {delivery.id} was opened, and its lines are to be counted once more; expected "
        "the second count first. Count again and confirm the receipt; lines that nobody wants go back by it, named in "
        "refused, under a new seal.",
        detail={"delivery": delivery.id},
    )
