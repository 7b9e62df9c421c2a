"""GS1 fields by biip's table of application identifiers, and NHS numbers by the ranges of nhs-number.

Of biip only the table is used, not its parser: that strips separators at the ends, reads the clock for centuries, takes
the rest of a fixed field for the next one and does not check a person's number.
"""

from __future__ import annotations

import re
from functools import cache

from biip import ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from nhs_number.constants import REGION_ENGLAND_WALES_IOM, REGION_NORTHERN_IRELAND, REGION_SCOTLAND
from nhs_number.validate import is_valid

from orchestrator.domain.scanning.errors import UnknownCodeError
from orchestrator.domain.scanning.model import GS, Fault, Field, Message

_AI_LENGTH_MAX = 4
_CHARSETS = {"N": re.compile(r"[0-9]*", re.ASCII), "X": re.compile(r"[!-\"%-/0-9:-?A-Z_a-z]*", re.ASCII)}
_WRITTEN = re.compile(r"\(([0-9]{2,4})\)([^()]*)", re.ASCII)
_ISSUED = (REGION_ENGLAND_WALES_IOM, REGION_SCOTLAND, REGION_NORTHERN_IRELAND)


class GsBarcodes:
    """Implements `orchestrator.application.scanning.Barcodes`."""

    def message(self, text: str, *, is_named: bool) -> Message:
        """Return the fields of a text; a separator at its start or end, or a second one, means nothing."""
        fields: list[Field] = []
        rest = text.lstrip(GS)
        while rest:
            ai = _identifier(rest)
            if ai is None:
                raise _unknown()
            behind = rest[len(ai.ai) :]
            value = behind.split(GS, 1)[0]
            length = _fixed_length(ai)
            if length is not None:
                value = value[:length]
            rest = behind[len(value) :]
            is_followed = rest.startswith(GS) and rest.strip(GS) != ""
            fields.append(Field(ai.ai, value, length is None, is_followed, _fault(ai, value)))
            rest = rest.lstrip(GS)
        return Message(tuple(fields), any(field.is_followed for field in fields), is_named)

    def written_message(self, text: str) -> Message:
        """Return the fields of a text as printed for people; spaces around a value mean nothing."""
        if _WRITTEN.sub("", text).strip(" ") or GS in text:
            raise _unknown()
        fields: list[Field] = []
        for written, padded in _WRITTEN.findall(text):
            ai, value = _identifier(written), padded.strip(" ")
            if ai is None or ai.ai != written:
                raise _unknown()
            fields.append(Field(ai.ai, value, _fixed_length(ai) is None, True, _fault(ai, value)))
        return Message(tuple(fields), is_separated=True, is_named=False)

    def can_follow(self, text: str) -> str | None:
        """Return the identifier of the field that a text begins with, if all of it reads as fields."""
        ai = _identifier(text)
        if ai is None:
            return None
        behind = text[len(ai.ai) :]
        length = _fixed_length(ai)
        value, rest = (behind, "") if length is None else (behind[:length], behind[length:])
        if _fault(ai, value) is not None or (rest and self.can_follow(rest) is None):
            return None
        return ai.ai

    def is_issued(self, digits: str) -> bool:
        """Whether ten digits are an NHS number of a range that is issued, with a right check digit."""
        return any(is_valid(digits, for_region=region) for region in _ISSUED)


def _identifier(text: str) -> GS1ApplicationIdentifier | None:
    return _extracted(text[:_AI_LENGTH_MAX])


@cache
def _extracted(head: str) -> GS1ApplicationIdentifier | None:
    try:
        return GS1ApplicationIdentifier.extract(head)
    except ParseError:
        return None


def _fixed_length(ai: GS1ApplicationIdentifier) -> int | None:
    """Return the length of a field's value, or None when it varies."""
    if ".." in ai.format or "[" in ai.format:
        return None
    return sum(int(part[1:]) for part in ai.format.split("+")[1:])


def _fault(ai: GS1ApplicationIdentifier, value: str) -> Fault | None:
    charset = "N" if re.search(r"[XYZ\-]", ai.format) is None else "X"
    if _CHARSETS[charset].fullmatch(value) is None:
        return Fault.CHARSET
    length = _fixed_length(ai)
    if length is not None:
        # Months and days are judged with the other dates; biip's patterns know some of them and not all.
        return None if len(value) == length else Fault.LENGTH
    return None if value and re.fullmatch(ai.pattern, ai.ai + value) is not None else Fault.LENGTH


def _unknown() -> UnknownCodeError:
    return UnknownCodeError(
        "The code was refused: it holds something that is no field of GS1; expected fields such as 01, 17, 10 and 21. "
        "Scan it again, or scan the other code on the thing."
    )
