from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.config.built_in import DEMO_MEDICINES, built_in
from orchestrator.adapters.config.medicine_file import load_catalogue
from orchestrator.adapters.config.source import ConfigFileError
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import NeverByRobot, Storage, StorageKind
from orchestrator.domain.medicine.schedule import Schedule

HEADINGS = "code,name,form,strength,unit,drug_class,category,pack_size,storage,out_of_fridge_min,is_cytotoxic,gtins"
MORPHINE = "36126511000001106,Morphine sulfate,tablet,10 mg,tablet,morphine,0002,60,,,,05012345678900"


def table(folder: Path, *rows: str, headings: str = HEADINGS) -> Path:
    path = folder / "hospital.csv"
    path.write_text("\n".join((headings, *rows)) + "\n", encoding="utf-8")
    return path


def complaints(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(ConfigFileError) as refused:
        load_catalogue(path)
    return [(complaint.line, complaint.sentence) for complaint in refused.value.complaints]


def test_the_catalogue_that_comes_with_us_is_test_data_of_every_category() -> None:
    medicines = load_catalogue(built_in(DEMO_MEDICINES))
    assert all(medicine.is_test_data for medicine in medicines)
    assert {medicine.schedule for medicine in medicines} == {None, *Schedule} - {Schedule.ONE}
    assert {medicine.why_never_by_robot for medicine in medicines} == {
        None,
        NeverByRobot.CYTOTOXIC,
        NeverByRobot.INTRATHECAL,
    }
    assert any(medicine.storage.kind is StorageKind.FRIDGE for medicine in medicines)


def test_cytotoxics_ride_only_where_the_place_says_so(tmp_path: Path) -> None:
    said = built_in(DEMO_MEDICINES).read_text(encoding="utf-8")
    path = tmp_path / "own.medicines.yaml"
    path.write_text(said.replace("cytotoxics_by_robot: false", "cytotoxics_by_robot: true"), encoding="utf-8")
    never = {medicine.name: medicine.why_never_by_robot for medicine in load_catalogue(path)}
    assert never["Vincristine sulfate"] is None
    assert never["Methotrexate"] is NeverByRobot.INTRATHECAL


def test_a_table_says_the_same_as_yaml(tmp_path: Path) -> None:
    cold = '99900000000204,"Insulin, aspart",cartridge,300 units in 3 ml,cartridge,insulin,0000,5,fridge,240,true,'
    morphine, insulin = load_catalogue(table(tmp_path, MORPHINE, cold))
    assert (morphine.code, morphine.schedule, morphine.gtins) == (
        "36126511000001106",
        Schedule.TWO,
        ("05012345678900",),
    )
    assert (insulin.name, insulin.storage) == ("Insulin, aspart", Storage(StorageKind.FRIDGE, 240))
    assert insulin.never_by_robot is NeverByRobot.CYTOTOXIC
    assert not morphine.is_test_data


def test_a_missing_category_means_controlled(tmp_path: Path) -> None:
    (unknown,) = load_catalogue(table(tmp_path, MORPHINE.replace("0002", "")))
    assert unknown.schedule is None
    assert unknown.handling_class is HandlingClass.CONTROLLED


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (MORPHINE.replace("36126511000001106", "3.6126511E+16"), "code"),
        (MORPHINE.replace("36126511000001106", "036126511000001106"), "code"),
        (MORPHINE.replace("0002", "2"), "category"),
        (MORPHINE.replace("0002", "Schedule 2 (CD)"), "category"),
        (MORPHINE.replace(",60,", ",6O,"), "pack_size"),
        (MORPHINE.replace("05012345678900", "05012345678901"), "gtins"),
        (MORPHINE.replace("05012345678900", "5012345678900"), "gtins"),
        (MORPHINE.replace(",60,,", ",60,freezer,"), "storage"),
        (MORPHINE.replace(",60,,", ",60,fridge,"), "out_of_fridge_min"),
        (MORPHINE.replace("36126511000001106", "36126511000001100"), "rounded"),
        (MORPHINE.replace(",60,", f",{'9' * 5000},"), "pack_size"),
        (MORPHINE + ",more", "headings"),
        (MORPHINE.rsplit(",", 3)[0], "headings"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line(tmp_path: Path, row: str, word: str) -> None:
    ((line, sentence),) = complaints(
        table(tmp_path, MORPHINE.replace("05012345678900", ""), row.replace("1106", "1110"))
    )
    assert line == 3
    assert word in sentence


def test_a_code_and_a_trade_item_number_stand_once(tmp_path: Path) -> None:
    found = complaints(table(tmp_path, MORPHINE, MORPHINE))
    assert [line for line, _ in found] == [3, 3]
    assert all("line 2" in sentence for _, sentence in found)


def test_a_heading_stands_once_lest_the_last_column_decides(tmp_path: Path) -> None:
    twice = table(tmp_path, f"{MORPHINE},0000", headings=f"{HEADINGS},category")
    assert complaints(twice) == [(1, "The heading category stands there twice.")]


def test_an_unknown_heading_an_empty_table_and_no_text_are_refused(tmp_path: Path) -> None:
    assert complaints(table(tmp_path, MORPHINE, headings=HEADINGS.replace("unit", "units")))
    assert complaints(table(tmp_path)) == [(1, "The table holds no medicine.")]
    (tmp_path / "hospital.csv").write_bytes(b"\xff\xfe")
    assert complaints(tmp_path / "hospital.csv") == [(1, "The file is not UTF-8 text.")]
    assert "cannot be read" in complaints(tmp_path / "none.csv")[0][1]
