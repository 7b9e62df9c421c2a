"""The table of acceptance cases is whole, and what it names exists and carries the case's number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.named_tests import missing, names_in
from tests.support.shared_data import REPOSITORY

TABLE = REPOSITORY / "docs" / "clinical-cases.md"
CASES = range(1, 75)
NOT_YET = "not yet:"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/.-]+\.py::[\w:]+)`")
NUMBERED = REPOSITORY / "tests" / "unit" / "application" / "cases"


def rows(text: str) -> list[tuple[int, str]]:
    return [(int(number), answer) for number, _, answer in ROW.findall(text)]


def carries(test: str, case: int) -> bool:
    """Whether a test's name begins or ends with the number of a case."""
    name = test.rpartition("::")[2]
    return name.startswith(f"test_case_{case}_") or name.endswith(f"_{case}")


def unanswered(table: list[tuple[int, str]]) -> list[int]:
    """Return the cases that neither name a test with their number nor say why there is none."""
    return [
        case
        for case, answer in table
        if NOT_YET not in answer and not any(carries(test, case) for test in TEST.findall(answer))
    ]


def test_every_case_is_in_the_table_once_and_in_order() -> None:
    assert [case for case, _ in rows(TABLE.read_text(encoding="utf-8"))] == list(CASES)


def test_every_case_names_a_test_with_its_number_or_says_why_not_yet() -> None:
    assert unanswered(rows(TABLE.read_text(encoding="utf-8"))) == []


def test_every_test_that_the_table_names_exists() -> None:
    assert missing(TEST.findall(TABLE.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", sorted(NUMBERED.glob("test_*.py")), ids=lambda file: file.stem)
def test_every_test_of_a_case_is_in_its_row(file: Path) -> None:
    table = dict(rows(TABLE.read_text(encoding="utf-8")))
    path = file.relative_to(REPOSITORY)
    numbered = [(int(found[1]), name) for name in names_in(file) if (found := re.match(r"test_case_(\d+)_", name))]
    assert [name for case, name in sorted(numbered) if f"`{path}::{name}`" not in table[case]] == []


def test_a_row_without_an_answer_is_found() -> None:
    told = "| 1 | a | `tests/a.py::test_case_1_x` |\n| 2 | b | `tests/a.py::test_x` |\n| 3 | c | not yet: why |\n"
    ends = "| 4 | d | `tests/a.py::test_x_14` |\n| 14 | e | `tests/a.py::test_x_14` |\n"
    assert unanswered(rows(told + ends)) == [2, 4]
