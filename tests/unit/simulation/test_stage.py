from __future__ import annotations

from pathlib import Path

from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site
from simulation.demo.stage import set_stage
from tests.support.wards import a_cast, demo_hospital


def test_what_is_written_for_a_demonstration_reads_back_as_the_same_site_and_model(tmp_path: Path) -> None:
    site = demo_hospital()
    cast = a_cast(site)

    set_stage(tmp_path, site=site, cast=cast, speed_factor=10.0, port=8000)

    assert load_site(tmp_path / "site.yaml") == site
    assert list(load_robot_models(tmp_path / "robot_models").values()) == [cast.model]
