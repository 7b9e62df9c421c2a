"""Recalls of a medicine, or of some batches of it, and what every place said it found.

A recall is told by the maker or the regulator (National Patient Safety Alert, or class 2 to 4 by the MHRA). While it
stands, no recalled batch is picked, loaded or handed over. It ends when somebody says so; what was said stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError
from orchestrator.domain.medicine.batch import is_same_batch
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.site.model import PlaceId

RecallId = NewType("RecallId", str)

BATCHES_MAX = 1_000
BATCH_LENGTH_MAX = 64


class UnknownRecallError(NotFoundError):
    """No recall has this id."""

    code = "recall_unknown"


class RecallInvalidError(InvalidInputError):
    """A recall cannot be kept as it was asked for."""

    code = "recall_invalid"


class RecallNotForPlaceError(ConflictError):
    """A place acknowledges a recall that does not ask it, or that it acknowledged before, or that has ended."""

    code = "recall_not_for_place"


class RecallClass(StrEnum):
    """How soon it has to be acted on: at once (NatPSA), within 48 h, within 5 days, caution in use."""

    PATIENT_SAFETY_ALERT = "patient_safety_alert"
    CLASS_TWO = "class_two"
    CLASS_THREE = "class_three"
    CLASS_FOUR = "class_four"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A place's word that it looked for what is recalled: who, when, and how many units it set apart."""

    place: PlaceId
    by: str
    at: datetime
    set_apart: int


@dataclass(frozen=True, slots=True)
class Recall:
    """A recall.

    ``batches`` are those recalled; none means every batch. ``places`` are those asked to look and say so.
    """

    id: RecallId
    medicine: MedicineCode
    batches: frozenset[str]
    recall_class: RecallClass
    reference: str
    reason: str
    raised_by: str
    raised_at: datetime
    places: tuple[PlaceId, ...]
    acknowledgements: tuple[Acknowledgement, ...] = ()
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def is_standing(self) -> bool:
        """Whether it is in force."""
        return self.ended_at is None

    @property
    def outstanding(self) -> tuple[PlaceId, ...]:
        """The places that have not said yet that they looked."""
        said = {acknowledgement.place for acknowledgement in self.acknowledgements}
        return tuple(place for place in self.places if place not in said)

    def covers(self, medicine: str, batch: str | None) -> bool:
        """Whether it recalls a batch of a medicine now; a batch that nobody read is none that is named."""
        return self.is_standing and self.names(medicine, batch)

    def names(self, medicine: str, batch: str | None) -> bool:
        """Whether a batch of a medicine is what it recalls, or recalled until it ended, however that is spelt."""
        if medicine != self.medicine or not self.batches:
            return medicine == self.medicine
        return batch is not None and any(is_same_batch(batch, recalled) for recalled in self.batches)

    def acknowledged(self, acknowledgement: Acknowledgement) -> Recall:
        """Return it with what a place said.

        Raises
        ------
        RecallNotForPlaceError
            It does not ask that place, or the place has said so, or it has ended.
        RecallInvalidError
            A number of units below zero was set apart.
        """
        if not self.is_standing or acknowledgement.place not in self.outstanding:
            raise RecallNotForPlaceError(
                "The acknowledgement was refused: the recall has ended, does not ask this place, or was acknowledged "
                "by it; expected a place that it still waits for. Look at the recall.",
                detail={"recall": self.id, "outstanding": list(self.outstanding)},
            )
        if acknowledgement.set_apart < 0:
            raise RecallInvalidError(
                "The acknowledgement was refused: fewer than no units were set apart; expected 0 or more. Count again.",
                detail={"field": "set_apart"},
            )
        return replace(self, acknowledgements=(*self.acknowledgements, acknowledgement))

    def ended(self, *, at: datetime, by: str) -> Recall:
        """Return it as no longer in force; one that has ended stays as it is."""
        return self if self.ended_at is not None else replace(self, ended_at=at, ended_by=by)


def check_batches(batches: Collection[str]) -> None:
    """Refuse batches that no pack can have.

    Raises
    ------
    RecallInvalidError
        One is empty, too long or not printable, or there are too many.
    """
    is_fine = all(
        batch.strip() == batch != "" and len(batch) <= BATCH_LENGTH_MAX and batch.isprintable() for batch in batches
    )
    if not is_fine or len(batches) > BATCHES_MAX:
        raise RecallInvalidError(
            f"The recall was refused: a batch is empty, too long or not printable, or more than {BATCHES_MAX}; "
            "expected them as on the packs, or none for every batch. Correct them.",
            detail={"field": "batches"},
        )
