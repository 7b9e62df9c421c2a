"""How a robot speaks, as fleet and model files say it: what is written is what is meant, and faults name their line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.config.fleet_file import FleetReading, read_fleet
from orchestrator.adapters.config.robot_model_file import read_robot_models
from orchestrator.adapters.config.source import ConfigFileError
from orchestrator.domain.fleet.model import ModelId, Pose, RobotId
from orchestrator.domain.fleet.order import ActionKind
from orchestrator.domain.site.model import LevelId
from orchestrator.vda5050.dialect import (
    STANDARD_ACTIONS,
    Dialect,
    Headings,
    InstantKey,
    LoadReports,
    OrderUpdates,
    Where,
)
from orchestrator.vda5050.frames import MapPose
from orchestrator.vda5050.orders import BlockingType

GROUND, FIRST = LevelId("ground"), LevelId("first")
MODEL = """\
model: porter
graph: main
radius_m: 0.35
speed_max_m_s: 1.2
acceleration_m_s2: 0.6
turn_speed_max_rad_s: 1.2
turn_acceleration_rad_s2: 1.8
drawers: [A, B]
lost_after_s: 40
"""
FLEET = """\
fleet: f
robots:
  theirs: {model: porter, manufacturer: Maker AG, serial_number: s-1, home: spur}
"""


def read(tmp_path: Path, fleet: str, *, model: str = MODEL) -> FleetReading:
    (tmp_path / "porter.model.yaml").write_text(model)
    file = tmp_path / "odd.fleet.yaml"
    file.write_text(fleet)
    return read_fleet(file, models=read_robot_models(tmp_path))


def with_link(link: str) -> str:
    indented = "\n".join(f"      {line}" for line in link.strip().splitlines())
    return f"""\
fleet: f
robots:
  theirs:
    model: porter
    manufacturer: Maker AG
    serial_number: s-1
    home: spur
    protocol_version: 2.0.0
    link:
{indented}
"""


LINK_LINE = 10
"""The line of the first word under ``link:`` in `with_link`."""


def dialect_of(tmp_path: Path, link: str, **more: Any) -> Dialect:
    return read(tmp_path, with_link(link), **more).dialects([GROUND, FIRST])[RobotId("theirs")]


def test_a_robot_without_a_link_speaks_as_the_standard_has_it(tmp_path: Path) -> None:
    assert read(tmp_path, FLEET).dialects([GROUND]) == {RobotId("theirs"): Dialect()}


def test_every_option_is_what_it_says(tmp_path: Path) -> None:
    dialect = dialect_of(
        tmp_path,
        """
order_updates: none
loads: own
deviation_m: 0.4
start_deviation_m: 2.0
headings: all
heading_deviation_rad: 3.1
drawer_words: {A: 1, B: rear}
instant_key: instantActions
may_be_asked: false
uses_uninitialised_position: true
""",
    )
    assert dialect == Dialect(
        order_updates=OrderUpdates.NONE,
        loads=LoadReports.OWN,
        deviation_m=0.4,
        start_deviation_m=2.0,
        headings=Headings.ALL,
        heading_deviation_rad=3.1,
        drawer_words={"A": 1, "B": "rear"},
        instant_key=InstantKey.INSTANT_ACTIONS,
        may_be_asked=False,
        uses_uninitialised_position=True,
    )


def test_an_action_is_none_a_word_or_a_whole_rule(tmp_path: Path) -> None:
    dialect = dialect_of(
        tmp_path,
        """
actions:
  pick: none
  drop: unload
  start_charging: {where: instant, blocking: SOFT}
  stop_charging: {type: undock, parameters: {speed: 0.2, side: "{drawer}"}, description: leave}
