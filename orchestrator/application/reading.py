"""What people found when they opened something: seals as read, counts, and what was not as it should be."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.delivery.model import LineCount, LineId
from orchestrator.domain.delivery.seals import SealRead


@dataclass(frozen=True, slots=True)
class Reading:
    """What people found: the seals as read, whether one was broken, and a count of each line of what they opened.

    The seal is that of the only tote still to be handed over; of several each is named in ``totes``. ``refused`` are
    lines that people do not take and that go back under ``new_seal``; ``wrong`` are lines that hold something else than
    they should. ``emergency`` is why one person opens alone what takes two. ``is_return`` says whether what a person
    brought is taken back, and not in; it has to where those there may do either.
    """

    seal_number: str | None
    counts: tuple[LineCount, ...]
    is_seal_broken: bool = False
    refused: tuple[LineId, ...] = ()
    wrong: tuple[LineId, ...] = ()
    new_seal: str | None = None
    emergency: str | None = None
    totes: tuple[SealRead, ...] = ()
    is_return: bool | None = None
