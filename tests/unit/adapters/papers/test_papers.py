"""Registers, notes and labels as they are printed: what they say, and that simulated ones say so everywhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import zxingcpp
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import stringWidth

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.adapters.papers.delivery import LABEL_SIZE, delivery_note, tote_label
from orchestrator.adapters.papers.registers import PHARMACY as PHARMACY_COLUMNS
from orchestrator.adapters.papers.registers import PRINTED_WIDTH_MM, Cell, register_csv, register_pdf
from orchestrator.adapters.papers.registers import WARD as WARD_COLUMNS
from orchestrator.adapters.papers.sheet import BOLD, CELL_SIZE, PLAIN, SMALL, clock, fonts, printable
from orchestrator.application.papers import DeliveryPaper
from orchestrator.application.registers import Register, register_of
from orchestrator.application.scanning import Scanner
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.tote_number import CompanyPrefixError, require_company_prefix, sscc_of
from orchestrator.domain.delivery.custody_record import Act, Basis, BasisKind, Dispensed
from orchestrator.domain.delivery.model import Delivery, LineId, Priority, Tote, ToteId
from orchestrator.domain.delivery.request import LINES_MAX
from orchestrator.domain.medicine.check_digits import has_right_check_digit
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.scanning.model import ScanKind
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.drawn_pages import filled, page_streams, said_on
from tests.support.ledgers import MORPHINE, PHARMACY, REGISTER, WARD, occasion, opening, sealing
from tests.support.medicines import MORPHINE as MORPHINE_TABLETS
from tests.support.recalled import coded

TWO_DAYS_ON = NOON + timedelta(days=2)


def a_register(place: PlaceId = PHARMACY, *, is_simulation: bool = True, supplies: int = 3) -> Register:
    store = MemoryStore(REGISTER)
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE_TABLETS])
        uow.ledger.append(opening(place=place, counted=5_000), TWO_DAYS_ON)
        for number in range(supplies):
            facts = {"patient": f"local-{number}", "authority": f"prescription {number}", "wasted": "0"}
            uow.ledger.append(movements.supplied(MORPHINE, 2, occasion(place, facts=facts)), TWO_DAYS_ON)
        wrong = uow.ledger.entry(1)
        correcting = occasion(place, reason="=SUM(A1) Müller & <b>Three</b> were given.")
        uow.ledger.append(movements.quantity_correction(wrong, right=3, occasion=correcting), TWO_DAYS_ON)
    with store.reading() as uow:
        return register_of(uow, place, at=TWO_DAYS_ON, is_simulation=is_simulation, is_pharmacy=place == PHARMACY)


def rows_of(register: Register) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(register_csv(register))))


def test_a_head_that_is_longer_than_the_page_is_wide_is_broken_and_leaves_room_for_its_lines() -> None:
    store, names = MemoryStore(REGISTER), [f"Morphine sulfate 10 mg tablets of maker number {n}" for n in range(8)]
    with store.transaction() as uow:
        for number, name in enumerate(names):
            code = MedicineCode(str(99900000001000 + number))
            uow.medicines.save([replace(MORPHINE_TABLETS, code=code, name=name, gtins=())])
            uow.ledger.append(opening(replace(MORPHINE, medicine=code), counted=1), NOON)
    with store.reading() as uow:
        register = register_of(uow, PHARMACY, at=NOON, is_simulation=True, is_pharmacy=True)
    (page,) = page_streams(register_pdf(register))
    fonts()
    drawn = [(BOLD if bold else PLAIN, float(size), said) for bold, size, said in _drawn(page)]
    assert any("register required by law" in said for _, _, said in drawn)
    assert max(pdfmetrics.stringWidth(said, font, size) for font, size, said in drawn if size == SMALL) < 774


def _drawn(page: str) -> list[tuple[bool, str, str]]:
    found = re.findall(r"/F(\d)\+0 ([\d.]+) Tf [^(\n]*\(((?:[^()\\]|\\.)*)\) Tj", page)
    return [(font == "4", size, said) for font, size, said in found]


def test_every_letter_is_drawn_as_one_that_the_fonts_have() -> None:
    said = "5 \u03bcg for Ziółkowska-Świątek, Llŷn, Gyömrő, Ħal, \u0416, Müller\nagain"
    shown = printable(said)
    assert shown == "5 \u00b5g for Ziólkowska-Swiatek, Llyn, Gyömro, Hal, [U+0416], Müller\nagain".replace("ól", "ół")
    assert set(shown) <= fonts() | {"\n"}
    facts = {"patient": "local-7", "authority": "Dr Ŵyn", "collected_by": "Żaneta"}
    store = MemoryStore(REGISTER)
    with store.transaction() as uow:
        uow.medicines.save([replace(MORPHINE_TABLETS, strength="500 \u03bcg")])
        uow.ledger.append(opening(), NOON)
        uow.ledger.append(movements.supplied(MORPHINE, 2, occasion(facts=facts)), NOON)
    with store.reading() as uow:
        register = register_of(uow, PHARMACY, at=NOON, is_simulation=True, is_pharmacy=True)
    (page,) = said_on(register_pdf(register))
    assert "Dr Wyn" in page
    assert "Zaneta" in page
    # The table is text, and keeps what people wrote.
    assert [row["collected_by"] for row in rows_of(register)] == ["", "Żaneta"]


def test_an_entry_that_is_higher_than_a_page_is_printed_and_so_is_what_follows() -> None:
    store = MemoryStore(REGISTER)
    wide = {"patient": "W" * 500, "supplied_to": "M" * 500, "collected_by": "W" * 500, "authority": "W" * 500}
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE_TABLETS])
        uow.ledger.append(opening(), NOON)
        uow.ledger.append(movements.supplied(MORPHINE, 2, occasion(facts=wide)), NOON)
        uow.ledger.append(movements.supplied(MORPHINE, 3, occasion(facts={"patient": "local-7"})), NOON)
    with store.reading() as uow:
        register = register_of(uow, PHARMACY, at=NOON, is_simulation=True, is_pharmacy=True)
    pages = said_on(register_pdf(register))
    assert len(pages) > 1
    assert sum(page.count("W") for page in pages) == 1_500
    assert "local-7 3 95" in " ".join(" ".join(pages).split())
    assert all("morphine, 10 mg" in page and "Balance" in page for page in pages)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), "01:50 BST"),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "01:10 GMT"),
        (datetime(2026, 10, 25, 2, 10, tzinfo=UTC), "02:10"),
        (datetime(2026, 3, 29, 1, 10, tzinfo=UTC), "02:10"),
        (datetime(2026, 7, 1, 23, 10, tzinfo=UTC), "00:10"),
    ],
)
def test_the_hour_that_comes_twice_says_which_it_is(at: datetime, said: str) -> None:
    assert clock(at) == said


def test_a_note_of_as_many_totes_as_may_be_is_printed_whole() -> None:
    paper = a_paper()
    lines = tuple(replace(paper.delivery.lines[0], id=LineId(f"line-{number}")) for number in range(LINES_MAX))
    totes = tuple(Tote(ToteId(f"tote-{line.id}" + "x" * 60), (line.id,), "S" * 64) for line in lines)
    delivery = replace(paper.delivery, lines=lines, totes=totes)
    whole = replace(paper, delivery=delivery, numbers={tote.id: sscc_of(tote.id) for tote in totes})
    pages = said_on(delivery_note(whole))
    assert all("Delivery note: Ward Alder" in page for page in pages)
    assert sum(page.count("tote-line-") for page in pages) == LINES_MAX


def test_a_balance_below_zero_is_a_number_in_the_table_of_a_transit_record() -> None:
    store = MemoryStore()
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE_TABLETS])
        uow.ledger.append(sealing(quantity=10), NOON)
    with store.reading() as uow:
        register = register_of(uow, PHARMACY, at=NOON, is_simulation=True, is_pharmacy=True)
    (row,) = rows_of(register)
    assert (row["balance"], row["quantity_supplied"]) == ("-10", "10")


def test_a_printed_page_is_headed_by_class_strength_and_form_and_shows_corrections_71() -> None:
    (page, *_) = said_on(register_pdf(a_register()))
    assert "morphine, 10 mg, modified-release tablet" in page
    for words in (
        "Obtained from",
        "Authority",
        "Proof of",
        "Balance",
        "prescription 1",
        "LATE ENTRY",
        "CORRECTED",
        "corrects entry",
        "register required by law",
        "Times are London's",
        "page 1 of 1",
    ):
        assert words in page, words


@pytest.mark.parametrize("columns", [PHARMACY_COLUMNS, WARD_COLUMNS])
def test_no_heading_and_no_date_of_a_register_is_broken_within_a_word(
    columns: Sequence[tuple[str, float, Cell]],
) -> None:
    register_pdf(a_register())  # It makes the fonts known.
    scale = PRINTED_WIDTH_MM / sum(width for _, width, _ in columns)
    for heading, width, _ in columns:
        words = [*heading.split(), *(["2026-12-31"] if heading == "Date and time" else [])]
        widest = max(stringWidth(word, BOLD, CELL_SIZE) for word in words)
        assert widest <= width * scale * mm - 4, heading


def test_a_wards_page_has_the_headings_of_wards() -> None:
    (page, *_) = said_on(register_pdf(a_register(WARD)))
    assert "Wasted" in page
    assert "Given or received" in page
    assert "Proof of" not in page


def test_texts_are_printed_as_they_are_and_not_as_markup() -> None:
    # The library draws a text in pieces; nothing of it is lost or taken for markup.
    page = "".join(said_on(register_pdf(a_register()))).replace(" ", "")
    assert "ller&<b>Three</b>weregiven." in page


def test_every_page_of_a_simulated_register_says_so_and_a_real_one_says_nothing_of_it_73() -> None:
    pages = said_on(register_pdf(a_register(supplies=200)))
    assert len(pages) > 3
    for page in pages:
        assert "SIMULATION" in page
        # The head stands on every page, however long the register is.
        assert "morphine, 10 mg, modified-release tablet" in page
        assert "Balance" in page
    assert "page 2 of" in pages[1]
    assert not any("SIMULATION" in page for page in said_on(register_pdf(a_register(is_simulation=False))))


def test_every_row_of_a_simulated_table_says_so_73() -> None:
    assert {row["simulation"] for row in rows_of(a_register())} == {"SIMULATION"}
    assert {row["simulation"] for row in rows_of(a_register(is_simulation=False))} == {""}


def test_the_table_holds_what_the_page_shows() -> None:
    rows = rows_of(a_register())
    assert [row["balance"] for row in rows] == ["5000", "4998", "4996", "4994", "4993"]
    assert [row["quantity_supplied"] for row in rows] == ["0", "2", "2", "2", "1"]
    assert (rows[1]["corrected_by"], rows[4]["corrects"]) == ("4", "1")
    assert {row["late_entry"] for row in rows} == {"late"}
    assert {(row["drug_class"], row["strength"], row["place"]) for row in rows} == {("morphine", "10 mg", PHARMACY)}


@pytest.mark.parametrize(("place", "supplied"), [(PHARMACY, "Quantity supplied"), (WARD, "Quantity given or gone")])
def test_what_is_short_at_a_stock_check_stands_under_no_supply(place: PlaceId, supplied: str) -> None:
    store = MemoryStore(REGISTER)
    checking = occasion(place, reason="Two are missing.")
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE_TABLETS])
        uow.ledger.append(opening(place=place, counted=100), TWO_DAYS_ON)
        uow.ledger.append(movements.stock_check(MORPHINE, counted=98, expected=100, occasion=checking), TWO_DAYS_ON)
    with store.reading() as uow:
        register = register_of(uow, place, at=NOON, is_simulation=True, is_pharmacy=place == PHARMACY)
    row = rows_of(register)[-1]
    assert (row["quantity_obtained"], row["quantity_supplied"], row["count_differs"]) == ("0", "0", "2 short")
    assert row["balance"] == "98"
    cells = {heading: cell for heading, _, cell in (PHARMACY_COLUMNS if place == PHARMACY else WARD_COLUMNS)}
    line = register.pages[0].lines[-1]
    assert (cells[supplied](line), cells["Count differs (not supplied)"](line)) == ("", "2 short")
    (page, *_) = said_on(register_pdf(register))
    assert "2 short" in page


def test_no_cell_is_a_formula() -> None:
    register = a_register()
    (page,) = register.pages
    evil = replace(page.lines[0], note="=HYPERLINK(1)", batch="@x", supplied_to="+1", authority="-1")
    (row,) = rows_of(replace(register, pages=(replace(page, lines=(evil,)),)))
    assert [row[name][0] for name in ("note", "batch", "supplied_to", "authority")] == ["'"] * 4


def test_the_same_register_is_printed_byte_for_byte_alike() -> None:
    register = a_register()
    assert register_pdf(register) == register_pdf(register)


# -- totes


def a_delivery() -> Delivery:
    store = MemoryStore()
    with store.transaction() as uow:
        delivery = coded(uow, 1, ids=CountingIds(), code=MORPHINE_TABLETS.code)
    line = delivery.lines[0]
    custody = replace(
        delivery.custody,
        basis=Basis(BasisKind.WARD_REQUISITION, "REQ-77"),
        patient="local-7",
        dispensed=(Dispensed(line.id, line.quantity, "PICKED-1", date(2027, 5, 31)),),
        dispensed_by=Act("technician-1", NOON),
    )
    return replace(delivery, custody=custody, totes=(replace(delivery.totes[0], seal_number="SEAL-9"),))


def a_paper(*, is_simulation: bool = True, to_name: str = "Ward Alder") -> DeliveryPaper:
    delivery = a_delivery()
    numbers = {tote.id: sscc_of(tote.id) for tote in delivery.totes}
    return DeliveryPaper(delivery, "Pharmacy hatch 1", to_name, PHARMACY, WARD, numbers, NOON, is_simulation)


def a_label(paper: DeliveryPaper) -> bytes:
    return tote_label(paper, paper.delivery.totes[0])


def number_of(paper: DeliveryPaper) -> str:
    return paper.numbers[paper.delivery.totes[0].id]


@pytest.mark.parametrize("to_name", ["Ward Alder", "Ward with a name that is far too long for any label " * 3])
def test_a_label_is_read_back_as_the_totes_number(to_name: str) -> None:
    paper = a_paper(to_name=to_name)
    image = filled(a_label(paper), width=LABEL_SIZE[0], height=LABEL_SIZE[1])
    (found,) = zxingcpp.read_barcodes(image)
    sent = found.symbology_identifier + found.bytes.decode("ascii")
    scanned = Scanner(GsBarcodes(), is_simulation=True).scan(sent, at=NOON, wanted=ScanKind.TOTE)
    assert scanned.sscc == number_of(paper)


def test_a_label_names_places_tote_and_seal_and_nothing_of_what_is_inside() -> None:
    (label,) = said_on(a_label(a_paper()))
    for words in ("To Ward Alder", "From Pharmacy hatch 1", "Tote tote-c1", "Seal SEAL-9", "SIMULATION"):
        assert words in label, words
    for word in ("Paracetamol", "PICKED-1", "local-7", "32", "REQ-77"):
        assert word not in label.replace(number_of(a_paper()), ""), word
    (real,) = said_on(a_label(a_paper(is_simulation=False)))
    assert "SIMULATION" not in real


def test_a_note_says_what_is_inside_on_what_basis_and_has_room_to_sign() -> None:
    (note,) = said_on(delivery_note(a_paper()))
    for words in (
        "Ward Alder",
        "Paracetamol 500 mg",
        "32 tablet",
        "PICKED-1",
        "2027-05-31",
        "REQ-77",
        "local-7",
        "technician-1",
        "Signature",
        "SIMULATION",
    ):
        assert words in note, words


def test_a_note_says_the_hour_at_which_a_pack_expires_where_its_code_gives_one() -> None:
    paper = a_paper()
    (picked,) = paper.delivery.custody.dispensed
    hourly = replace(picked, expires_at=datetime(2027, 5, 31, 13, 30, tzinfo=UTC))
    custody = replace(paper.delivery.custody, dispensed=(hourly,))
    (note,) = said_on(delivery_note(replace(paper, delivery=replace(paper.delivery, custody=custody))))
    assert "2027-05-31 14:30 BST" in " ".join(note.split())


def test_a_note_in_the_bag_does_not_give_a_blind_count_away() -> None:
    paper = a_paper()
    lines = tuple(replace(line, handling_class=HandlingClass.CONTROLLED) for line in paper.delivery.lines)
    (note,) = said_on(delivery_note(replace(paper, delivery=replace(paper.delivery, lines=lines))))
    assert "counted blind" in note
    assert "32" not in note.replace(number_of(paper), "")


def test_a_note_of_two_totes_says_which_line_lies_in_which_and_each_has_a_label_of_its_own() -> None:
    paper = a_paper()
    (first,) = paper.delivery.totes
    line = replace(paper.delivery.lines[0], id=LineId("line-b"), medicine="Senna")
    second = Tote(ToteId("tote-b"), (line.id,), "SEAL-B")
    delivery = replace(paper.delivery, lines=(*paper.delivery.lines, line), totes=(first, second))
    both = replace(paper, delivery=delivery, numbers={tote.id: sscc_of(tote.id) for tote in delivery.totes})
    (note,) = said_on(delivery_note(both))
    for number, tote in enumerate(delivery.totes, start=1):
        said = f"Tote {number} is {tote.id}, number {both.numbers[tote.id]}, seal {tote.seal_number}"
        assert said in " ".join(note.split())
    (label,) = said_on(tote_label(both, second))
    assert "Tote tote-b" in label
    assert "Seal SEAL-B" in label
    assert first.id not in label


def test_a_label_tells_wards_apart_whose_long_names_differ_at_their_end() -> None:
    name = "Acute medical unit of the elderly, west wing, level three"
    labels = [said_on(a_label(a_paper(to_name=f"{name}, {end}")))[0] for end in ("bay A", "bay B")]
    for label, end in zip(labels, ("bay A", "bay B"), strict=True):
        assert f"To {name}, {end}" in " ".join(label.split())
    # What no size makes fit is still cut, and says that it is.
    (cut,) = said_on(a_label(a_paper(to_name=f"{name}, " * 4)))
    assert "From Pharmacy hatch 1" in cut


def test_a_label_says_that_its_tote_goes_into_a_fridge_and_no_other_does() -> None:
    paper = a_paper()
    lines = tuple(replace(line, storage="fridge") for line in paper.delivery.lines)
    cold = replace(paper, delivery=replace(paper.delivery, lines=lines))
    assert "FRIDGE: keep at 2 to 8" in said_on(a_label(cold))[0]
    assert "FRIDGE" not in said_on(a_label(paper))[0]
    other = replace(cold.delivery.totes[0], id=ToteId("tote-b"), lines=())
    both = replace(cold, numbers={**cold.numbers, other.id: sscc_of(other.id)})
    assert "FRIDGE" not in said_on(tote_label(both, other))[0]


def test_a_note_says_in_words_on_what_basis_by_whom_and_when_how_it_is_handled_and_kept() -> None:
    paper = a_paper()
    (line,) = paper.delivery.lines
    strict = replace(line, handling_class=HandlingClass.CONTROLLED, schedule="0002", storage="fridge", unit="ml")
    totes = (replace(paper.delivery.totes[0], seal_number=None),)
    delivery = replace(paper.delivery, lines=(strict,), totes=totes, priority=Priority.STAT)
    (note,) = said_on(delivery_note(replace(paper, delivery=delivery)))
    said = " ".join(note.split())
    for words in (
        "ward requisition REQ-77",
        "STAT",
        "technician-1 (2026-01-31 12:00 GMT)",
        "controlled, schedule 2",
        "fridge, 2",
        # Who counts blind has to know whether bottles are counted or millilitres.
        "counted blind, in ml",
        "seal ____________________",
    ):
        assert words in said, words
    assert "ward_requisition" not in said


def test_numbers_of_totes_are_right_differ_and_stay() -> None:
    numbers = [sscc_of(ToteId(f"tote-{number}")) for number in range(500)]
    assert len(set(numbers)) == 500
    assert all(len(number) == 18 and has_right_check_digit(number) for number in numbers)
    assert sscc_of(ToteId("tote-1")) == numbers[1]
    assert sscc_of(ToteId("tote-1"), prefix="5099999123").startswith("15099999123")


@pytest.mark.parametrize("prefix", ["", "123456", "12345678901", "50123a5", "\uff15012345"])
def test_a_company_prefix_has_7_to_10_digits(prefix: str) -> None:
    with pytest.raises(CompanyPrefixError):
        require_company_prefix(prefix)
    assert require_company_prefix("5012345") == "5012345"
