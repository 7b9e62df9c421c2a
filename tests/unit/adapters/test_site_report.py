from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from orchestrator.adapters.site_report.form import SCHEMA_FILE, report_of, report_text, schema_text
from orchestrator.adapters.site_report.page import page_text
from orchestrator.domain.site.findings import Severity
from orchestrator.domain.site.model import Site, Station, StationId, WaypointId
from orchestrator.domain.site.survey.verdict import NOT_CHECKED, Survey, survey_site
from tests.support import invented_sites as invented
from tests.support.shared_data import REPOSITORY
from tests.support.sites import GROUND, a_graph, a_robot_model, a_site, a_ward, a_waypoint, lanes_between

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


def two_graphs(*, apart_m: float) -> Site:
    """Return a ward with a cross of two lanes, and a second lane graph beside its first lane."""
    places = {"hatch": (0, 0), "ward": (20, 0), "home": (10, -5), "n": (10, 5)}
    first = a_graph(
        [a_waypoint(id, *at) for id, at in places.items()], lanes_between("hatch-ward", "home-n", "n-hatch")
    )
    site = a_site(first, {"hatch": invented.HATCH, "ward": invented.WARD, "home": invented.CHARGER})
    beside = [a_waypoint("b1", 1, apart_m), a_waypoint("b2", 8, apart_m)]
    second = a_graph(beside, lanes_between("b1-b2"), id="second")
    homes = {"b1": invented.CHARGER, "b2": invented.WARD}
    return replace(
        site,
        graphs={**site.graphs, second.id: second},
        stations=dict(site.stations)
        | {
            StationId(id): Station(StationId(id), kind, GROUND, {second.id: WaypointId(id)})
            for id, kind in homes.items()
        },
    )


def overlaps(site: Site) -> Any:
    models = [a_robot_model(), a_robot_model(id="tug", graph="second")]
    return json.loads(report_text(survey_site(site, models)))["overlaps"]


def test_lanes_of_two_graphs_side_by_side_are_in_the_report_with_models_level_and_gap() -> None:
    near = overlaps(two_graphs(apart_m=0.5))
    (pair,) = [pair for pair in near["pairs"] if {pair["first"]["id"], pair["second"]["id"]} == {"hatch~ward", "b1~b2"}]
    who = {(used["kind"], used["model"], used["graph"]) for used in (pair["first"], pair["second"])}
    assert who == {("lane", "porter", "main"), ("lane", "tug", "second")}
    assert (pair["place"]["level"], pair["gap_m"] < 0) == ("ground", True)
    assert near["across_graphs"] >= 1
    assert sum(near["counts"].values()) == near["total"] == len(near["pairs"])
    assert overlaps(two_graphs(apart_m=9.0))["across_graphs"] == 0


def test_lanes_that_cross_without_a_waypoint_are_in_the_report_and_a_note() -> None:
    survey = survey_site(two_graphs(apart_m=9.0), [a_robot_model()])
    (finding,) = [each for each in survey.findings if each.code == "lanes_cross_without_waypoint"]
    assert finding.severity is Severity.NOTE
    assert set(finding.lanes) == {"hatch~ward", "home~n"}
    pairs = [{pair.first.id, pair.second.id} for pair in survey.overlaps.pairs]
    assert {"hatch~ward", "home~n"} in pairs
    page = page_text(survey, source="x", command="x", drawings={}, report="r.json")
    assert "## What robots may not use at once" in page
    assert "lane home\\~n (porter on graph main)" in page


def test_one_model_on_two_graphs_is_compared_on_both() -> None:
    models = [a_robot_model(), a_robot_model(graph="second")]
    assert survey_site(two_graphs(apart_m=0.5), models).overlaps.across_graphs >= 1
