from __future__ import annotations

import base64
from pathlib import Path

import pytest

from orchestrator.adapters.grant_key import GrantKeyFileError, grant_key, key_file
from ros_nodes.onboard.grant_key import GrantKeyError, verifier


def test_what_is_signed_is_what_a_robot_with_the_public_half_accepts(tmp_path: Path) -> None:
    key = grant_key(tmp_path, is_simulation=True)
    public = (tmp_path / "drawer-grants-simulation.pub").read_text(encoding="utf-8")
    verify = verifier(public)
    signature = base64.b64decode(key.sign("a grant"))
    assert verify(b"a grant", signature)
    assert not verify(b"another", signature)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = grant_key(tmp_path, is_simulation=False)
    assert grant_key(tmp_path, is_simulation=False).public == first.public
    path = key_file(tmp_path, is_simulation=False)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(GrantKeyFileError):
        grant_key(tmp_path, is_simulation=False)


def test_a_simulated_house_signs_with_another_key_74(tmp_path: Path) -> None:
    real, simulated = (grant_key(tmp_path, is_simulation=kind) for kind in (False, True))
    assert not verifier(real.public)(b"a grant", base64.b64decode(simulated.sign("a grant")))


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    key_file(tmp_path, is_simulation=True).write_text("none", encoding="utf-8")
    key_file(tmp_path, is_simulation=True).chmod(0o600)
    with pytest.raises(GrantKeyFileError):
        grant_key(tmp_path, is_simulation=True)
    for text in ("", "none", "bm9uZQ=="):
        with pytest.raises(GrantKeyError):
            verifier(text)
