from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from orchestrator.adapters.config.built_in import DEMO_SITE, built_in
from orchestrator.adapters.config.site_file import load_site
from orchestrator.cli_site import app
from tests.support.shared_data import shared_data

DEMO = built_in(DEMO_SITE)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def clinic() -> Path:
    return shared_data() / "maps" / "clinic" / "clinic.building.yaml"


def test_a_check_ends_with_the_verdict_the_number_of_robots_and_what_was_not_checked() -> None:
    result = run("check", DEMO)
    assert result.exit_code == 0
    *_, verdict, overlaps, not_checked = result.output.splitlines()
    assert verdict.startswith(f"{DEMO}: fit with conditions, 9 robots at most; 0 errors, 4 conditions,")
    assert "beyond those that meet at a waypoint: 2 (2 of lane and lane; 0 across lane graphs)" in overlaps
    assert not_checked.startswith("Not checked: floor friction")


def test_a_closed_lane_that_cuts_off_stations_refuses_the_site() -> None:
    result = run("check", DEMO, "--closed", "corridor_1~corridor_2")
    assert result.exit_code == 1
    assert "error [closure_cuts_off_station]" in result.output
    assert "hatch_1" in result.output


def test_the_report_goes_alone_to_the_output_or_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    assert run("check", DEMO, "--json", file).exit_code == 0
    report = json.loads(CliRunner().invoke(app, ["check", str(DEMO), "--json", "-"]).stdout)
    assert report == json.loads(file.read_text())
    assert report["verdict"] == "fit with conditions"


def test_drawings_go_into_a_folder_or_beside_the_file_that_is_named(tmp_path: Path) -> None:
    assert run("check", DEMO, "--svg", tmp_path / "new" / "folder").exit_code == 0
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {"ground.svg", "first.svg"}
    assert run("check", DEMO, "--svg", tmp_path / "plan.svg").exit_code == 0
    assert {path.name for path in tmp_path.glob("*.svg")} == {"plan-ground.svg", "plan-first.svg"}


def test_a_page_links_the_drawings_and_the_report_that_lie_beside_it(tmp_path: Path) -> None:
    assert run("check", DEMO, "--page", tmp_path / "demo").exit_code == 0
    page = (tmp_path / "demo" / "README.md").read_text()
    linked = set(re.findall(r"\]\(([^)]+)\)", page))
    assert linked == {"report.json", "ground.svg", "first.svg"}
    assert all((tmp_path / "demo" / name).is_file() for name in linked)


def test_a_check_may_be_for_one_robot_model_of_several(tmp_path: Path) -> None:
    porter = built_in("robot_models") / "porter.model.yaml"
    (tmp_path / "porter.model.yaml").write_text(porter.read_text())
    wide = porter.read_text().replace("model: porter", "model: wide").replace("radius_m: 0.35", "radius_m: 0.7")
    (tmp_path / "wide.model.yaml").write_text(wide)
    assert run("check", DEMO, "--robot-models", tmp_path, "--model", "porter").exit_code == 0
    result = run("check", DEMO, "--robot-models", tmp_path, "--model", "wide")
    assert result.exit_code == 1
    assert "narrow_lane" in result.output


def test_findings_name_file_line_and_waypoint(tmp_path: Path) -> None:
    file = tmp_path / "narrow.site.yaml"
    file.write_text(DEMO.read_text().replace("to: corridor_2, width_m: 1.2", "to: corridor_2, width_m: 0.6"))
    line = next(n for n, text in enumerate(file.read_text().splitlines(), start=1) if "width_m: 0.6" in text)
    result = run("check", file)
    assert result.exit_code == 1
    assert f"{file}:{line}: error [narrow_lane] Lane corridor_1~corridor_2" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("check", "nowhere.site.yaml"),
        ("show", "nowhere.site.yaml", "--out", "x.svg"),
        ("import-rmf", "nowhere.building.yaml", "--out", "x.site.yaml"),
        ("export-nav-graph", str(DEMO), "--graph", "9", "--out", "x.yaml"),
        ("show", str(DEMO), "--out", "/no/such/folder/x.svg"),
        ("check", str(DEMO), "--models", "no_such_folder"),
        ("check", str(DEMO), "--model", "ghost"),
        ("check", str(DEMO), "--closed", "ghost"),
        ("check", str(DEMO), "--json", "/no/such/folder/report.json"),
        ("check", str(DEMO), "--svg", "/no/such/folder/plan.svg"),
        ("check", str(DEMO), "--svg", "/proc/no"),
        ("check", str(DEMO), "--page", "/proc/no"),
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Refused (" in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_building_file_is_checked_without_writing_a_site_and_says_what_was_guessed() -> None:
    result = run("check", clinic())
    assert result.exit_code == 0
    assert "warning [station_kinds_guessed]" in result.output


def test_import_writes_a_site_and_tells_what_it_made_of_it(tmp_path: Path) -> None:
    out = tmp_path / "clinic.site.yaml"
    result = run("import-rmf", clinic(), "--out", out)
    assert result.exit_code == 0
    assert "Robots may rest at" in result.output
    assert "Left out: resting place L1_left_nurse_center" in result.output
    assert len(load_site(out).graphs) == 2


def test_the_demo_hospital_is_exported_by_index_and_by_name(tmp_path: Path) -> None:
    by_index, by_name = tmp_path / "0.yaml", tmp_path / "main.yaml"
    assert run("export-nav-graph", DEMO, "--graph", "0", "--out", by_index).exit_code == 0
    assert run("export-nav-graph", DEMO, "--graph", "main", "--out", by_name).exit_code == 0
    assert by_index.read_text() == by_name.read_text()
    graph = yaml.safe_load(by_index.read_text())
    assert list(graph["levels"]) == ["Ground floor", "First floor"]


def test_a_site_is_drawn(tmp_path: Path) -> None:
    out = tmp_path / "demo.svg"
    assert run("show", DEMO, "--out", out).exit_code == 0
    assert out.read_text().startswith("<svg ")
