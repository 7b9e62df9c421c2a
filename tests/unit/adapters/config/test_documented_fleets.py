"""Every fleet file that the documentation shows is one that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.adapters.config.built_in import ROBOT_MODELS, built_in
from orchestrator.adapters.config.fleet_file import read_fleet
from orchestrator.adapters.config.robot_model_file import read_robot_models
from orchestrator.adapters.config.site_file import load_site

PAGE = Path(__file__).parents[4] / "docs" / "other-makers-robots.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
EXAMPLES = [text for text in BLOCKS if "robots:" in text]


def test_the_page_shows_fleets() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_fleet_on_the_page_is_read_for_the_demo_hospital(example: str, tmp_path: Path) -> None:
    file = tmp_path / "shown.fleet.yaml"
    file.write_text(example if example.startswith("fleet:") else f"fleet: shown\n{example}")
    reading = read_fleet(file, models=read_robot_models(built_in(ROBOT_MODELS)))
    site = load_site(built_in("sites/demo_hospital.site.yaml"))
    assert set(reading.dialects(site.levels)) == set(reading.fleet(site).robots)
