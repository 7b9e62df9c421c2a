"""Which lines lie in which tote: at the loading, and when lines go back in a tote of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.delivery.counting import check_seal_form
from orchestrator.domain.delivery.errors import LinesMismatchError
from orchestrator.domain.delivery.model import Delivery, LineId, Tote, ToteId
from orchestrator.domain.errors import InvalidInputError

ACT = "The loading"


@dataclass(frozen=True, slots=True)
class Packed:
    """One tote as it was packed: the number on its seal, and the lines in it."""

    seal_number: str
    lines: tuple[LineId, ...]


def check_one_form(*, has_seal: bool, has_totes: bool, act: str, otherwise: str) -> None:
    """Refuse what says both the one seal and the totes with theirs, or neither.

    Raises
    ------
    InvalidInputError
        It says both, or neither.
    """
    if has_seal != has_totes:
        return
    found = "both seal_number and totes" if has_seal else "neither seal_number nor totes"
    raise InvalidInputError(
        f"{act} was refused: it gives {found}; expected one of them. Give seal_number for one tote, or totes: "
        f"{otherwise}.",
        detail={"field": "totes"},
    )


def packed_totes(
    delivery: Delivery, *, seal_number: str | None, totes: Sequence[Packed], new_id: Callable[[], ToteId]
) -> tuple[Tote, ...]:
    """Return the totes of a delivery as they were sealed: all lines in one, or each line in one of several.

    The first keeps the id of the tote that the delivery had; the others get new ones.

    Parameters
    ----------
    delivery : Delivery
        The delivery, in the one tote it was queued with.
    seal_number : str or None
        The seal of the one tote that holds every line.
    totes : sequence of Packed
        The totes, where they are several.
    new_id : callable
        Gives the id of one more tote.

    Raises
    ------
    InvalidInputError
        Both forms were given or neither, a seal number cannot be one, or two totes carry the same.
    LinesMismatchError
        The totes do not hold each line exactly once, or one of them holds none.
    """
    check_one_form(
        has_seal=seal_number is not None,
        has_totes=bool(totes),
        act=ACT,
        otherwise="each with its seal_number and its lines",
    )
    every_line = tuple(line.id for line in delivery.lines)
    packed = totes or [Packed(seal_number or "", every_line)]
    for tote in packed:
        check_seal_form(tote.seal_number, act=ACT)
    _check_seals_differ(packed)
    _check_lines(delivery, packed, every_line)
    ids = [delivery.totes[0].id, *(new_id() for _ in packed[1:])]
    return tuple(Tote(id_, tote.lines, tote.seal_number) for id_, tote in zip(ids, packed, strict=True))


def repacked(delivery: Delivery, lines: Collection[LineId], tote: ToteId, *, seal_number: str) -> Delivery:
    """Return the delivery with some of its lines in one more tote, under a seal of its own."""
    left = tuple(replace(one, lines=tuple(line for line in one.lines if line not in lines)) for one in delivery.totes)
    moved = tuple(line.id for line in delivery.lines if line.id in lines)
    return replace(delivery, totes=(*left, Tote(tote, moved, seal_number)))


def _check_seals_differ(packed: Sequence[Packed]) -> None:
    seals = [tote.seal_number for tote in packed]
    if len(set(seals)) == len(seals):
        return
    raise InvalidInputError(
        f"{ACT} was refused: two totes are given the same seal number; expected a seal of its own for each. Read the "
        "numbers again.",
        detail={"field": "totes"},
    )


def _check_lines(delivery: Delivery, packed: Sequence[Packed], every_line: Sequence[LineId]) -> None:
    found = [line for tote in packed for line in tote.lines]
    if sorted(found) == sorted(every_line) and all(tote.lines for tote in packed):
        return
    raise LinesMismatchError(
        f"{ACT} was refused: the totes do not hold each line of delivery {delivery.id} exactly once, or one is empty; "
        "expected every line in one tote. Say anew what lies in which.",
        detail={
            "delivery": delivery.id,
            "field": "totes",
            "missing": [line for line in every_line if line not in found],
            "unknown": [line for line in found if line not in every_line],
            "repeated": sorted({line for line in found if found.count(line) > 1}),
        },
    )
