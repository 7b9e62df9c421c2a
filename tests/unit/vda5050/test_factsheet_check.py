"""What a factsheet says against the configuration is found; what it leaves out, or agrees to, is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.fleet.model import Footprint, circumscribed_radius_m
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.vda5050.address import RobotAddress
from orchestrator.vda5050.dialect import STANDARD, ActionRule, Dialect, Headings, Where
from orchestrator.vda5050.factsheet_check import check_factsheet
from orchestrator.vda5050.messages import Factsheet
from ros_nodes.onboard.factsheet import factsheet_of
from tests.support.factsheets import a_factsheet
from tests.support.robot_link import START, a_model
from tests.support.wards import porter_model

ROUND = {"length": 0.4, "width": 0.4}
"""Reaches 0.283 m; the model of these tests keeps 0.3 m."""


def codes(factsheet: Factsheet, *, dialect: Dialect = STANDARD, version: str = "2.1.0") -> list[tuple[str, bool]]:
    found = check_factsheet(factsheet, model=a_model(), dialect=dialect, version=version)
    return [(finding.code, finding.is_serious) for finding in found]


def an_offer(action_type: str, **more: Any) -> dict[str, Any]:
    return {"actionType": action_type, "actionScopes": ["NODE", "INSTANT"], **more}


SIDE = {"key": "side", "valueDataType": "STRING"}
AT_ONCE = {"actionScopes": ["INSTANT"]}
ALL_OFFERS = [an_offer(name) for name in ("pick", "drop", "startCharging", "stopCharging")]


def test_a_factsheet_that_agrees_or_says_little_has_no_finding() -> None:
    assert codes(a_factsheet()) == []
    assert codes(a_factsheet(actions=ALL_OFFERS)) == []


@pytest.mark.parametrize(
    ("changes", "code", "is_serious"),
    [
        ({"physical": {"length": 0.8, "width": 0.5}}, "factsheet_size", True),
        ({"envelope": [(0.2, 0.2), (-0.45, 0.0)]}, "factsheet_size", True),
        ({"physical": {"speedMax": 0.6}}, "factsheet_speed", False),
        ({"physical": {"decelerationMax": 0.2}}, "factsheet_braking", True),
        ({"version": "2.0.0"}, "factsheet_version", False),
        ({"array_lens": {"order.nodes": 5}}, "factsheet_limit", False),
        ({"string_lens": {"idLen": 16}}, "factsheet_limit", False),
        ({"string_lens": {"idNumericalOnly": True}}, "factsheet_limit", True),
        ({"actions": ALL_OFFERS[1:]}, "factsheet_action_missing", True),
        ({"actions": ALL_OFFERS[:3]}, "factsheet_action_missing", False),
        (
            {"actions": [*ALL_OFFERS[:3], an_offer("stopCharging", **AT_ONCE)]},
            "factsheet_action_scope",
            False,
        ),
        ({"actions": [*ALL_OFFERS[1:], an_offer("pick", blockingTypes=["SOFT"])]}, "factsheet_action_blocking", False),
        (
            {
                "actions": [
                    *ALL_OFFERS[1:],
                    an_offer("pick", actionParameters=[SIDE]),
                ]
            },
            "factsheet_action_parameters",
            False,
        ),
        (
            {"optional": [{"parameter": "order.nodes.nodePosition.theta", "support": "REQUIRED"}]},
            "factsheet_demand",
            False,
        ),
    ],
)
def test_each_disagreement_is_found_alone(changes: dict[str, Any], code: str, is_serious: bool) -> None:
    assert codes(a_factsheet(**changes)) == [(code, is_serious)]


def test_what_the_dialect_answers_is_no_disagreement() -> None:
    instant = Dialect({ActionKind.STOP_CHARGING: ActionRule("stopCharging", where=Where.INSTANT)})
    offers = [*ALL_OFFERS[:3], an_offer("stopCharging", **AT_ONCE)]
    assert codes(a_factsheet(actions=offers), dialect=instant) == []
    no_pick = Dialect({ActionKind.PICK: None})
    assert codes(a_factsheet(actions=ALL_OFFERS[1:]), dialect=no_pick) == []
    faces = Dialect(headings=Headings.ALL)
    demands = [{"parameter": "order.nodes.nodePosition.theta", "support": "REQUIRED"}]
    assert codes(a_factsheet(optional=demands), dialect=faces) == []
    optional = an_offer("pick", actionParameters=[SIDE | {"isOptional": True}])
    assert codes(a_factsheet(actions=[*ALL_OFFERS[1:], optional])) == []


def test_the_corners_of_the_box_around_a_robot_that_gives_its_outline_are_nothing_it_reaches() -> None:
    box = {"length": 0.6, "width": 0.6}
    assert codes(a_factsheet(physical=box)) == [("factsheet_size", True)]
    assert codes(a_factsheet(physical=box, envelope=[(0.3, 0.0), (0.0, 0.3), (-0.3, 0.0), (0.0, -0.3)])) == []


@pytest.mark.parametrize("footprint", [(), ((0.4, 0.3), (-0.4, 0.3), (-0.4, -0.3), (0.4, -0.3))])
def test_our_own_robots_say_what_their_model_says(footprint: Footprint) -> None:
    radius_m = circumscribed_radius_m(footprint) if footprint else 0.35
    model = replace(porter_model(), footprint=footprint, radius_m=radius_m)
    address = RobotAddress("uagv", "wardporter", "WP0001", "2.1.0")
    sheet = factsheet_of(model, address=address, header_id=0, now=START)
    assert check_factsheet(sheet, model=model, dialect=STANDARD, version="2.1.0") == ()


@pytest.mark.parametrize("version", ["2.1.0", "2.1", "v2.1.0", ""])
def test_a_version_written_short_is_the_same_version(version: str) -> None:
    assert codes(a_factsheet(version=version)) == []


def test_serious_findings_come_first() -> None:
    found = codes(a_factsheet(version="2.0.0", physical={"length": 2.0}))
    assert found == [("factsheet_size", True), ("factsheet_version", False)]
