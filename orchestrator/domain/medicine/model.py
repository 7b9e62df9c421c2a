"""A medicine as the catalogue knows it: what it is, how it is counted, stored and handled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.check_digits import is_gtin
from orchestrator.domain.medicine.handling import HandlingClass, strictest
from orchestrator.domain.medicine.schedule import Schedule

MedicineCode = NewType("MedicineCode", str)
"""A dm+d code as text: up to 18 digits, which a float, or a spreadsheet, would round."""

CODE_LENGTH_MIN = 6
CODE_LENGTH_MAX = 18
TEXT_LENGTH_MAX = 200
PACK_SIZE_MAX = 100_000
OUT_OF_FRIDGE_MAX_MIN = 30 * 24 * 60


class MedicineInvalidError(InvalidInputError):
    """A medicine is not what the catalogue can keep."""

    code = "medicine_invalid"


class ClassLoweredError(InvalidInputError):
    """A medicine would be handled less strictly than its schedule, or its class up to now, asks for."""

    code = "class_lowered"


class StorageKind(StrEnum):
    """Where a medicine is kept."""

    ROOM = "room"
    FRIDGE = "fridge"


@dataclass(frozen=True, slots=True)
class Storage:
    """Where a medicine is kept, and for how many minutes it may be out of the fridge in all; None for room storage."""

    kind: StorageKind = StorageKind.ROOM
    out_of_fridge_min: int | None = None


class NeverByRobot(StrEnum):
    """Why a medicine never rides."""

    INTRATHECAL = "intrathecal"
    CYTOTOXIC = "cytotoxic"
    SCHEDULE_ONE = "schedule_one"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine of one form and strength.

    Parameters
    ----------
    code : MedicineCode
        dm+d code (VMP) as text.
    name, form, strength, unit : str
        As on the head of a register page; ``unit`` is the smallest that is counted.
    pack_size : int or None
        Units in an unopened pack; None when it is not known.
    drug_class : str
        The class of the register: salts and stereoisomers go with their drug (regulation 19).
    schedule : Schedule or None
        None while nobody has said; then it is handled as the strictest.
    handle_as : HandlingClass or None
        What the place decided; never less strict than the schedule asks for.
    storage : Storage
        Where it is kept.
    never_by_robot : NeverByRobot or None
        Why it never rides.
    gtins : tuple of str
        Trade item numbers of its packs, 14 digits each.
    is_test_data : bool
        Whether it is made up; such an entry never enters the books of a real fleet.
    """

    code: MedicineCode
    name: str
    form: str
    strength: str
    unit: str
    drug_class: str
    schedule: Schedule | None
    pack_size: int | None = None
    handle_as: HandlingClass | None = None
    storage: Storage = Storage()
    never_by_robot: NeverByRobot | None = None
    gtins: tuple[str, ...] = ()
    is_test_data: bool = False

    @property
    def title(self) -> str:
        """Its name, strength and form, each once: which medicine it is, wherever people have only a line to read."""
        said = self.name
        for more in (self.strength, self.form):
            if more.lower() not in said.lower():
                said = f"{said} {more}"
        return said

    def is_counted_in(self, unit: str) -> bool:
        """Whether a unit is the one in which it is counted, as people write it: also of more than one."""
        return unit.strip().lower() in (self.unit.lower(), f"{self.unit.lower()}s", f"{self.unit.lower()}es")

    @property
    def is_classified(self) -> bool:
        """Whether its schedule is known."""
        return self.schedule is not None

    @property
    def handling_class(self) -> HandlingClass:
        """The strictest of what its schedule and this place ask for; controlled while the schedule is not known."""
        if self.schedule is None:
            return HandlingClass.CONTROLLED
        return strictest(self.schedule.handling_class, *(() if self.handle_as is None else (self.handle_as,)))

    @property
    def why_never_by_robot(self) -> NeverByRobot | None:
        """Why it never rides, or None when it may."""
        return NeverByRobot.SCHEDULE_ONE if self.schedule is Schedule.ONE else self.never_by_robot

    @property
    def is_never_by_robot(self) -> bool:
        """Whether it never rides."""
        return self.why_never_by_robot is not None


