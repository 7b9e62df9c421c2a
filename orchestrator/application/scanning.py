"""What a scanner sent, read and judged: the one way from text to something that may be trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.london import london_clock
from orchestrator.domain.people.patient import NhsNumber, nhs_number
from orchestrator.domain.scanning.errors import (
    CharsetError,
    CodeTooLongError,
    EmptyCodeError,
    FieldLengthError,
    UnknownSymbologyError,
)
from orchestrator.domain.scanning.judging import judge_digits, judge_message, require_kind
from orchestrator.domain.scanning.model import GS, Message, ScanKind, Scanned

CODE_LENGTH_MAX = 1000
"""More than any label of ours holds: a wristband has three texts of 90 characters."""

_GS_IN_WORDS = re.compile(r"<GS>|<FNC1>|\\x1d|\\u001d", re.IGNORECASE)
_AROUND = " \t\r\n"
"""What a keyboard wedge or a paste adds; `str.strip` alone would take away GS too."""

_GS1_SYMBOLS = ("]d2", "]C1", "]e0", "]Q3")
"""Symbology identifiers of codes that carry GS1 fields: DataMatrix, GS1-128, DataBar, QR."""
_PLAIN_SYMBOLS = {"]E0": (12, 13), "]E4": (8,)}
"""EAN-13 and UPC-A, and EAN-8: so many digits and nothing else."""


class Barcodes(Protocol):
    """The tables of GS1 and of the NHS, behind an adapter."""

    def message(self, text: str, *, is_named: bool) -> Message:
        """Return the fields that GS separates in a text; raises `UnknownCodeError` at what is no field."""
        ...

    def written_message(self, text: str) -> Message:
        """Return the fields of a text as printed for people, ``(01)…(17)…``; raises `UnknownCodeError`."""
        ...

    def can_follow(self, text: str) -> str | None:
        """Return the identifier of the field that a text begins with, if all of it reads as fields."""
        ...

    def is_issued(self, digits: str) -> bool:
        """Whether ten digits are an NHS number of a range that is issued, with a right check digit."""
        ...


@dataclass(frozen=True, slots=True)
class Scanner:
    """Reads codes for one fleet; ``is_simulation`` says whether its patients are simulated."""

    barcodes: Barcodes
    is_simulation: bool

    def scan(self, text: str, *, at: datetime, wanted: ScanKind | None = None) -> Scanned:
        r"""Return what a code says.

        Parameters
        ----------
        text : str
            What the scanner sent; GS as itself, ``\x1d``, ``\u001d`` or ``<GS>``.
        at : datetime
            Now; aware.
        wanted : ScanKind or None
            The kind of code that is expected; None for any.

        Raises
        ------
        WardporterError
            The code must not be trusted; its code says why.
        """
        return scan(text, barcodes=self.barcodes, is_simulation=self.is_simulation, at=at, wanted=wanted)


def scan(
    text: str, *, barcodes: Barcodes, is_simulation: bool, at: datetime, wanted: ScanKind | None = None
) -> Scanned:
    """Return what a code says; see `Scanner.scan`."""

    def to_nhs_number(digits: str) -> NhsNumber:
        return nhs_number(digits, is_issued=barcodes.is_issued, is_simulation=is_simulation)

    said = _GS_IN_WORDS.sub(GS, text)
    _check_length(said)
    if wanted is ScanKind.NHS_NUMBER and not said.strip(_AROUND).startswith(("]", "8018", "(")):
        return Scanned(ScanKind.NHS_NUMBER, nhs_number=to_nhs_number(said))
    said = said.strip(_AROUND)
    if _looks_like_nhs_number(said):
        return require_kind(Scanned(ScanKind.NHS_NUMBER, nhs_number=to_nhs_number(said)), wanted)
    symbol, body = _symbol_and_body(said)
    if symbol in _PLAIN_SYMBOLS or (symbol is None and _is_plain(body)):
        _require_plain(body, symbol)
        return require_kind(judge_digits(body, to_nhs_number=to_nhs_number), wanted)
    return require_kind(
        judge_message(
            _message(body, symbol=symbol, barcodes=barcodes),
            local_now=london_clock(at),
            can_follow=barcodes.can_follow,
            to_nhs_number=to_nhs_number,
        ),
        wanted,
    )


def _check_length(text: str) -> None:
    if text.strip(_AROUND + GS) == "":
        raise EmptyCodeError("The code was refused: it is empty; expected what a scanner sends. Scan it again.")
    if len(text) > CODE_LENGTH_MAX:
        raise CodeTooLongError(
            f"The code was refused: it is longer than any of ours; expected at most {CODE_LENGTH_MAX} characters. Scan "
            "one code at a time."
        )


def _looks_like_nhs_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]{3} ?[0-9]{3} ?[0-9]{4}", text, re.ASCII) is not None


def _symbol_and_body(text: str) -> tuple[str | None, str]:
    if not text.startswith("]"):
        return None, text
    symbol = text[:3]
    if symbol not in (*_GS1_SYMBOLS, *_PLAIN_SYMBOLS):
        raise UnknownSymbologyError(
            "The code was refused: the scanner says it is of a kind that carries nothing of ours; expected a GS1 "
            "DataMatrix (]d2), GS1-128 (]C1), GS1 DataBar (]e0) or GS1 QR code (]Q3), or an EAN or UPC (]E0, ]E4). "
            "Scan the other code on the thing."
        )
    return symbol, text[3:]


def _is_plain(text: str) -> bool:
    # 16 digits and more are fields run together; what is shorter is the number of a trade item, or nothing of ours.
    return text.isascii() and text.isdigit() and len(text) < 16


def _require_plain(text: str, symbol: str | None) -> None:
    if not (text.isascii() and text.isdigit()):
        raise CharsetError("The code was refused: an EAN holds digits alone; expected 8, 12 or 13. Scan it again.")
    if symbol is not None and len(text) not in _PLAIN_SYMBOLS[symbol]:
        raise FieldLengthError(
            "The code was refused: the scanner says it is an EAN or UPC, and it has not as many digits; expected "
            "12 or 13, or 8 of the short kind. Scan it again."
        )


def _message(body: str, *, symbol: str | None, barcodes: Barcodes) -> Message:
    if symbol is None and body.startswith("("):
        return barcodes.written_message(body)
    return barcodes.message(body, is_named=symbol is not None)
