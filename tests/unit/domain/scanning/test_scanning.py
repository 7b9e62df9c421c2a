"""What codes say, and which must not be trusted. The numbers in brackets are acceptance cases of the clinical notes."""

from __future__ import annotations

import json
import re
import string
from datetime import UTC, date, datetime
from typing import Any

import pytest

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.application.scanning import CODE_LENGTH_MAX, Scanner
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.scanning.errors import UnknownSymbologyError
from orchestrator.domain.scanning.model import ScanKind, Scanned
from tests.support.shared_data import shared_data

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
PACK = "0105012345678900"
GS = "\x1d"
FULL_WIDTH = "".join(chr(0xFF10 + int(digit)) for digit in "9990548609")
ARABIC = "".join(chr(0x660 + int(digit)) for digit in "9990548609")


def scan(text: str, wanted: str | None = None, *, is_simulation: bool = True, at: datetime = NOW) -> Scanned:
    scanner = Scanner(GsBarcodes(), is_simulation=is_simulation)
    return scanner.scan(text, at=at, wanted=None if wanted is None else ScanKind(wanted))


def refusal(text: str, wanted: str | None = None, *, is_simulation: bool = True) -> str:
    try:
        found = scan(text, wanted, is_simulation=is_simulation)
    except WardporterError as error:
        return error.code
    return f"trusted: {found}"


@pytest.mark.parametrize(
    "text", ["9990548608", "4010232137", "]d2801850508989990548609991RD8,1234567,", "10LOT-99-XYZ"]
)
def test_no_sentence_repeats_what_was_scanned(text: str) -> None:
    with pytest.raises(WardporterError) as refused:
        scan(text)
    digits = text[-10:]
    assert digits not in refused.value.message + json.dumps(refused.value.detail)


def vectors(name: str) -> dict[str, Any]:
    return json.loads((shared_data() / "test-vectors" / name).read_text(encoding="utf-8"))


def test_every_vector_of_gs1_is_met() -> None:
    for vector in vectors("gs1.json")["vectors"]:
        expected = dict(vector["expect"])
        if not expected.pop("ok"):
            assert refusal(vector["raw"]) == expected["error"], vector["id"]
            continue
        found = scan(vector["raw"])
        for name, value in expected.items():
            said = getattr(found, name)
            assert (said.isoformat() if isinstance(said, date) else said) == value, (vector["id"], name)


def test_every_vector_of_nhs_numbers_is_met() -> None:
    said = vectors("nhs-numbers.json")
    for text in said["valid_test"] + said["valid_format_variants"]:
        for wanted in (None, "nhs-number"):
            assert scan(text, wanted).nhs_number == text.replace(" ", "")
            assert refusal(text, wanted, is_simulation=False) == "nhs_number_of_tests"
    for text in [entry["v"] for entry in said["invalid"]]:
        assert refusal(text, "nhs-number") == ("empty_code" if text == "" else "bad_nhs_number")
        assert not refusal(text).startswith("trusted")
    for nine in [entry["first9"] for entry in said["check_digit_10"]]:
        assert {refusal(f"{nine}{digit}") for digit in range(10)} == {"bad_nhs_number"}


@pytest.mark.parametrize("prefix", ["]d2", "]C1", "]e0", "]Q3", ""])
def test_a_whole_pack_is_read_whoever_carries_it(prefix: str) -> None:
    found = scan(f"{prefix}{PACK}1727053110ABC123{GS}21SN0001")
    assert (found.gtin, found.expiry, found.batch, found.serial) == (
        "05012345678900",
        date(2027, 5, 31),
        "ABC123",
        "SN0001",
    )


@pytest.mark.parametrize(
    "sent",
    [
        f"]d2{PACK}1727053110ABC123{GS}21SN0001\r\n",
        f"  ]d2{PACK}1727053110ABC123{GS}21SN0001\t",
        f"]d2{GS}{PACK}1727053110ABC123{GS}21SN0001",
        f"]d2{PACK}1727053110ABC123{GS}21SN0001{GS}",
        f"]d2{PACK}1727053110ABC123{GS}{GS}21SN0001",
        f"]d2{PACK}{GS}17270531{GS}10ABC123{GS}21SN0001",
        f"]d221SN0001{GS}10ABC123{GS}17270531{PACK}",
        f"]d2{PACK}1727053110ABC123{GS}21SN0001{GS}10ABC123",
        rf"]d2{PACK}1727053110ABC123\x1d21SN0001",
        rf"]d2{PACK}1727053110ABC123\u001d21SN0001",
        f"]d2{PACK}1727053110ABC123<GS>21SN0001",
        f"]d2{PACK}1727053110ABC123<gs>21SN0001",
        f"]d2{PACK}1727053110ABC123<FNC1>21SN0001",
        "(01)05012345678900(17)270531(10)ABC123(21)SN0001",
        "(01) 05012345678900 (17) 270531 (10) ABC123 (21) SN0001",
    ],
)
def test_what_scanners_add_changes_nothing(sent: str) -> None:
    assert scan(sent) == scan(f"]d2{PACK}1727053110ABC123{GS}21SN0001")