""",
    )
    assert not dialect.knows(ActionKind.PICK)
    drop, standard = dialect.rule(ActionKind.DROP), STANDARD_ACTIONS[ActionKind.DROP]
    assert drop is not None
    assert (drop.action_type, drop.parameters) == ("unload", standard.parameters)
    charging = dialect.rule(ActionKind.START_CHARGING)
    assert charging is not None
    assert (charging.action_type, charging.where, charging.blocking) == (
        "startCharging",
        Where.INSTANT,
        BlockingType.SOFT,
    )
    undock = dialect.rule(ActionKind.STOP_CHARGING)
    assert undock is not None
    assert undock.parameters == (("speed", 0.2), ("side", "{drawer}"))
    assert dialect.rule(ActionKind.CANCEL_ORDER) == STANDARD_ACTIONS[ActionKind.CANCEL_ORDER]


def test_each_act_has_its_place_holders(tmp_path: Path) -> None:
    everywhere = "load: '{load}', drawer: ['{drawer}'], node: '{node}', text: 'a {} of { \"is\": 1 }'"
    place = ", ".join(f"{name}: '{{{name}}}'" for name in ("x", "y", "theta", "map", "map_version", "last_node"))
    dialect = dialect_of(
        tmp_path,
        f"""
actions:
  pick: {{parameters: {{{everywhere}}}}}
  init_position: {{parameters: {{{everywhere}, {place}}}}}
  enable_map: {{parameters: {{{place}}}}}
  open_drawer: {{parameters: {{{everywhere}, grant: '{{grant}}', by: '{{signature}}'}}}}
""",
    )
    pick = dialect.rule(ActionKind.PICK)
    assert pick is not None
    assert dict(pick.parameters)["drawer"] == ["{drawer}"]


def test_a_map_by_numbers_and_a_map_by_points_lie_where_they_say(tmp_path: Path) -> None:
    dialect = dialect_of(
        tmp_path,
        """
maps:
  ground: {map_id: eg, x_m: 4.0, y_m: 1.0, rotation_rad: 1.5707963}
  first:
    map_id: og1
    points:
      - {site: [4.0, 1.0], robot: [0.0, 0.0]}
      - {site: [4.0, 11.0], robot: [10.0, 0.0]}
      - {site: [1.0, 1.0], robot: [0.0, 3.0]}
""",
    )
    for level, map_id in ((GROUND, "eg"), (FIRST, "og1")):
        pose = dialect.frames.inward(MapPose(map_id, 2.0, 1.0, 0.0))
        assert pose is not None
        assert (pose.level, pose.x_m, pose.y_m) == (level, pytest.approx(3.0), pytest.approx(3.0))
        assert pose.theta_rad == pytest.approx(math.pi / 2)


def test_a_level_without_a_map_keeps_its_own_name_beside_those_that_have_one(tmp_path: Path) -> None:
    frames = dialect_of(tmp_path, "maps: {ground: {map_id: eg}}").frames
    assert frames.outward(Pose(FIRST, 1.0, 2.0)).map_id == "first"
    assert frames.inward(MapPose("nobody-knows", 1.0, 2.0, 0.0)) is None


def test_a_robot_says_what_differs_from_its_model(tmp_path: Path) -> None:
    model = (
        MODEL
        + """\
link:
  loads: own
  deviation_m: 0.5
  actions: {pick: load, drop: unload}
  maps: {ground: {map_id: eg}, first: {map_id: og1}}
