"""Codes as makers write them are read as they were meant; codes that lost something are not read as something else."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.application.scanning import Scanner
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.medicine.check_digits import check_digit
from orchestrator.domain.scanning.model import GS, Scanned

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SCANNER = Scanner(GsBarcodes(), is_simulation=True)
CHARACTERS_82 = string.ascii_letters + string.digits + "!\"%&'()*+,-./_:;<=>?"

texts = st.text(CHARACTERS_82, min_size=1, max_size=20).filter(lambda text: "<GS>" not in text)
expiries = st.dates(date(2000, 1, 1), date(2070, 12, 31))


def with_check_digit(body: str) -> str:
    return body + str(check_digit(body))


gtins = st.text(string.digits, min_size=13, max_size=13).filter(lambda body: body.strip("0")).map(with_check_digit)


def refusal(text: str) -> str:
    """Return the code of the refusal, or what was trusted instead."""
    try:
        found = scan(text)
    except WardporterError as error:
        return error.code
    return f"trusted: {found}"


def scan(text: str) -> Scanned:
    return SCANNER.scan(text, at=NOW)


@given(gtin=gtins, expiry=expiries, batch=texts, serial=texts, order=st.permutations(range(4)))
def test_every_pack_is_read_as_it_was_written(
    gtin: str, expiry: date, batch: str, serial: str, order: list[int]
) -> None:
    fields = [f"01{gtin}", f"17{expiry:%y%m%d}", f"10{batch}", f"21{serial}"]
    found = scan("]d2" + GS.join(fields[place] for place in order))
    assert (found.gtin, found.expiry, found.batch, found.serial) == (gtin, expiry, batch, serial)


@given(gtin=gtins, expiry=expiries, batch=texts, serial=texts, prefix=st.sampled_from(["]d2", "]C1", ""]))
def test_a_pack_whose_separators_were_dropped_is_never_trusted(
    gtin: str, expiry: date, batch: str, serial: str, prefix: str
) -> None:
    assert refusal(f"{prefix}01{gtin}17{expiry:%y%m%d}10{batch}21{serial}") == "ambiguous_separator"


@given(gtin=gtins, expiry=expiries, batch=texts, prefix=st.sampled_from(["]d2", "]C1", ""]))
def test_a_batch_that_swallowed_the_expiry_is_never_trusted(gtin: str, expiry: date, batch: str, prefix: str) -> None:
    assert refusal(f"{prefix}01{gtin}10{batch}17{expiry:%y%m%d}") == "ambiguous_separator"


@given(gtin=gtins, place=st.integers(0, 13), other=st.integers(1, 9))
def test_one_wrong_digit_of_a_trade_item_number_is_always_found(gtin: str, place: int, other: int) -> None:
    wrong = gtin[:place] + str((int(gtin[place]) + other) % 10) + gtin[place + 1 :]
    assert refusal(f"]d201{wrong}") == "bad_gtin_check_digit"
    assert refusal(wrong) == "bad_gtin_check_digit"


@given(nine=st.integers(0, 999_999), place=st.integers(0, 9), other=st.integers(1, 9))
def test_one_wrong_digit_of_an_nhs_number_is_always_found(nine: int, place: int, other: int) -> None:
    body = f"999{nine:06d}"
    digit = -sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
    number = f"{body}{digit}"
    assume(digit != 10 and len(set(number)) > 1)
    assert scan(number).nhs_number == number
    wrong = number[:place] + str((int(number[place]) + other) % 10) + number[place + 1 :]
    assert refusal(wrong) == "bad_nhs_number"


PIECES = [*"0123456789ABab]()<>,. #\\", GS, "\n", "é", "\0", "]d2", "]C1", "01", "17", "91", "8018", "5050898"]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_whatever_is_sent_is_read_or_refused_and_nothing_else_happens(pieces: list[str]) -> None:
    assert refusal("".join(pieces))