@dataclass(frozen=True, slots=True)
class Classification:
    """What a person said of a medicine, kept for good: who, when, which schedule and class, and why."""

    code: MedicineCode
    at: datetime
    by: str
    schedule: Schedule
    handle_as: HandlingClass | None
    reason: str


def unknown_medicine(code: str) -> Medicine:
    """Return what is known of a code that no catalogue has: nothing, so it is handled as the strictest."""
    return Medicine(
        code=MedicineCode(code), name=code, form="", strength="", unit="", drug_class="", schedule=None, pack_size=None
    )


def require_code(code: str) -> MedicineCode:
    """Return a dm+d code; anything else is refused.

    Raises
    ------
    MedicineInvalidError
        It is not 6 to 18 ASCII digits without a leading zero.
    """
    is_digits = code.isascii() and code.isdigit() and not code.startswith("0")
    if is_digits and CODE_LENGTH_MIN <= len(code) <= CODE_LENGTH_MAX:
        return MedicineCode(code)
    raise _invalid("code", f"a dm+d code of {CODE_LENGTH_MIN} to {CODE_LENGTH_MAX} digits as text", "Copy it as text.")


def check_medicine(medicine: Medicine) -> None:
    """Refuse a medicine that the catalogue cannot keep.

    Raises
    ------
    MedicineInvalidError
        A field is outside what it may hold; the detail names it.
    ClassLoweredError
        It would be handled less strictly than its schedule asks for.
    """
    require_code(medicine.code)
    for field in ("name", "form", "strength", "unit", "drug_class"):
        text: str = getattr(medicine, field)
        if not (text.strip() and text == text.strip() and len(text) <= TEXT_LENGTH_MAX and text.isprintable()):
            raise _invalid(field, f"1 to {TEXT_LENGTH_MAX} printable characters without spaces around", "Correct it.")
    if medicine.pack_size is not None and not 1 <= medicine.pack_size <= PACK_SIZE_MAX:
        raise _invalid("pack_size", f"1 to {PACK_SIZE_MAX} units, or none when not known", "Correct it.")
    _check_storage(medicine.storage)
    for gtin in medicine.gtins:
        if not is_gtin(gtin):
            raise _invalid("gtins", "14 digits with a right check digit each", "Scan the pack, or correct the digits.")
    if len(set(medicine.gtins)) != len(medicine.gtins):
        raise _invalid("gtins", "each trade item number once", "Remove the second.")
    if medicine.handle_as is not None and medicine.schedule is not None:
        require_not_lower(medicine.handle_as, medicine.schedule.handling_class)


def _check_storage(storage: Storage) -> None:
    minutes = storage.out_of_fridge_min
    if storage.kind is StorageKind.ROOM and minutes is not None:
        raise _invalid("out_of_fridge_min", "none for what is kept at room temperature", "Leave it out.")
    if storage.kind is StorageKind.FRIDGE and (minutes is None or not 1 <= minutes <= OUT_OF_FRIDGE_MAX_MIN):
        raise _invalid(
            "out_of_fridge_min", f"1 to {OUT_OF_FRIDGE_MAX_MIN} minutes for a fridge item", "Take the maker's figure."
        )


def require_not_lower(wanted: HandlingClass, least: HandlingClass) -> None:
    """Refuse a handling class that is less strict than another.

    Raises
    ------
    ClassLoweredError
        It is.
    """
    if wanted.strictness < least.strictness:
        raise ClassLoweredError(
            f"The handling class {wanted} was refused: at least {least} is asked for; a place may only be stricter. "
            "Raise it, or leave it out.",
            detail={"field": "handle_as", "asked": wanted.value, "least": least.value},
        )


def _invalid(field: str, expected: str, remedy: str) -> MedicineInvalidError:
    return MedicineInvalidError(
        f"The medicine was refused: {field} is not as expected; expected {expected}. {remedy}", detail={"field": field}
    )