"""
    )
    dialect = dialect_of(tmp_path, "loads: none\nactions: {drop: none}\nmaps: {ground: {map_id: hall}}", model=model)
    assert (dialect.loads, dialect.deviation_m) == (LoadReports.NONE, 0.5)
    pick = dialect.rule(ActionKind.PICK)
    assert pick is not None
    assert (pick.action_type, dialect.knows(ActionKind.DROP)) == ("load", False)
    assert {frame.map_id for frame in dialect.frames.by_level.values()} == {"hall", "og1"}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("actions: {dance: none}", "dance"),
        ("actions: {cancel_order: none}", "every robot needs an action"),
        ("actions: {pick: {parameters: {box: {deep: 1}}}}", "object"),
        ("maps: {attic: {map_id: eg}}", "the level 'attic'"),
        ("maps: {ground: {map_id: eg}, first: {map_id: eg}}", "Two levels have one robot map"),
        ("maps: {ground: {map_id: eg, scale: 2.0}}", "scale 2"),
        ("maps: {ground: {map_id: eg, points: [{site: [0, 0], robot: [0, 0]}]}}", "at least 2"),
        (
            "maps: {ground: {map_id: eg, points: [{site: [0, 0], robot: [0, 0]}, {site: [9, 0], robot: [18, 0]}]}}",
            "scale of 0.500",
        ),
        (
            "maps: {ground: {map_id: eg, points: [{site: [0, 0], robot: [0, 0]}, {site: [9, 0], robot: [9, 0]}, "
            "{site: [9, 9], robot: [9.0, 9.3]}]}}",
            "fit to 0.",
        ),
        (
            "maps: {ground: {map_id: eg, x_m: 1, points: [{site: [0, 0], robot: [0, 0]}, "
            "{site: [9, 0], robot: [9, 0]}]}}",
            "numbers and points",
        ),
        ("maps: {ground: {map_id: first, x_m: 5.0}}", "the level 'first', which has no map of its own"),
        ("actions: {pick: {parameters: {id: '{loadId}'}}}", "'id' of pick holds {loadId}"),
        ("actions: {pick: {parameters: {ids: [a, '{ Load }']}}}", "'ids' of pick holds { Load }"),
        ("actions: {pick: {parameters: {x: '{x}'}}}", "'x' of pick holds {x}"),
        ("actions: {init_position: {parameters: {x: '{x} {grant}'}}}", "'x' of init_position holds {grant}"),
        ('factsheet: "a\\0b"', "names no file"),
        ("drawer_words: {A: {bay: 1}}", "drawer_words calls 'A' by an object"),
        ("drawer_words: {Z: 1}", "the drawer 'Z'"),
        ("factsheet: not-there.json", "cannot be read"),
        ("nodes: {a: N1, b: N1}", "the robot's node 'N1' 2 times"),
        ("order_updates: perhaps", "order_updates"),
        ("start_deviation_m: -1.0", "start_deviation_m"),
        ("polite: true", "not a known key"),
    ],
)
def test_a_link_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, link: str, said: str) -> None:
    with pytest.raises(ConfigFileError, match=said) as refused:
        dialect_of(tmp_path, link)
    assert LINK_LINE in [complaint.line for complaint in refused.value.complaints]
    assert refused.value.path.name == "odd.fleet.yaml"


def test_a_fault_in_a_models_link_is_told_of_the_models_file_and_once(tmp_path: Path) -> None:
    fleet = FLEET + "  other: {model: porter, manufacturer: Maker AG, serial_number: s-2, home: ward}\n"
    reading = read(tmp_path, fleet, model=MODEL + "link: {maps: {attic: {map_id: eg}}}\n")
    with pytest.raises(ConfigFileError) as refused:
        reading.dialects([GROUND])
    assert refused.value.path.name == "porter.model.yaml"
    assert [complaint.line for complaint in refused.value.complaints] == [10]


def test_a_factsheet_beside_the_file_stands_for_the_robots_own(tmp_path: Path) -> None:
    (tmp_path / "their.factsheet.json").write_text(json.dumps(FACTSHEET))
    factsheet = dialect_of(tmp_path, "factsheet: their.factsheet.json").factsheet
    assert factsheet is not None
    assert factsheet.physical_parameters.length == 0.9
    (tmp_path / "their.factsheet.json").write_text("{}")
    with pytest.raises(ConfigFileError, match="was refused"):
        dialect_of(tmp_path, "factsheet: their.factsheet.json")


OWN_MODEL = """\
models:
  cart: {like: porter, radius_m: 0.5, drawers: [one], link: {loads: none}}