@pytest.mark.parametrize(
    "sent",
    [
        f"]d2{PACK}1727053110ABC12321SN0001",
        f"]C1{PACK}1727053110ABC12321SN0001",
        f"{PACK}1727053110ABC12321SN0001",
        f"]d2{PACK}1727053110ABC12321SN0001{GS}",
        f"]d2{GS}{PACK}1727053110ABC12321SN0001",
        f"]d2{PACK}1727053121SN000110ABC123",
        f"]d2{PACK}10ABC12317270531",
        f"{PACK}10ABC12317270531",
        f"]d210ABC123{PACK}17270531",
        f"]d2{PACK}10ABC12317270531{GS}21SN0001",
        f"]d2{PACK}10ABC123{GS}21SN000117270531",
        f"]d2{PACK}1727053110ABC123{'21' + 'S' * 20}",
        f"]d2{PACK}1727053110ABC123240EXTRA",
        f"]d2{PACK}1727053110ABC123712NHRN1",
        f"]d2{PACK}10ABC12370032705311200",
        f"{PACK}1727053110ABC12391INTERNAL",
        f"{PACK}1727053110ABC1233712",
        f"]d2{PACK}1727053110ABC{'1' * 30}",
    ],
)
def test_a_lost_separator_is_never_taken_for_a_batch_15(sent: str) -> None:
    assert refusal(sent) == "ambiguous_separator"


@pytest.mark.parametrize("batch", ["B1", "ABC123", "abc-12/3.X", "OLD1", "LOT42", "A(1)"])
@pytest.mark.parametrize("prefix", ["]d2", ""])
def test_a_batch_that_could_hold_no_other_field_needs_no_separator(prefix: str, batch: str) -> None:
    assert scan(f"{prefix}{PACK}17270531{'10' + batch}").batch == batch


def test_a_batch_that_looks_like_two_fields_is_trusted_once_separators_come_through() -> None:
    assert scan(f"]d2{PACK}17270531{'10' + 'B2101'}{GS}21SN1").batch == "B2101"
    assert scan(f"]d2{PACK}1727053121SN1{GS}10B2101").batch == "B2101"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", "empty_code"),
        (" \r\n", "empty_code"),
        (GS, "empty_code"),
        ("]d2", "unknown_code"),
        ("A" * (CODE_LENGTH_MAX + 1), "code_too_long"),
        (f"]d1{PACK}", "unknown_symbology"),
        (f"]D2{PACK}", "unknown_symbology"),
        (f"]C0{PACK}", "unknown_symbology"),
        (f"]X9{PACK}", "unknown_symbology"),
        ("]", "unknown_symbology"),
        ("]E09990548609", "field_length"),
        ("]E005012345678900", "field_length"),
        ("]E45012345678900", "field_length"),
        ("hello", "unknown_code"),
        ("https://id.gs1.org/01/05012345678900", "unknown_code"),
        ("]d2(01)05012345678900", "unknown_code"),
        ("(01)05012345678900X(17)270531", "charset"),
        ("(01)05012345678900(9)1", "unknown_code"),
        (f"]d2{PACK}10ABC 123", "charset"),
        (f"]d2{PACK}10ABC\n123", "charset"),
        (f"]d2{PACK}10ABC#1", "charset"),
        (f"]d2{PACK}10ABCé", "charset"),
        ("]d2010501234567890A", "charset"),
        ("]d201\uff10501234567890\uff10", "charset"),
        (FULL_WIDTH, "unknown_code"),
        (f"]d2{PACK}10{GS}21SN1", "field_length"),
        ("]d20105012345", "field_length"),
        (f"]d20105012{GS}17270531", "field_length"),
        (f"]d2{PACK}10{'B' * 21}{GS}21SN1", "field_length"),
        (f"]d2{PACK}99", "field_length"),
        (f"]d2{PACK}10A{GS}10B", "conflicting_fields"),
        (f"]d2{PACK}1727053117270630", "conflicting_fields"),
        (f"]d2{PACK}17270531{'7003'}2706301200", "conflicting_fields"),
        (f"]d2{PACK}00350123450000001235", "conflicting_fields"),
        (f"]d2{PACK}8018501234500000000422", "conflicting_fields"),
        ("]d217270531", "unknown_code"),
        ("]d210ABC", "unknown_code"),
        (f"]d2{PACK}17271331", "bad_date"),
        (f"]d2{PACK}17270031", "bad_date"),
        (f"]d2{PACK}17270230", "bad_date"),
        (f"]d2{PACK}17270532", "bad_date"),
        (f"]d2{PACK}17000000", "bad_date"),
        (f"]d2{PACK}11260230", "bad_date"),
        (f"]d2{PACK}70032705312460", "bad_date"),
        (f"]d2{PACK}70032705001200", "bad_date"),
        ("5012345678901", "bad_gtin_check_digit"),
        ("]E05012345678901", "bad_gtin_check_digit"),
        ("]E0ABC", "charset"),
        ("0000000000000", "bad_gtin_check_digit"),
        ("]d20100000000000000", "bad_gtin_check_digit"),
        ("501234567891", "bad_gtin_check_digit"),
        ("1234567", "unknown_code"),
        ("]d2414501234500014691RD8", "bad_gln_check_digit"),
    ],
)
def test_what_must_not_be_trusted_says_why(sent: str, code: str) -> None:
    assert refusal(sent) == code


