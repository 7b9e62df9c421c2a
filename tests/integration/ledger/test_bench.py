"""The bounds of what the ledger costs, in one run."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_ledger_costs_no_more_than_it_may() -> None:
    found = CliRunner().invoke(app, ["bench", "ledger", "--requests", "300", "--entries", "50000"])
    assert found.exit_code == 0, found.output
    assert found.output.count(": kept)") == 4
    assert found.output.count("on this machine)") == 2
