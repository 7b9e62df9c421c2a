from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest

from orchestrator.adapters.config.built_in import DEMO_SITE, built_in
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.drawing.labels import Box
from orchestrator.adapters.drawing.level import boxes_taken
from orchestrator.adapters.drawing.marks import HALF, Mark, placed_marks, shape
from orchestrator.adapters.drawing.surveyed import draw_surveyed
from orchestrator.domain.site.findings import Severity
from orchestrator.domain.site.model import Site
from orchestrator.domain.site.survey.places import places_of_finding
from orchestrator.domain.site.survey.verdict import Survey, survey_site
from tests.support import invented_sites as invented
from tests.support.sites import GROUND, a_robot_model

SVG = "{http://www.w3.org/2000/svg}"


def surveyed(site: Site) -> Survey:
    return survey_site(site, [a_robot_model()])


def a_site_with_everything() -> Survey:
    """Return a survey with an error, a condition and notes on one level."""
    return surveyed(invented.charger_in_the_only_corridor())


def marks_in(svg: str) -> list[str]:
    """Return the number in each mark on the plan, in the order drawn."""
    plan = svg[svg.index('<g class="found">') :]
    plan = plan[: plan.index("</svg>")]
    return re.findall(r"<title>[^<]*</title><[^>]*/><text[^>]*>(\d+)</text>", plan)


def test_every_finding_with_a_place_on_the_level_is_marked_with_its_number_in_the_report() -> None:
    survey = a_site_with_everything()
    expected = [
        str(number)
        for number, finding in enumerate(survey.findings, start=1)
        for level, _ in places_of_finding(survey.site, finding)
        if level == GROUND
    ]
    assert expected
    assert marks_in(draw_surveyed(survey, GROUND)) == expected


def test_every_finding_of_the_level_and_of_no_place_stands_in_the_legend() -> None:
    survey = a_site_with_everything()
    svg = draw_surveyed(survey, GROUND)
    legend = svg.split("</svg>")[-2]
    numbers = re.findall(r">(\d+)</text></g><text", legend)
    assert sorted(map(int, numbers)) == list(range(1, len(survey.findings) + 1))


def test_the_verdict_and_the_number_of_robots_head_the_drawing() -> None:
    texts = [
        element.text
        for element in ElementTree.fromstring(draw_surveyed(a_site_with_everything(), GROUND)).iter(f"{SVG}text")
    ]
    assert "refused, 1 robot at most" in texts


def test_severities_are_told_apart_by_shape_and_not_by_colour_alone() -> None:
    outlines = {re.sub(r'(fill|stroke)="#[0-9a-f]+"', "", shape(severity, "")) for severity in Severity}
    assert len(outlines) == len(Severity)


def test_a_single_track_that_is_the_only_way_is_drawn_whole_and_one_with_a_way_round_broken() -> None:
    svg = draw_surveyed(surveyed(invented.wide_corridor_drawn_as_one_lane()), GROUND)
    track = next(line for line in svg.splitlines() if '<path class="track"' in line)
    assert "stroke-dasharray" not in track
    assert "the only way" in track


def test_a_resting_place_that_would_cut_others_off_is_ringed_otherwise_than_those_that_do_not() -> None:
    survey = a_site_with_everything()
    svg = draw_surveyed(survey, GROUND)
    plan = svg[svg.index('<g class="found">') : svg.index("</svg>")]
    assert plan.count('class="ring"') == 1
    assert plan.count('class="ring left-out"') == 1


def test_places_of_remedies_are_drawn() -> None:
    survey = a_site_with_everything()
    points = [remedy.points for finding in survey.findings for remedy in finding.remedies if remedy.points]
    plan = draw_surveyed(survey, GROUND)
    plan = plan[plan.index('<g class="found">') : plan.index("</svg>")]
    assert plan.count('class="remedy"') == sum(map(len, points)) > 0


@pytest.mark.parametrize("level", ["ground", "first"])
def test_marks_on_the_demo_hospital_hide_no_label_and_no_other_mark(level: str) -> None:
    site = load_site(built_in(DEMO_SITE))
    survey = surveyed(site)
    svg = draw_surveyed(survey, next(each for each in site.levels if each == level))
    centres = re.findall(r'<g transform="translate\(([-\d.]+) ([-\d.]+)\) scale\(([\d.]+)\)"><title>', svg)
    marks = [(float(x), float(y), float(half)) for x, y, half in centres if abs(float(half) - HALF) < 0.01]
    boxes = [Box(x - half, y - half, x + half, y + half) for x, y, half in marks]
    assert len(boxes) > 3
    area = (2.0 * HALF) ** 2
    taken = boxes_taken(site, next(each for each in site.levels if each == level))
    assert all(a.overlap(b) < 0.05 * area for a, b in combinations(boxes, 2))
    assert all(box.overlap(other) < 0.15 * area for box in boxes for other in taken)


def test_marks_stay_on_the_page_and_off_each_other_though_all_are_at_one_point() -> None:
    page = Box(0.0, 0.0, 20.0, 20.0)
    marks = [Mark(number, Severity.NOTE, (10.0, 0.1)) for number in range(8)]
    placed = placed_marks(marks, taken=[], page=page, unit=1.0)
    boxes = [Box(x - HALF, y - HALF, x + HALF, y + HALF) for _, (x, y) in placed]
    assert all(box.overlap(page) == pytest.approx((2.0 * HALF) ** 2) for box in boxes)
    assert all(a.overlap(b) < 0.05 * (2.0 * HALF) ** 2 for a, b in combinations(boxes, 2))


def test_a_drawing_is_well_formed_xml_whatever_things_are_called() -> None:
    survey = a_site_with_everything()
    renamed = replace(survey, site=replace(survey.site, name='A & B <"x">'))
    assert ElementTree.fromstring(draw_surveyed(renamed, GROUND)).tag == f"{SVG}svg"
