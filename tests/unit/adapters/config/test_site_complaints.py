from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.config.fleet_file import load_fleet
from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.config.site_writing import SiteNotWritableError, site_file_text
from orchestrator.adapters.config.source import ConfigFileError, read_source
from orchestrator.domain.site.model import GraphId, LaneGraph, LaneId
from ros_nodes.model_file import model_from_json, model_to_json
from tests.support.sites import a_graph, a_site, a_waypoint, lanes_between

SITE = """\
site: small
levels:
  ground: {}
graphs:
  main:
    lane_width_m: 2.0
    waypoints:
      hatch: {level: ground, x: 0, y: 0}
      ward: {level: ground, x: 9, y: 0}
      spur: {level: ground, x: 9, y: 3}
    lanes:
      - {from: hatch, to: ward}
      - {from: ward, to: spur}
stations:
  hatch: {kind: pharmacy_hatch, level: ground, waypoints: {main: hatch}}
  ward: {kind: ward_handover, level: ground, waypoints: {main: ward}}
  spur: {kind: charger, level: ground, waypoints: {main: spur}}
"""


def main_graph(file: Path) -> LaneGraph:
    return load_site(file).graphs[GraphId("main")]


def complaints_of(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ConfigFileError) as refused:
        load_site(file)
    return refused.value.message.splitlines()


def test_a_small_site_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "small.site.yaml"
    file.write_text(SITE)
    lanes = main_graph(file).lanes
    assert list(lanes) == ["hatch~ward", "ward~hatch", "ward~spur", "spur~ward"]
    assert {lane.width_m for lane in lanes.values()} == {2.0}
    assert load_site(file).name == "small"


@pytest.mark.parametrize(
    ("written", "instead", "line", "said"),
    [
        ("to: spur", "to: ghost", 13, "'ghost'"),
        ("x: 9, y: 3", "x: nine, y: 3", 10, "nine"),
        ("x: 9, y: 3", "x: .inf, y: 3", 10, "finite"),
        ("x: 9, y: 3", "z: 3, x: 9, y: 3", 10, "spur → z is not a known key"),
        ("x: 9, y: 3", "x: 9", 10, "spur → y is missing"),
        ("kind: charger", "kind: chargre", 17, "chargre"),
        ("      spur: {", "      ward: {", 10, "it is already on line 9"),
        ("from: ward, to: spur", "from: hatch, to: ward", 13, "already on line 12"),
        ("{main: spur}", "{mian: spur}", 17, "'mian'"),
        ("y: 3}", "y: 3", 11, "not YAML"),
        ("  ground: {}", "  ? [a, b]\n  : {}", 3, "not a plain word"),
        ("lane_width_m: 2.0", "lane_width_m: -2.0", 6, "lane_width_m"),
        ("stations:", "walls:\n  roof: [[0, 0, 1, 1]]\nstations:", 15, "level 'roof'"),
        ("stations:", "walls:\n  ground: [[0, 0, 1]]\nstations:", 15, "at least 4 items"),
        ("x: 9, y: 3", "x: 0x_, y: 3", 10, "cannot be read as a value"),
        ("from: ward, to: spur", "from: ward, to: spur, bidirectional: false", 17, "cannot be reached"),
    ],
)
def test_each_complaint_names_the_line_and_what_is_wrong(
    tmp_path: Path, written: str, instead: str, line: int, said: str
) -> None:
    file = tmp_path / "wrong.site.yaml"
    complaints = complaints_of(file, SITE.replace(written, instead, 1))
    assert any(each.startswith(f"{file}:{line}: ") and said in each for each in complaints), complaints


def test_several_complaints_come_at_once(tmp_path: Path) -> None:
    text = SITE.replace("kind: charger", "kind: chargre").replace("x: 9, y: 0", "x: nine, y: 0")
    assert len(complaints_of(tmp_path / "wrong.site.yaml", text)) == 2


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- 1\n", b"a: &a [*a]\n", b"x: {" * 3000])
def test_files_that_are_no_site_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.site.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigFileError):
        load_site(file)


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? ", "&a ["])
@pytest.mark.parametrize("depth", [51, 100_000])
def test_what_is_nested_too_deep_is_refused_and_does_not_end_the_process(
    tmp_path: Path, opening: str, depth: int
) -> None:
    file = tmp_path / "deep.site.yaml"
    file.write_text("# what follows is deep\n" + opening * depth)
    with pytest.raises(ConfigFileError) as refused:
        read_source(file)
    assert refused.value.message.endswith("deep.site.yaml:2: The file is nested over 50 deep. Unfold it.")


def test_a_list_where_keys_are_expected_is_refused_in_plain_words(tmp_path: Path) -> None:
    (whole,) = complaints_of(tmp_path / "list.site.yaml", "- 1\n")
    assert "expected keys with values (found [1])" in whole
    text = SITE.replace("hatch: {level: ground, x: 0, y: 0}", "hatch: [0, 0]")
    (part,) = complaints_of(tmp_path / "part.site.yaml", text)
    assert "waypoints → hatch was refused: expected keys with values (found [0, 0])" in part


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match="cannot be read"):
        load_site(tmp_path / "none.site.yaml")


def test_numbers_may_be_ids(tmp_path: Path) -> None:
    file = tmp_path / "numbers.site.yaml"
    file.write_text(SITE.replace(" hatch", " 12"))
    assert "12" in main_graph(file).waypoints


