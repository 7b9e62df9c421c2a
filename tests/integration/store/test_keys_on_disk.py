"""A key is on the disk before anything depends on it: lost in a power cut, it would take what it signed along."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from tests.support.crash_lab.disk import Disk, Survival
from tests.support.crash_lab.recording import record

pytestmark = [pytest.mark.strace]

MAKE = """
import sys
from pathlib import Path
from orchestrator.adapters.grant_key import grant_key
from orchestrator.adapters.identity.secrets import key_in
from orchestrator.adapters.ledger_key import ledger_key, witness_key
from orchestrator.domain.custody.origin import LedgerOrigin

root = Path(sys.argv[1])
key_in(root / "badges" / "data")
grant_key(root / "grants" / "data", is_simulation=False)
ledger_key(root / "ledger" / "data", LedgerOrigin("small-house", is_simulation=False))
witness_key(root / "witness" / "data", name="witness")
"""


def test_every_key_that_was_made_survives_a_power_cut(tmp_path: Path) -> None:
    root = tmp_path / "keys"
    root.mkdir()
    disk = Disk(str(root))
    for op in record([sys.executable, "-c", MAKE, str(root)], root=root, trace=tmp_path / "trace"):
        disk.apply(op)
    made = {str(path): path.read_bytes() for path in root.rglob("*.key")}
    left = disk.left(Survival.NOTHING, Random(0))
    assert len(made) == 4
    assert {path: left.get(path) for path in made} == made
