"""Whether fields may have run together because the separator between them was lost.

A scanner that plays a keyboard often drops the character GS. A batch then swallows what follows it, and looks like a
batch. Nothing in the text says so; what can be said is whether a value could hold another field. It is in doubt when

- it is longer than its field may be and no separator came through,
- no separator came through, and behind some of its characters it reads as a field that belongs on such a code and that
  the code has not got elsewhere: fewer of them where the scanner named the symbol, every one that GS1 knows where not,
- it ends in a whole expiry date or trade item number that the code has not got elsewhere, whatever
  separators came through.

So a code of one field of variable length may be refused although it is right; its batch is then read and typed by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from orchestrator.domain.medicine.check_digits import is_gtin
from orchestrator.domain.scanning.dates import is_date
from orchestrator.domain.scanning.errors import AmbiguousSeparatorError
from orchestrator.domain.scanning.model import Fault, Field, Message
from orchestrator.domain.scanning.wristband import BAND_FIELDS

DATES = ("11", "12", "13", "15", "16", "17")
TRADE_ITEMS = ("01", "02")
FREE_TEXTS = ("10", "21", "240", "241", *(f"71{digit}" for digit in range(8)))
"""Fields of variable length that packs of medicines carry: batch, serial, additional ids, national numbers."""


def check_separators(message: Message, *, today: date, can_follow: Callable[[str], str | None]) -> None:
    """Refuse a message in which a field may have swallowed the next one.

    Parameters
    ----------
    message : Message
        The message; a value in it may be too long.
    today : date
        For dates, whose century is not said.
    can_follow : callable
        Returns the identifier of the field that a text begins with and could be, or None: every one that GS1 knows.

    Raises
    ------
    AmbiguousSeparatorError
        It may have.
    """
    present = {field.ai for field in message.fields}
    for field in message.fields:
        if not field.is_variable or field.ai in BAND_FIELDS:
            continue
        is_too_long = field.fault is Fault.LENGTH and not message.is_separated and field.value != ""
        if (
            is_too_long
            or _ends_in_whole_field(field.value, present=present, today=today)
            or (
                not message.is_separated
                and _may_hold_another(field, message=message, present=present, today=today, can_follow=can_follow)
            )
        ):
            raise ambiguous()


def ambiguous() -> AmbiguousSeparatorError:
    """Return the refusal of a code whose fields may have run together."""
    return AmbiguousSeparatorError(
        "The code was refused: two of its fields may have run together, as when a scanner drops the separator (GS); "
        "expected a separator after each field whose length varies. Read batch and expiry off the pack and type them, "
        "and have the scanner set up to send GS and the symbology identifier."
    )


def _tails(value: str) -> Iterable[str]:
    return (value[start:] for start in range(1, len(value)))


def _ends_in_whole_field(value: str, *, present: set[str], today: date) -> bool:
    return any(
        ("17" not in present and len(tail) == 8 and tail.startswith("17") and is_date(tail[2:], today=today))
        or ("01" not in present and len(tail) == 16 and tail.startswith("01") and is_gtin(tail[2:]))
        for tail in _tails(value)
    )


def _may_hold_another(
    field: Field,
    *,
    message: Message,
    present: set[str],
    today: date,
    can_follow: Callable[[str], str | None],
) -> bool:
    for tail in _tails(field.value):
        if _begins_with_pack_field(tail, present=present, today=today):
            return True
        if not message.is_named and (ai := can_follow(tail)) is not None and ai not in present:
            return True
    return False


def _begins_with_pack_field(tail: str, *, present: set[str], today: date) -> bool:
    for ai in FREE_TEXTS:
        if ai not in present and tail.startswith(ai) and len(tail) > len(ai):
            return True
    for ai in DATES:
        if ai not in present and tail.startswith(ai) and is_date(tail[2:8], today=today):
            return True
    if "7003" not in present and tail.startswith("7003") and is_date(tail[4:10], today=today) and len(tail) >= 14:
        return True
    return any(ai not in present and tail.startswith(ai) and is_gtin(tail[2:16]) for ai in TRADE_ITEMS)