def test_a_door_is_found_by_crossing_unless_the_lane_says_otherwise(tmp_path: Path) -> None:
    doors = "doors:\n  gate: {level: ground, start: [5, -1], end: [5, 1]}\n"
    found = tmp_path / "found.site.yaml"
    found.write_text(SITE + doors)
    assert main_graph(found).lanes[LaneId("ward~hatch")].door == "gate"
    denied = tmp_path / "denied.site.yaml"
    denied.write_text(SITE.replace("from: hatch, to: ward", "from: hatch, to: ward, door: null") + doors)
    site = load_site(denied)
    assert main_graph(denied).lanes[LaneId("hatch~ward")].door is None
    denied.write_text(site_file_text(site))
    assert load_site(denied) == site


def test_a_pair_that_differs_cannot_be_written_as_one_lane() -> None:
    lanes = lanes_between("a-b", width_m=1.0)[:1] + lanes_between("a-b", width_m=2.0)[1:]
    graph = a_graph([a_waypoint("a", 0, 0), a_waypoint("b", 1, 0)], lanes)
    with pytest.raises(SiteNotWritableError, match="two one-way lanes"):
        site_file_text(a_site(graph, {}))


MODEL = """\
model: porter
graph: main
radius_m: 0.35
speed_max_m_s: 1.2
acceleration_m_s2: 0.6
turn_speed_max_rad_s: 1.2
turn_acceleration_rad_s2: 1.8
drawers: [A, B]
"""


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (MODEL.replace("[A, B]", "[A, A]"), 8, "named twice"),
        (MODEL + "lost_after_s: 1.0\n", 9, "state_interval_s"),
        (MODEL + "battery_ready: 0.1\n", 9, "battery_reserve"),
        (MODEL.replace("0.35", "-0.35"), 3, "greater than 0"),
        (MODEL.replace("radius_m: 0.35\n", ""), 1, "Neither radius_m nor footprint"),
        (MODEL + "footprint: [[0.4, 0.3], [-0.4, 0.3], [-0.4, -0.3], [0.4, -0.3]]\n", 3, "expected 0.500"),
        (MODEL.replace("0.35", "0.4") + "footprint: [[0.4, 0.0], [-0.4, 0.0], [0.1, 0.0]]\n", 9, "on one line"),
        (MODEL + "deviation_m: -0.1\n", 9, "greater than or equal to 0"),
    ],
)
def test_a_robot_model_that_contradicts_itself_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    file = tmp_path / "odd.model.yaml"
    file.write_text(text)
    with pytest.raises(ConfigFileError, match=said) as refused:
        load_robot_models(tmp_path)
    assert refused.value.complaints[0].line == line


def test_a_footprint_gives_a_robot_model_its_radius_and_its_extent(tmp_path: Path) -> None:
    outline = "footprint: [[0.5, 0.3], [-0.3, 0.3], [-0.3, -0.3], [0.5, -0.3]]\ndeviation_m: 0.08\n"
    (tmp_path / "trolley.model.yaml").write_text(MODEL.replace("radius_m: 0.35\n", "") + outline)

    (model,) = load_robot_models(tmp_path).values()

    assert model.radius_m == pytest.approx(0.583, abs=1e-3)
    assert (model.length_m, model.width_m, model.deviation_m) == pytest.approx((0.8, 0.6, 0.08))
    assert model_from_json(model_to_json(model)) == model


def test_a_folder_without_models_and_a_model_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match=r"No \*\.model\.yaml"):
        load_robot_models(tmp_path)
    (tmp_path / "a.model.yaml").write_text(MODEL)
    (tmp_path / "b.model.yaml").write_text(MODEL)
    with pytest.raises(ConfigFileError, match="another file"):
        load_robot_models(tmp_path)


FLEET = """\
fleet: f
robots:
  one: {model: porter, manufacturer: maker, serial_number: s-1, home: spur}
  two: {model: porter, manufacturer: maker, serial_number: s-2, home: ward}
"""


@pytest.mark.parametrize(
    ("written", "instead", "line", "said"),
    [
        ("home: ward", "home: spur", 4, "home spur of robot one"),
        ("serial_number: s-2", "serial_number: s-1", 4, "serial number of robot one"),
        ("serial_number: s-2", "serial_number: s 2", 4, "serial_number"),
        ("two: {model: porter", "two: {model: ghost", 4, "'ghost'"),
        ("home: ward", "home: nowhere", 4, "no charger or parking"),
        ("home: ward", "home: ward", 4, "no charger or parking"),
        ("home: spur", "home: spur, protocol_version: 1.0", 3, "protocol_version"),
    ],
)
def test_a_fleet_that_does_not_fit_is_refused(tmp_path: Path, written: str, instead: str, line: int, said: str) -> None:
    (tmp_path / "porter.model.yaml").write_text(MODEL)
    (tmp_path / "small.site.yaml").write_text(SITE)
    file = tmp_path / "odd.fleet.yaml"
    file.write_text(FLEET.replace(written, instead, 1))
    with pytest.raises(ConfigFileError, match=said) as refused:
        load_fleet(file, site=load_site(tmp_path / "small.site.yaml"), models=load_robot_models(tmp_path))
    assert line in [complaint.line for complaint in refused.value.complaints]


def test_an_unknown_policy_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "odd.policy.yaml"
    file.write_text("policy: p\nnobody_knows: 1\n")
    with pytest.raises(ConfigFileError, match="nobody_knows is not a known key"):
        load_policies(file)
