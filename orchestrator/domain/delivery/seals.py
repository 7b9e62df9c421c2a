"""The seals that people read, tote by tote, and what follows: opened, read once more, or left unopened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.counting import check_seal_form, is_same_seal, seal_mismatch
from orchestrator.domain.delivery.model import Delivery, LineId, Tote, ToteId
from orchestrator.domain.delivery.packing import check_one_form
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.handling import HandlingClass

READS_MAX = 2
"""A number that differs is read once more; when it differs again the tote stays unopened."""


@dataclass(frozen=True, slots=True)
class SealRead:
    """What people found at one tote: the number on its seal, and whether it was broken."""

    tote: ToteId
    seal_number: str
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Seals:
    """What follows for each tote at a handover.

    ``opened`` may be counted. ``differing`` are read as another number than was put on: once, and they are to be read
    ``again``; twice, and they are ``unopened``, as are those that were left so before at this handover.
    """

    reads: tuple[SealRead, ...]
    opened: tuple[Tote, ...]
    differing: tuple[Tote, ...]
    again: tuple[Tote, ...]
    unopened: tuple[Tote, ...]

    @property
    def opened_lines(self) -> tuple[LineId, ...]:
        """The lines in the totes that were opened, ended or not."""
        return tuple(line for tote in self.opened for line in tote.lines)

    def read(self, tote: ToteId) -> SealRead | None:
        """Return what was read at a tote; None where nobody looked."""
        return next((read for read in self.reads if read.tote == tote), None)

    @property
    def broken(self) -> tuple[Tote, ...]:
        """The opened totes whose seal was broken."""
        found = {read.tote for read in self.reads if read.is_broken}
        return tuple(tote for tote in self.opened if tote.id in found)


def seals_named(
    delivery: Delivery,
    *,
    seal_number: str | None,
    totes: Sequence[SealRead],
    is_broken: bool = False,
    may_leave_out: Sequence[Tote] = (),
    act: str,
) -> tuple[SealRead, ...]:
    """Return the seals as read, each with its tote.

    Parameters
    ----------
    delivery : Delivery
        The delivery as it stands.
    seal_number : str or None
        The seal of the only tote with lines that have not ended.
    totes : sequence of SealRead
        The seals of the totes, where they are named.
    is_broken : bool
        Whether the one seal was broken; of several it is said of each.
    may_leave_out : sequence of Tote
        Totes that need not be named.
    act : str
        What is refused, for the sentence.

    Raises
    ------
    InvalidInputError
        Both forms were given or neither; one number for several totes; the totes named are not those with lines that
        have not ended, each once; or a seal number cannot be one.
    """
    check_one_form(
        has_seal=seal_number is not None,
        has_totes=bool(totes),
        act=act,
        otherwise="each with its tote and the seal_number read off it",
    )
    known = delivery.open_totes
    reads = tuple(totes)
    if seal_number is not None:
        reads = tuple(SealRead(tote.id, seal_number, is_broken) for tote in known)
        if len(reads) > 1:
            raise InvalidInputError(
                f"{act} was refused: delivery {delivery.id} lies in {len(known)} totes; expected the seal of each. "
                "Give totes, each with its tote and the seal_number read off it.",
                detail={"delivery": delivery.id, "field": "seal_number", "totes": [tote.id for tote in known]},
            )
    elif is_broken:
        raise InvalidInputError(
            f"{act} was refused: it says that a seal was broken, and not which; expected it with the tote. Say "
            "is_seal_broken of each tote.",
            detail={"delivery": delivery.id, "field": "is_seal_broken"},
        )
    for read in reads:
        check_seal_form(read.seal_number, act=act)
    _check_totes(delivery, reads, may_leave_out=[tote.id for tote in may_leave_out], act=act)
    return reads


def left_unopened(delivery: Delivery, *, is_return: bool) -> tuple[Tote, ...]:
    """Return the totes that stay unopened at a handover, because their seals differed twice before.

    Where the delivery comes back people read the seals anew.
    """
    return () if is_return else tuple(tote for tote in delivery.open_totes if tote.seal_differed >= READS_MAX)


def judged(delivery: Delivery, reads: Sequence[SealRead], *, is_return: bool) -> Seals:
    """Return what follows from the seals that were read.

    What was never sealed has no seal to differ, and a tote whose seal was once found broken has none any more. Of
    ordinary medicines a seal that differs is refused, and nothing changes.

    Raises
    ------
    SealMismatchError
        A seal of ordinary medicines is not the one put on; the message never tells the right one.
    """
    by_tote = {read.tote: read for read in reads}
    kept_shut = left_unopened(delivery, is_return=is_return)
    opened: list[Tote] = []
    differing: list[Tote] = []
    for tote in delivery.open_totes:
        read = by_tote.get(tote.id)
        if read is None or tote in kept_shut:
            continue
        is_broken = read.is_broken or tote.id in delivery.custody.broken_seals
        if delivery.loading is None or is_broken or is_same_seal(tote, read.seal_number):
            opened.append(tote)
        elif delivery.handling_class is HandlingClass.ORDINARY:
            raise seal_mismatch(delivery, tote)
        else:
            differing.append(tote)
    again = tuple(tote for tote in differing if tote.seal_differed + 1 < READS_MAX)
    unopened = tuple(tote for tote in differing if tote not in again)
    return Seals(tuple(reads), tuple(opened), tuple(differing), again, (*kept_shut, *unopened))


def _check_totes(delivery: Delivery, reads: Sequence[SealRead], *, may_leave_out: Sequence[ToteId], act: str) -> None:
    named = [read.tote for read in reads]
    known = [tote.id for tote in delivery.open_totes]
    missing = [tote for tote in known if tote not in named and tote not in may_leave_out]
    unknown = [tote for tote in named if tote not in known]
    repeated = sorted({tote for tote in named if named.count(tote) > 1})
    if not (missing or unknown or repeated):
        return
    raise InvalidInputError(
        f"{act} was refused: it does not name each tote of delivery {delivery.id} that is still to be handed over, "
        "exactly once; expected the seal of every one. Read the seals, and name their totes.",
        detail={
            "delivery": delivery.id,
            "field": "totes",
            "missing": missing,
            "unknown": unknown,
            "repeated": repeated,
        },
    )