"""


def test_a_fleet_brings_models_of_its_own_that_are_like_a_known_one(tmp_path: Path) -> None:
    fleet = FLEET.replace("fleet: f\n", f"fleet: f\n{OWN_MODEL}").replace("model: porter,", "model: cart,")
    reading = read(tmp_path, fleet, model=MODEL + "link: {deviation_m: 0.5}\n")
    assert reading.models is not None
    cart, porter = reading.models[ModelId("cart")].model, reading.models[ModelId("porter")].model
    assert (cart.radius_m, cart.drawers, cart.lost_after_s) == (0.5, ("one",), porter.lost_after_s)
    assert [model.id for model in reading.robot_models()] == ["porter", "cart"]
    dialect = reading.dialects([GROUND])[RobotId("theirs")]
    assert (dialect.loads, dialect.deviation_m) == (LoadReports.NONE, None)


@pytest.mark.parametrize(
    ("written", "instead", "line", "said"),
    [
        ("like: porter", "like: ghost", 3, "'ghost'"),
        ("cart:", "porter:", 3, "known already"),
        ("radius_m: 0.5", "radius_m: -1.0", 3, "radius_m"),
        ("like: porter, ", "", 3, "graph is missing"),
        ("drawers: [one]", "lost_after_s: 1.0", 3, "state_interval_s"),
    ],
)
def test_an_own_model_that_cannot_be_is_refused(
    tmp_path: Path, written: str, instead: str, line: int, said: str
) -> None:
    fleet = FLEET.replace("fleet: f\n", f"fleet: f\n{OWN_MODEL}").replace(written, instead)
    with pytest.raises(ConfigFileError, match=said) as refused:
        read(tmp_path, fleet)
    assert line in [complaint.line for complaint in refused.value.complaints]


def test_blanks_in_a_makers_name_and_levels_in_an_interface_name_are_allowed(tmp_path: Path) -> None:
    fleet = read(tmp_path, FLEET.replace("home: spur", "home: spur, interface_name: site/uagv")).fleet()
    assert fleet.robots[RobotId("theirs")].manufacturer == "Maker AG"
    assert fleet.robots[RobotId("theirs")].interface_name == "site/uagv"


FACTSHEET = {
    "version": "2.0.0",
    "manufacturer": "Maker AG",
    "serialNumber": "s-1",
    "typeSpecification": {"seriesName": "s", "agvKinematic": "DIFF", "agvClass": "CARRIER", "maxLoadMass": 9.0},
    "physicalParameters": {
        "speedMin": 0.1,
        "speedMax": 1.0,
        "accelerationMax": 1.0,
        "decelerationMax": 1.0,
        "heightMax": 1.0,
        "width": 0.5,
        "length": 0.9,
    },
    "protocolLimits": {"timing": {"minOrderInterval": 0.0, "minStateInterval": 0.0}},
    "protocolFeatures": {},
    "agvGeometry": {},
    "loadSpecification": {},
}


ODD_ACTIONS = {
    "pick: {type: ''}": "pick → type was refused: string should have at least 1 character",
    "pick: {typ: x}": "pick → typ is not a known key",
    "pick: {where: moon}": "pick → where was refused: input should be 'node' or 'instant'",
    "pick: 5": "pick was refused: expected the robot's own word for it, of at most 120 characters, or `none`",
    "pick: ''": "pick was refused: expected the robot's own word for it",
    "pick: [a]": "pick was refused: expected the robot's own word for it",
}


@pytest.mark.parametrize("entry", sorted(ODD_ACTIONS))
def test_a_wrong_action_is_one_complaint_in_words_of_the_file(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ConfigFileError) as refused:
        dialect_of(tmp_path, f"actions:\n  {entry}")
    (complaint,) = refused.value.complaints
    assert ODD_ACTIONS[entry] in complaint.sentence
    assert complaint.line == LINK_LINE + 1


def test_people_are_told_how_each_map_lies_in_the_site(tmp_path: Path) -> None:
    link = "maps:\n  ground: {map_id: hall}\n  first: {map_id: up, x_m: 10.0, y_m: 4.0, rotation_rad: 1.5708}"
    assert dialect_of(tmp_path, link).frames.in_words() == [
        "Map hall is level ground: in the site's own frame, nothing moved or turned.",
        "Map up is level first: its origin at (10.00, 4.00) m in the site, turned 90.0°.",
    ]
    assert Dialect().frames.in_words() == []
