"""The contract of directions, seen to fail: each breach is planted in a copy of the house and must be named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.shared_data import REPOSITORY

HOUSE = ("orchestrator", "ros_nodes", "simulation")


@dataclass(frozen=True)
class Breach:
    module: str
    imports: str
    contract: str


BREACHES = [
    Breach("orchestrator/domain/breach.py", "import orchestrator.application", "domain <- vda5050"),
    Breach("orchestrator/domain/breach.py", "import sqlmodel", "domain and application reach no store"),
    Breach("orchestrator/domain/breach.py", "import logging", "domain and application reach no store"),
    Breach("orchestrator/application/breach.py", "import orchestrator.adapters.mqtt.broker", "domain <- vda5050"),
    Breach("orchestrator/application/breach.py", "import fastapi", "domain and application reach no store"),
    Breach("orchestrator/application/breach.py", "import paho.mqtt.client", "domain and application reach no store"),
    Breach("orchestrator/vda5050/breach.py", "import orchestrator.application", "domain <- vda5050"),
    Breach("orchestrator/adapters/mqtt/breach.py", "import orchestrator.adapters.planted", "Adapters do not import"),
    Breach("orchestrator/new_room.py", "import json", "domain <- vda5050"),
    Breach("orchestrator/adapters/mqtt/breach.py", "import rclpy", "Only ros_nodes.nodes imports rclpy"),
    Breach("ros_nodes/onboard/breach.py", "import rclpy", "Only ros_nodes.nodes imports rclpy"),
    Breach("ros_nodes/onboard/breach.py", "import orchestrator.domain.site.model", "onboard knows messages"),
    Breach("ros_nodes/onboard/breach.py", "import orchestrator.application", "onboard knows messages"),
    Breach("simulation/breach.py", "import orchestrator.adapters.mqtt.broker", "simulation uses ports"),
    Breach("simulation/breach.py", "import ros_nodes.nodes", "Nobody imports ROS nodes"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Copy of the source tree with one module more in each place that a breach needs."""
    for part in HOUSE:
        shutil.copytree(REPOSITORY / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    planted = tmp_path / "orchestrator" / "adapters" / "planted"
    planted.mkdir()
    (planted / "__init__.py").touch()
    # What is allowed must be there too: a contract about a library that nobody imports is not checked.
    (tmp_path / "ros_nodes" / "nodes" / "planted.py").write_text("import rclpy\n")
    return tmp_path


def _verdict(house: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, timeout=50, check=False)


def _broken_contracts(report: str) -> list[str]:
    """Headlines of the broken contracts; a long name may go on in the next line."""
    summary = report.partition("Broken contracts")[2]
    return [line for line in summary.splitlines() if line and not line.startswith((" ", "-"))]


def test_the_house_as_it_stands_keeps_every_contract(house: Path) -> None:
    verdict = _verdict(house)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: f"{breach.module}: {breach.imports}")
def test_planted_breach_is_named(house: Path, breach: Breach) -> None:
    module = house / breach.module
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(breach.imports + "\n")
    verdict = _verdict(house)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert any(breach.contract in name for name in _broken_contracts(verdict.stdout)), verdict.stdout
