"""A dose that is a part of what was taken out of the cupboard: what was given and what was wasted are the whole.

An ampoule is counted as one; what it holds is measured. So where medicines are counted in pieces the parts stand
beside the entry, and where they are counted in what is measured (1 mg, 1 ml) the units themselves part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.model import Medicine

_LEADING = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-zA-Z]+)", re.ASCII)


class PartDoseError(InvalidInputError):
    """What was given and wasted is not what was taken out."""

    code = "part_dose"


@dataclass(frozen=True, slots=True)
class PartDose:
    """What was given and what was wasted, in ``unit`` (such as mg), of so many pieces that hold ``whole`` each.

    ``whole`` is None where the medicine is counted in that unit itself.
    """

    given: Decimal
    wasted: Decimal
    unit: str
    whole: Decimal | None = None

    def check(self, quantity: int, medicine: Medicine) -> None:
        """Refuse parts that are not the whole of ``quantity`` units, or that nobody could have measured.

        Raises
        ------
        PartDoseError
            The sum is another, nothing was wasted, or the unit is not the medicine's.
        """
        if self.given < 0 or self.wasted <= 0:
            raise _refused("nothing of it was wasted", "something that was not given", "Leave the part out.")
        if self.whole is None:
            self._check_units(medicine)
        else:
            self._check_strength(self.whole, medicine)
        total = (Decimal(1) if self.whole is None else self.whole) * quantity
        if self.given + self.wasted != total:
            raise _refused(
                f"{text_of(self.given)} given and {text_of(self.wasted)} wasted are not {text_of(total)} {self.unit}",
                "the two to be all that was taken out",
                "Read the syringe and the ampoule again; if something is missing, report it.",
            )

    def _check_units(self, medicine: Medicine) -> None:
        if self.unit != medicine.unit:
            raise _refused(
                f"the medicine is counted by {medicine.unit or 'a unit that nobody has said'}, not by {self.unit}",
                f"in whole how much {self.unit} each of them holds",
                "Say it.",
            )
        if any(part != part.to_integral_value() for part in (self.given, self.wasted)):
            raise _refused(
                f"a part of it is no whole number of {self.unit}", "the smallest unit that is counted", "Measure again."
            )

    def _check_strength(self, whole: Decimal, medicine: Medicine) -> None:
        """What a piece holds is the strength, or a multiple of it where that is stated for each millilitre."""
        if whole <= 0:
            raise _refused("a whole of it holds nothing", "what each of them holds", "Read the label.")
        if (found := _LEADING.match(medicine.strength)) is None:
            return
        strength, unit = Decimal(found[1]), found[2]
        if unit != self.unit or (strength and whole % strength):
            raise _refused(
                f"{text_of(whole)} {self.unit} is not what a {medicine.unit} of {medicine.strength} holds",
                f"an amount in {unit} that fits its strength",
                "Read the label.",
            )

    def units_wasted(self, quantity: int) -> int:
        """Return how many of the units that are counted were wasted whole; a piece of which some was given was not."""
        if self.whole is None:
            return int(self.wasted)
        return quantity if not self.given else 0

    def facts(self) -> Mapping[str, str]:
        """Return what the register says of it."""
        facts = {"given": f"{text_of(self.given)} {self.unit}", "wasted": f"{text_of(self.wasted)} {self.unit}"}
        return facts if self.whole is None else {**facts, "whole": f"{text_of(self.whole)} {self.unit}"}


def text_of(amount: Decimal) -> str:
    """Return an amount without zeros at its end."""
    return format(amount.normalize(), "f")


def _refused(found: str, expected: str, remedy: str) -> PartDoseError:
    return PartDoseError(
        f"The supply was refused: {found}; expected {expected}. {remedy}", detail={"field": "part_dose"}
    )
