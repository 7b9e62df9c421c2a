"""The safety papers name tests that exist, are what the hazard log says, and claim nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.config.hazard_log import Likelihood, Rating, Severity, load_hazard_log
from orchestrator.adapters.config.hazard_papers import FOLDER, SOURCE, main, paper_texts
from orchestrator.adapters.config.source import ConfigFileError
from tests.support.named_tests import missing
from tests.support.shared_data import REPOSITORY

LOG = load_hazard_log(FOLDER / SOURCE)
NAMED = sorted({test for hazard in LOG.hazards for control in hazard.controls for test in control.tests})
STARTERS = 16
"""The hazards that the clinical notes begin with."""


def test_every_test_that_a_control_names_exists() -> None:
    assert missing(NAMED) == []


def test_a_dead_name_is_found() -> None:
    here = f"{Path(__file__).relative_to(REPOSITORY)}"
    assert missing([f"{here}::test_a_dead_name_is_found"]) == []
    dead = [f"{here}::test_that_nobody_wrote", "tests/unit/none.py::test_x", f"{here}::missing"]
    assert missing(dead) == dead


def test_every_hazard_has_a_control_that_a_test_stands_behind() -> None:
    assert len(LOG.hazards) >= STARTERS
    assert [hazard.id for hazard in LOG.hazards if not any(control.tests for control in hazard.controls)] == []


def test_the_papers_are_what_the_hazard_log_says() -> None:
    stale = [name for name, text in paper_texts(LOG).items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m orchestrator.adapters.config.hazard_papers and commit what it wrote"
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", paper_texts(LOG))
def test_every_paper_says_what_it_is_not(name: str) -> None:
    text = paper_texts(LOG)[name]
    for words in (
        "Not for clinical use",
        "No clinical safety officer has signed",
        "not a medical device determination",
    ):
        assert words in text.replace("\n", " ")
    assert "certified" not in text.lower()


def test_risk_follows_the_matrix() -> None:
    def risk(severity: Severity, likelihood: Likelihood) -> int:
        return Rating(severity=severity, likelihood=likelihood).risk

    assert risk(Severity.MINOR, Likelihood.VERY_LOW) == 1
    assert risk(Severity.CATASTROPHIC, Likelihood.VERY_HIGH) == 5
    assert risk(Severity.CATASTROPHIC, Likelihood.VERY_LOW) == 3
    for likelihood in Likelihood:
        risks = [risk(severity, likelihood) for severity in Severity]
        assert risks == sorted(risks)
    for severity in Severity:
        risks = [risk(severity, likelihood) for likelihood in Likelihood]
        assert risks == sorted(risks)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("id: H02", "id: H01", "does not come after"),
        (
            "residual: {severity: major, likelihood: very_low}",
            "residual: {severity: major, likelihood: very_high}",
            "larger",
        ),
        ("severity: major", "severity: terrible", "severity"),
        ("tests/property/onboard/test_drawer_grants.py::", "tests/property/onboard/test_drawer_grants.py", "tests"),
        ("status: controlled", "status: open", "open_points"),
        ("by_hospital: true", "by_hospital: false", "names tests"),
    ],
)
def test_a_log_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, old: str, new: str, word: str) -> None:
    said = (FOLDER / SOURCE).read_text(encoding="utf-8")
    assert old in said
    path = tmp_path / "log.yaml"
    path.write_text(said.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigFileError) as refused:
        load_hazard_log(path)
    assert any(word in complaint.sentence for complaint in refused.value.complaints)
    assert all(complaint.line > 1 for complaint in refused.value.complaints)
