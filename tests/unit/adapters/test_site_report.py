from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema
import pytest

from orchestrator.adapters.site_report.form import SCHEMA_FILE, report_of, report_text, schema_text
from orchestrator.adapters.site_report.page import page_text
from orchestrator.domain.site.model import Site
from orchestrator.domain.site.survey.verdict import NOT_CHECKED, Survey, survey_site
from tests.support import invented_sites as invented
from tests.support.shared_data import REPOSITORY
from tests.support.sites import GROUND, a_robot_model, a_ward

SITES: dict[str, Callable[[], Site]] = {
    "sound": a_ward,
    "refused": invented.charger_in_the_only_corridor,
    "one door": invented.two_wards_behind_one_door,
    "split": invented.graph_split_in_two,
    "lift": invented.lobby_as_resting_place,
}


def surveyed(site: Site) -> Survey:
    return survey_site(site, [a_robot_model()])


@pytest.mark.parametrize("made", SITES.values(), ids=SITES.keys())
def test_a_report_keeps_its_committed_schema(made: Callable[[], Site]) -> None:
    schema = json.loads((REPOSITORY / SCHEMA_FILE).read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(report_text(surveyed(made()))))


def test_the_committed_schema_refuses_what_is_no_report() -> None:
    report = json.loads(report_text(surveyed(a_ward())))
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    for spoiled in ({**report, "verdict": "fine"}, {**report, "more": 1}, {**report, "findings": [{}]}):
        assert not validator.is_valid(spoiled)


def test_findings_are_numbered_placed_in_metres_and_carry_their_remedies() -> None:
    report = report_of(surveyed(invented.charger_in_the_only_corridor()))
    assert [finding.number for finding in report.findings] == list(range(1, len(report.findings) + 1))
    (finding,) = [each for each in report.findings if each.code == "resting_place_cuts_off"]
    assert [(place.level, place.x_m, place.y_m) for place in finding.places] == [("ground", 12.0, 0.0)]
    assert finding.waypoint == "mid"
    assert finding.remedies[0].places
    assert report.verdict.value == "refused"
    assert {each.code for each in report.not_checked} == set(NOT_CHECKED)


def test_a_page_says_the_verdict_the_conditions_the_remedies_and_what_was_not_checked() -> None:
    survey = surveyed(invented.charger_in_the_only_corridor())
    page = page_text(
        survey,
        source="x.site.yaml",
        command="wardporter site check x.site.yaml",
        drawings={GROUND: "ground.svg"},
        report="r.json",
    )
    assert "**Verdict: refused, for at most 1 robot.**" in page
    assert "![Test, level ground: refused](ground.svg)" in page
    assert "(tried on the map)" in page
    assert all(what in page for what in NOT_CHECKED.values())
    for number, finding in enumerate(survey.findings, start=1):
        assert f"| {number} | `{finding.code}` |" in page


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    page = page_text(
        surveyed(invented.two_wards_behind_one_door()), source="x", command="y", drawings={}, report="r.json"
    )
    width = 0
    for line in page.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\|", "").count("|")
        width = width or cells
        assert cells == width, line