def test_day_00_is_the_last_of_its_month_and_the_century_is_the_nearest() -> None:
    assert scan(f"]d2{PACK}17270200").expiry == date(2027, 2, 28)
    assert scan(f"]d2{PACK}17280200").expiry == date(2028, 2, 29)
    assert scan(f"]d2{PACK}17760101").expiry == date(2076, 1, 1)
    assert scan(f"]d2{PACK}17770101").expiry == date(1977, 1, 1)
    assert scan(f"]d2{PACK}17050101", at=datetime(2060, 1, 1, tzinfo=UTC)).expiry == date(2105, 1, 1)


def test_a_pack_expires_when_its_last_day_is_over_in_the_hospital() -> None:
    sent = f"]d2{PACK}17270531"
    assert scan(sent, at=datetime(2027, 5, 31, 22, 59, tzinfo=UTC)).expired is False
    # In British summer time the day is over an hour before it is in UTC.
    assert scan(sent, at=datetime(2027, 5, 31, 23, 0, tzinfo=UTC)).expired is True
    assert scan("5012345678900").expired is None


def test_a_pack_with_a_time_expires_at_that_moment() -> None:
    sent = f"]d2{PACK}70032705311200"
    found = scan(sent, at=datetime(2027, 5, 31, 10, 59, tzinfo=UTC))
    assert (found.expiry, found.expired) == (date(2027, 5, 31), False)
    assert found.expires_at is not None
    assert found.expires_at.isoformat() == "2027-05-31T12:00:00"
    assert scan(sent, at=datetime(2027, 5, 31, 11, 0, tzinfo=UTC)).expired is True


@pytest.mark.parametrize("sent", ["96385074", "501234567893", "5012345678900", "05012345678900", "]E05012345678900"])
def test_plain_trade_item_numbers_are_products_without_batch(sent: str) -> None:
    found = scan(sent, "pack") if sent != "501234567893" else scan("012345678905", "pack")
    assert found.kind is ScanKind.PACK
    assert found.gtin is not None
    assert len(found.gtin) == 14
    assert (found.batch, found.expiry) == (None, None)


def test_a_tote_and_a_location_are_read() -> None:
    assert scan("]C100350123450000001235", "tote").sscc == "350123450000001235"
    found = scan(f"]d24145012345000145254BED4{GS}", "location")
    assert (found.gln, found.gln_extension) == ("5012345000145", "BED4")


BAND = "]d28018505089899905486098"


def test_a_wristband_is_read_with_the_names_on_it() -> None:
    found = scan(f"{BAND}91RD8,1234567,5012345000145{GS}93FAMILY,Given,11-Sep-1970,", "wristband")
    assert (found.nhs_number, found.gsrn) == ("9990548609", "505089899905486098")
    assert (found.organisation, found.local_id, found.gln) == ("RD8", "1234567", "5012345000145")
    assert (found.family_name, found.given_name, found.born) == ("FAMILY", "Given", date(1970, 9, 11))


