"""Handling classes: how strictly a medicine is handled, at least as strictly as the law asks for its schedule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HandlingClass(StrEnum):
    """How strictly a medicine is handled. A place may raise a medicine's class and never lower it."""

    ORDINARY = "ordinary"
    LOCKED = "locked"
    CONTROLLED = "controlled"

    @property
    def strictness(self) -> int:
        """Order of strictness; a larger number is stricter."""
        return (HandlingClass.ORDINARY, HandlingClass.LOCKED, HandlingClass.CONTROLLED).index(self)


def strictest(*classes: HandlingClass) -> HandlingClass:
    """Return the strictest of some handling classes; of none, the ordinary one."""
    return max(classes, key=lambda handling_class: handling_class.strictness, default=HandlingClass.ORDINARY)


@dataclass(frozen=True, slots=True)
class HandlingRule:
    """What a handling class asks for.

    ``loaders`` and ``receivers`` are how many different, authenticated people load and receive. ``is_count_blind``
    hides the expected count from who counts. ``needs_check`` asks for an independent check by somebody who neither
    dispensed nor verified; ``needs_acceptance`` for the ward's acceptance, naming ``receivers`` eligible people, before
    loading; ``needs_carriage_approval`` for the accountable officer's local approval of handling class, route and robot
    model. Every tote has a drawer of its own whatever the class, so none asks for that.
    """

    loaders: int
    receivers: int
    is_count_blind: bool
    needs_check: bool
    needs_acceptance: bool
    needs_carriage_approval: bool

    def is_at_least(self, least: HandlingRule) -> bool:
        """Whether it asks for at least what another rule asks for."""
        wanted = (
            (self.is_count_blind, least.is_count_blind),
            (self.needs_check, least.needs_check),
            (self.needs_acceptance, least.needs_acceptance),
            (self.needs_carriage_approval, least.needs_carriage_approval),
        )
        has_people = self.loaders >= least.loaders and self.receivers >= least.receivers
        return has_people and all(mine or not other for mine, other in wanted)


RULES = {
    HandlingClass.ORDINARY: HandlingRule(
        loaders=1,
        receivers=1,
        is_count_blind=False,
        needs_check=False,
        needs_acceptance=False,
        needs_carriage_approval=False,
    ),
    HandlingClass.LOCKED: HandlingRule(
        loaders=1,
        receivers=1,
        is_count_blind=False,
        needs_check=True,
        needs_acceptance=False,
        needs_carriage_approval=False,
    ),
    HandlingClass.CONTROLLED: HandlingRule(
        loaders=2,
        receivers=2,
        is_count_blind=True,
        needs_check=True,
        needs_acceptance=True,
        needs_carriage_approval=True,
    ),
}
"""The least that each class asks for; a place's policy may ask for more."""
