"""A drawer grant: what it says, and the exact bytes that are signed.

A robot shows a random number, the nonce; whoever may open its drawer gets a grant that names that nonce, and the robot
opens for it once. Shared by the side that signs and the side that checks, so that both mean the same bytes.

Source of the rules: design §6, "A drawer opens".
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, cast

from orchestrator.domain.errors import InvalidInputError

FORMAT = "wardporter-drawer-grant-1"
"""First field of every grant; another format is another name, so that no old robot misreads it."""

LIFETIME_MAX_S = 60
"""Longest life of a grant in seconds, counted on the robot's own clock from when it showed the nonce."""

NONCE_BYTES = 16
"""Bytes of chance in a nonce: 128 bits."""

TEXT_MAX = 256
"""Longest text in a field of a grant, in characters."""


class Purpose(StrEnum):
    """What a drawer is opened for.

    ``retrieve`` takes out where the robot stands, wherever that is, and always asks for two people.
    """

    LOAD = "load"
    HAND_OVER = "hand_over"
    TAKE_BACK = "take_back"
    RETRIEVE = "retrieve"
    RECOUNT = "recount"


class MalformedGrantError(InvalidInputError):
    """The bytes are not those of a grant."""

    code = "grant_malformed"


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission to open one drawer once.

    Parameters
    ----------
    manufacturer, serial_number : str
        The robot, as it is named on the link.
    drawer : str
        The drawer, by the robot's own name for it.
    delivery : str
        Id of the delivery that it is opened for.
    load : str
        Id under which the robot carries the delivery's totes.
    purpose : Purpose
        What it is opened for.
    node : str
        The node of the lane graph at which the robot has to stand; empty for ``retrieve``.
    nonce : str
        What the robot showed, lower-case hexadecimal.
    lifetime_s : int
        Seconds from when the robot showed the nonce, at most `LIFETIME_MAX_S`.
    """

    manufacturer: str
    serial_number: str
    drawer: str
    delivery: str
    load: str
    purpose: Purpose
    node: str
    nonce: str
    lifetime_s: int


def text_of_grant(grant: Grant) -> str:
    """Return the canonical text of a grant, whose UTF-8 bytes are signed.

    JSON in ASCII: keys sorted, no white space, integers without a fraction. A grant has exactly one such text.
    """
    values: dict[str, Any] = {"format": FORMAT, **asdict(grant), "purpose": grant.purpose.value}
    return json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def grant_of_text(text: str) -> Grant:
    """Return the grant that `text_of_grant` wrote.

    Raises
    ------
    MalformedGrantError
        The text is not the one text of a grant: another format, a field more or less, a value of another type, other
        white space or order.
    """
    if len(text) > TEXT_MAX * len(fields(Grant)):
        raise _malformed("it is too long")
    try:
        read: object = json.loads(text)
        values = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
        if values.pop("format", None) != FORMAT:
            raise _malformed(f"it is not of the format {FORMAT}")
        if any(not isinstance(value, str) for name, value in values.items() if name != "lifetime_s"):
            raise _malformed("a field is no text")
        if type(values.get("lifetime_s")) is not int:
            raise _malformed("lifetime_s is no whole number")
        values["purpose"] = Purpose(values["purpose"])
        grant = Grant(**values)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _malformed("it cannot be read") from error
    if text_of_grant(grant) != text:
        raise _malformed("it is not in its canonical form")
    return grant


def _malformed(why: str) -> MalformedGrantError:
    return MalformedGrantError(
        f"The grant was refused: {why}; expected the canonical text of a grant. Ask for another."
    )
