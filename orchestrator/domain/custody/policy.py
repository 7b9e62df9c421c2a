"""What a place has decided about custody. A place may tighten what a handling class asks for and never loosen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.custody.contacts import Contacts, Function
from orchestrator.domain.custody.tolerance import NONE, Tolerance, check_tolerance
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.medicine.handling import RULES, HandlingClass, HandlingRule
from orchestrator.domain.retention.schedule import RETENTION, YEARS_MAX, RecordType
from orchestrator.domain.site.model import PlaceId


class LooserThanAllowedError(InvalidInputError):
    """A place asks for less than a handling class has to."""

    code = "custody_policy_looser"


@dataclass(frozen=True, slots=True)
class CustodyPolicy:
    """Decisions of one place about custody.

    Parameters
    ----------
    rules : mapping of HandlingClass to HandlingRule
        What each class asks for; at least `RULES`.
    basis_from : HandlingClass
        The class from which a delivery without a basis of supply is refused.
    may_agency_handle_controlled : bool
        Whether agency staff receive and witness controlled medicines.
    may_break_glass : bool
        Whether one person alone may open a controlled delivery in an emergency; always an incident.
    controlled_quantity_max : int
        Units of a controlled line above which a pharmacist has to say why.
    nobody_answers_s : float
        How long a robot waits for its receiver before the ward, then (twice that) the nurse in charge, then (three
        times) the site manager are told, in seconds.
    return_after_s : float
        How long it waits before it takes a delivery back, in seconds.
    place_unknown_after_s : float
        How long a robot may be silent before its place counts as unknown and security is called, in seconds.
    contacts : mapping of Function to str
        How those whom an alarm calls are reached here.
    is_verified_by_queueing : bool
        Whether a pharmacist who queues has verified by that; for what is ordinary, anybody.
    tolerances : mapping of str to Tolerance
        By the smallest unit of liquids, how far a count may be from the register; nothing is tolerated of others.
    tolerances_at : mapping of PlaceId to such a mapping
        Where a ward or pharmacy tolerates less.
    retention_years : mapping of RecordType to int
        Where records are kept for longer than they have to be, in years; at least those of `RETENTION`.
    """

    rules: Mapping[HandlingClass, HandlingRule] = field(default_factory=lambda: dict(RULES))
    basis_from: HandlingClass = HandlingClass.LOCKED
    may_agency_handle_controlled: bool = False
    may_break_glass: bool = False
    controlled_quantity_max: int = 200
    nobody_answers_s: float = 300.0
    return_after_s: float = 1800.0
    place_unknown_after_s: float = 300.0
    contacts: Contacts = field(default_factory=dict[Function, str])
    is_verified_by_queueing: bool = True
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict[str, Tolerance])
    tolerances_at: Mapping[PlaceId, Mapping[str, Tolerance]] = field(
        default_factory=dict[PlaceId, Mapping[str, Tolerance]]
    )
    retention_years: Mapping[RecordType, int] = field(default_factory=dict[RecordType, int])

    def __post_init__(self) -> None:
        for handling_class, least in RULES.items():
            if not self.rules[handling_class].is_at_least(least):
                raise LooserThanAllowedError(
                    f"The custody policy was refused: it asks for less than class {handling_class.value} has to; "
                    "expected at least as many people and every check. A place may tighten it and never loosen it.",
                    detail={"handling_class": handling_class.value},
                )
        for unit, tolerance in self.tolerances.items():
            check_tolerance(unit, tolerance)
        for place, tolerances in self.tolerances_at.items():
            for unit, tolerance in tolerances.items():
                check_tolerance(unit, tolerance)
                if not tolerance.is_at_most(self.tolerances.get(unit, NONE)):
                    raise LooserThanAllowedError(
                        f"The custody policy was refused: {place} tolerates more of what is counted by {unit} than the "
                        "house does; expected as much or less. A place may tighten it and never loosen it.",
                        detail={"field": "tolerances_at", "place": place},
                    )

        for kind, years in self.retention_years.items():
            if not RETENTION[kind].years <= years <= YEARS_MAX:
                raise LooserThanAllowedError(
                    f"The custody policy was refused: it keeps records of the type {kind.value} for {years} years; "
                    f"expected {RETENTION[kind].years} to {YEARS_MAX}. Keep them for as long as they have to be.",
                    detail={"field": "retention_years", "record_type": kind.value},
                )

    def years_kept(self, kind: RecordType) -> int:
        """Return for how many years a type of record is kept here."""
        return self.retention_years.get(kind, RETENTION[kind].years)

    def tolerance(self, place: PlaceId, unit: str) -> Tolerance:
        """Return how far a count at a place may be from the register, for a medicine counted by a unit."""
        return self.tolerances_at.get(place, {}).get(unit, self.tolerances.get(unit, NONE))

    def rule(self, handling_class: HandlingClass) -> HandlingRule:
        """Return what a class asks for here."""
        return self.rules[handling_class]


SHIPPED = CustodyPolicy()
"""The policy as shipped."""
