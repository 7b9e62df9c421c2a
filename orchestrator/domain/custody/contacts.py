"""Whom an alarm calls: people by what they are here, and what a place says of how to reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Function(StrEnum):
    """What somebody is for those who call them. ``ward`` is the ward that a delivery goes to."""

    PHARMACY = "pharmacy"
    WARD = "ward"
    NURSE_IN_CHARGE = "nurse_in_charge"
    SITE_MANAGER = "site_manager"
    SECURITY = "security"
    ACCOUNTABLE_OFFICER = "accountable_officer"

    @property
    def words(self) -> str:
        """How a sentence calls them."""
        return f"the {self.value.replace('_', ' ')}" if self is not Function.SECURITY else "security"


Contacts = Mapping[Function, str]
"""How those are reached whom a place has said it of, in its own words."""


def in_words(audience: Sequence[Function], contacts: Contacts) -> str:
    """Return whom to call as a sentence names them, each with how to reach them where the place has said so."""
    said = [f"{one.words} ({contacts[one]})" if one in contacts else one.words for one in audience]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
