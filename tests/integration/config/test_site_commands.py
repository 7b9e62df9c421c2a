from __future__ import annotations

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


def test_a_sound_site_is_said_to_be_fine_in_one_line() -> None:
    result = run("check", DEMO)
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 1


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
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Refused (" in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_building_file_is_checked_without_writing_a_site() -> None:
    assert run("check", clinic()).exit_code == 0


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
