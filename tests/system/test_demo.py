"""The demonstration as a person runs it: a controlled drug with two nurses, a refusal, a short count, and the proof."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.adapters.loopback import free_port

pytestmark = [pytest.mark.ros, pytest.mark.system]

LIMIT_S = 240


@pytest.mark.timeout(LIMIT_S + 30)
@pytest.mark.xdist_group("houses")
def test_demonstration_carries_a_controlled_drug_and_finds_the_entry_that_was_changed_by_hand() -> None:
    command = [sys.executable, "-m", "orchestrator.cli", "demo", "--headless", "--deliveries", "2"]
    ended = subprocess.run(
        [*command, "--port", str(free_port(0)), "--limit-minutes", "3"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    said = " ".join(ended.stdout.split())
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert "2 of 2 received" in said
    assert "controlled_drugs_off" in said
    assert "of another ward, asks for the drawer: not_allowed" in said
    assert "asked to count once more" in said
    assert "SIMULATION · register of" in said
    assert "Incident short" in said
    assert "Good:" in said
    assert "BAD. Entry" in said
