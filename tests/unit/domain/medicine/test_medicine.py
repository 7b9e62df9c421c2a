from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import (
    ClassLoweredError,
    MedicineInvalidError,
    NeverByRobot,
    Storage,
    StorageKind,
    check_medicine,
    unknown_medicine,
)
from orchestrator.domain.medicine.schedule import CategoryUnknownError, Schedule, schedule_of_category
from tests.support.medicines import MORPHINE, a_medicine


@pytest.mark.parametrize(
    ("category", "number", "handling_class", "has_register"),
    [
        ("0000", 0, "ordinary", False),
        ("0001", 1, "controlled", True),
        ("0002", 2, "controlled", True),
        ("0003", 2, "controlled", True),
        ("0004", 3, "controlled", False),
        ("0005", 3, "locked", False),
        ("0006", 3, "locked", False),
        ("0007", 3, "controlled", False),
        ("0008", 4, "ordinary", False),
        ("0009", 4, "ordinary", False),
        ("0010", 5, "ordinary", False),
    ],
)
def test_the_dmd_code_decides_schedule_register_and_class(
    category: str, number: int, handling_class: str, has_register: bool
) -> None:
    schedule = schedule_of_category(category)
    assert (schedule.number, schedule.handling_class, schedule.has_register) == (
        number,
        HandlingClass(handling_class),
        has_register,
    )


def test_the_two_parts_of_schedule_4_are_not_swapped() -> None:
    assert schedule_of_category("0008").label == "schedule 4 part II"
    assert schedule_of_category("0009").label == "schedule 4 part I"


@pytest.mark.parametrize("label", ["Schedule 2 (CD)", "CD Benz", "2", "02", "0011", "", "CD2"])
def test_a_label_or_a_number_without_its_zeros_is_no_category(label: str) -> None:
    with pytest.raises(CategoryUnknownError):
        schedule_of_category(label)


def test_a_medicine_handled_more_strictly_here_is_handled_so_8() -> None:
    tramadol = a_medicine(schedule=Schedule.THREE_NO_SAFE_CUSTODY, handle_as=HandlingClass.CONTROLLED)
    check_medicine(tramadol)
    assert tramadol.handling_class is HandlingClass.CONTROLLED


@pytest.mark.parametrize("handle_as", [HandlingClass.ORDINARY, HandlingClass.LOCKED])
def test_a_place_never_lowers_a_class(handle_as: HandlingClass) -> None:
    lowered = a_medicine(schedule=Schedule.TWO, handle_as=handle_as)
    assert lowered.handling_class is HandlingClass.CONTROLLED
    with pytest.raises(ClassLoweredError):
        check_medicine(lowered)


def test_what_nobody_knows_or_classified_is_handled_as_controlled_9() -> None:
    assert unknown_medicine("99900000000999").handling_class is HandlingClass.CONTROLLED
    assert a_medicine(schedule=None).handling_class is HandlingClass.CONTROLLED
    # A place's word alone is no schedule.
    assert a_medicine(schedule=None, handle_as=HandlingClass.ORDINARY).handling_class is HandlingClass.CONTROLLED


def test_what_never_rides_says_why() -> None:
    assert a_medicine().why_never_by_robot is None
    assert a_medicine(never_by_robot=NeverByRobot.INTRATHECAL).why_never_by_robot is NeverByRobot.INTRATHECAL
    assert a_medicine(schedule=Schedule.ONE).why_never_by_robot is NeverByRobot.SCHEDULE_ONE
    assert a_medicine(schedule=Schedule.ONE).is_never_by_robot


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "12345"}, "code"),
        ({"code": "0123456789"}, "code"),
        ({"code": "1234567890123456789"}, "code"),
        ({"code": "3.6126511e16"}, "code"),
        ({"name": " "}, "name"),
        ({"form": "tab\nlet"}, "form"),
        ({"strength": "x" * 201}, "strength"),
        ({"unit": ""}, "unit"),
        ({"drug_class": " morphine"}, "drug_class"),
        ({"pack_size": 0}, "pack_size"),
        ({"gtins": ("5012345678900",)}, "gtins"),
        ({"gtins": ("05012345678901",)}, "gtins"),
        ({"gtins": ("05012345678900", "05012345678900")}, "gtins"),
        ({"storage": Storage(StorageKind.FRIDGE)}, "out_of_fridge_min"),
        ({"storage": Storage(StorageKind.FRIDGE, 0)}, "out_of_fridge_min"),
        ({"storage": Storage(StorageKind.ROOM, 60)}, "out_of_fridge_min"),
    ],
)
def test_a_medicine_that_cannot_be_kept_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MedicineInvalidError) as refused:
        check_medicine(a_medicine(**changes))
    assert refused.value.detail["field"] == field


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Morphine sulfate", "Morphine sulfate 10 mg modified-release tablet"),
        ("Morphine sulfate 10 mg modified-release tablets", "Morphine sulfate 10 mg modified-release tablets"),
        ("Morphine sulfate 10 MG", "Morphine sulfate 10 MG modified-release tablet"),
    ],
)
def test_a_title_has_name_strength_and_form_each_once(name: str, title: str) -> None:
    assert replace(MORPHINE, name=name).title == title


@pytest.mark.parametrize(
    ("said", "is_it"), [("tablet", True), ("Tablets", True), ("box", False), ("capsule", False), ("", False)]
)
def test_a_unit_is_the_one_it_is_counted_in_also_of_several(said: str, is_it: bool) -> None:
    assert MORPHINE.is_counted_in(said) is is_it


def test_the_medicines_of_the_tests_can_be_kept() -> None:
    check_medicine(MORPHINE)
    check_medicine(a_medicine(storage=Storage(StorageKind.FRIDGE, 60)))