@pytest.mark.parametrize("names", ["VAN DER BERG,Anna Maria", "O'BRIEN,Siân", "MÜLLER-LÜDENSCHEIDT,Zoë"])
def test_names_hold_spaces_and_letters_that_gs1_has_not(names: str) -> None:
    found = scan(f"{BAND}93{names},01-Feb-2020,04:35")
    assert f"{found.family_name},{found.given_name}" == names


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (f"{BAND}91RD8,1234567,501234500014593FAMILY,Given,11-Sep-1970,", "ambiguous_separator"),
        (f"{BAND}91RD8,123456793FAMILY,Given,11-Sep-1970,", "ambiguous_separator"),
        (f"{BAND}91RD8,1234567,93FAMILY,Given,11-Sep-1970,", "ambiguous_separator"),
        (f"{BAND}91RD893FAMILY,Given", "ambiguous_separator"),
        (f"{BAND}93FAMILY,Given,11-Sep-1970,91RD8,1234567", "ambiguous_separator"),
        (f"{BAND}93FAMILY,Given,11-Sep-197091RD8,1234567", "ambiguous_separator"),
        (f"{BAND}93FAMILY,Given,31-Feb-1970,", "bad_date"),
        (f"{BAND}93FAMILY,Gi\x07ven,11-Sep-1970,", "charset"),
        (f"{BAND}91RD8,1234567,5012345000146", "bad_gln_check_digit"),
        ("]d28018505089899905486099", "bad_gsrn_check_digit"),
        ("]d28018505089899905486081", "bad_nhs_number"),
        ("]d28018000000000000000000", "bad_gsrn_check_digit"),
        (f"{PACK}", "wrong_kind"),
        ("]d28018501234500000000422", "not_a_patient_gsrn"),
        ("]d28017501234500000000422", "not_a_patient_gsrn"),
    ],
)
def test_a_wristband_that_is_in_doubt_names_nobody(sent: str, code: str) -> None:
    assert refusal(sent, "wristband") == code


def test_a_patient_of_the_test_range_is_refused_where_patients_are_real_10() -> None:
    assert refusal(BAND, is_simulation=False) == "nhs_number_of_tests"
    assert refusal("]d28018505089800000000003", is_simulation=False) == "bad_nhs_number"
    assert scan("4010232137", is_simulation=False).nhs_number == "4010232137"
    assert refusal("4010232138", is_simulation=False) == "bad_nhs_number"


def test_a_real_patient_is_refused_where_everybody_is_simulated_73() -> None:
    assert refusal("4010232137") == "nhs_number_of_a_patient"


@pytest.mark.parametrize("number", ["9000000009", "5000000015", "3113000009", "8600000007"])
def test_ranges_that_are_given_to_nobody_are_refused(number: str) -> None:
    assert {refusal(number, is_simulation=is_simulation) for is_simulation in (True, False)} == {"bad_nhs_number"}


@pytest.mark.parametrize("number", [str(digit) * 10 for digit in range(10)])
def test_ten_times_one_digit_is_nobody(number: str) -> None:
    assert {refusal(number, is_simulation=is_simulation) for is_simulation in (True, False)} == {"bad_nhs_number"}


@pytest.mark.parametrize("text", ["999-054-8609", "9990 548609", "999  054 8609", "99905486091", FULL_WIDTH, ARABIC])
def test_other_spellings_of_an_nhs_number_are_refused(text: str) -> None:
    assert refusal(text, "nhs-number") == "bad_nhs_number"


def test_a_badge_is_no_wristband_and_a_wristband_no_badge() -> None:
    assert scan("]d28018501234500000000422", "staff").kind is ScanKind.STAFF
    assert refusal(BAND, "staff") == "wrong_kind"
    assert refusal("]d28018501234500000000422", "nhs-number") == "not_a_patient_gsrn"
    assert scan(BAND, "nhs-number").nhs_number == "9990548609"


def test_a_refused_symbology_names_every_one_that_is_taken() -> None:
    with pytest.raises(UnknownSymbologyError) as refused:
        scan(f"]X9{PACK}")
    named = set(re.findall(r"\][A-Za-z]\d", refused.value.message))
    every = (f"]{letter}{digit}" for letter in string.ascii_letters for digit in string.digits)
    assert named == {symbol for symbol in every if refusal(f"{symbol}{PACK}") != "unknown_symbology"}
