"""The papers point at things that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.shared_data import REPOSITORY

PAPERS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


def _name(paper: Path) -> str:
    return str(paper.relative_to(REPOSITORY))


@pytest.mark.parametrize("paper", PAPERS, ids=_name)
def test_links_between_papers_lead_somewhere(paper: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", paper.read_text(encoding="utf-8"))
    dead = [target for target in targets if "://" not in target and not (paper.parent / target).exists()]
    assert dead == []


@pytest.mark.parametrize("paper", PAPERS, ids=_name)
def test_tests_that_a_paper_names_exist(paper: Path) -> None:
    named = re.findall(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`", paper.read_text(encoding="utf-8"))
    missing = [path for path, _ in named if not (REPOSITORY / path).is_file()]
    assert missing == []
    unknown = [test for path, test in named if test and f"def {test}(" not in (REPOSITORY / path).read_text()]
    assert unknown == []


def test_every_promise_is_in_the_table_once() -> None:
    rows = re.findall(r"^\| (\d+) \|", (REPOSITORY / "docs" / "promises.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == list(range(1, 15))


def test_every_decision_is_listed() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in folder.glob("0*.md") if path.name not in listed] == []
