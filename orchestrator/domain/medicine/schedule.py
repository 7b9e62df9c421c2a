"""The legal schedule of a medicine, keyed on the dm+d category code, and the handling class it asks for.

The code decides and never its label: public code bases swap the labels of 0008 and 0009. Code table: dm+d release,
CONTROLLED_DRUG_CATEGORY; register and safe custody: Misuse of Drugs Regulations 2001 and Safe Custody Regulations 1973.
"""

from __future__ import annotations

from enum import StrEnum

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.handling import HandlingClass


class CategoryUnknownError(InvalidInputError):
    """A controlled drug category is none of the codes that dm+d has."""

    code = "category_unknown"


class Schedule(StrEnum):
    """Legal schedule; the value is the dm+d category code."""

    NONE = "0000"
    ONE = "0001"
    TWO = "0002"
    TWO_NO_SAFE_CUSTODY = "0003"
    THREE = "0004"
    THREE_NO_SAFE_CUSTODY = "0005"
    THREE_PHENOBARBITAL = "0006"
    THREE_TEMAZEPAM = "0007"
    FOUR_PART_TWO = "0008"
    FOUR_PART_ONE = "0009"
    FIVE = "0010"

    @property
    def label(self) -> str:
        """What the schedule is called on pages and in registers."""
        return _LABELS[self]

    @property
    def number(self) -> int:
        """The number of the schedule, 1 to 5; 0 for what is no controlled drug."""
        return _NUMBERS[self]

    @property
    def strictness(self) -> int:
        """Order of strictness by number; a larger one is stricter, and what is no controlled drug is least."""
        return -self.number if self.number else -len(Schedule)

    @property
    def has_register(self) -> bool:
        """Whether the law asks for a register (regulation 19: schedules 1 and 2)."""
        return self.number in (1, 2)

    @property
    def handling_class(self) -> HandlingClass:
        """The least strict class that the schedule allows."""
        return _CLASSES.get(self, HandlingClass.ORDINARY)


_LABELS = {
    Schedule.NONE: "not a controlled drug",
    Schedule.ONE: "schedule 1",
    Schedule.TWO: "schedule 2",
    Schedule.TWO_NO_SAFE_CUSTODY: "schedule 2, exempt from safe custody",
    Schedule.THREE: "schedule 3",
    Schedule.THREE_NO_SAFE_CUSTODY: "schedule 3, exempt from safe custody",
    Schedule.THREE_PHENOBARBITAL: "schedule 3, phenobarbital",
    Schedule.THREE_TEMAZEPAM: "schedule 3, temazepam",
    Schedule.FOUR_PART_TWO: "schedule 4 part II",
    Schedule.FOUR_PART_ONE: "schedule 4 part I",
    Schedule.FIVE: "schedule 5",
}
_NUMBERS = {
    Schedule.NONE: 0,
    Schedule.ONE: 1,
    Schedule.TWO: 2,
    Schedule.TWO_NO_SAFE_CUSTODY: 2,
    Schedule.THREE: 3,
    Schedule.THREE_NO_SAFE_CUSTODY: 3,
    Schedule.THREE_PHENOBARBITAL: 3,
    Schedule.THREE_TEMAZEPAM: 3,
    Schedule.FOUR_PART_TWO: 4,
    Schedule.FOUR_PART_ONE: 4,
    Schedule.FIVE: 5,
}
_CLASSES = {
    Schedule.ONE: HandlingClass.CONTROLLED,
    Schedule.TWO: HandlingClass.CONTROLLED,
    Schedule.TWO_NO_SAFE_CUSTODY: HandlingClass.CONTROLLED,
    Schedule.THREE: HandlingClass.CONTROLLED,
    Schedule.THREE_NO_SAFE_CUSTODY: HandlingClass.LOCKED,
    Schedule.THREE_PHENOBARBITAL: HandlingClass.LOCKED,
    Schedule.THREE_TEMAZEPAM: HandlingClass.CONTROLLED,
}


def schedule_of_category(category: str) -> Schedule:
    """Return the schedule of a dm+d category code, four digits as text.

    Raises
    ------
    CategoryUnknownError
        It is none that dm+d has; a label, or a number that lost its zeros, is refused too.
    """
    try:
        return Schedule(category)
    except ValueError:
        raise CategoryUnknownError(
            "The controlled drug category was refused: it is no dm+d code; expected 0000 (not a controlled drug) to "
            "0010 (schedule 5), four digits as text. Copy the code of the dm+d release, not its label.",
            detail={"field": "category", "expected": [schedule.value for schedule in Schedule]},
        ) from None
