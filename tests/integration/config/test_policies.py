"""What a place may decide about custody in its policy file, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.domain.custody.policy import LooserThanAllowedError
from orchestrator.domain.medicine.handling import HandlingClass


def policy_of(tmp_path: Path, custody: str) -> Path:
    path = tmp_path / "place.policy.yaml"
    path.write_text(f"policy: place\ncustody:\n{custody}")
    return path


def test_a_place_may_ask_for_more_than_a_class_has_to(tmp_path: Path) -> None:
    path = policy_of(tmp_path, "  classes:\n    locked: {receivers: 2, is_count_blind: true}\n")

    rule = load_policies(path).custody.rule(HandlingClass.LOCKED)

    assert (rule.receivers, rule.is_count_blind, rule.needs_check) == (2, True, True)


@pytest.mark.parametrize(
    "less", ["receivers: 1", "loaders: 1", "is_count_blind: false", "needs_check: false", "needs_acceptance: false"]
)
def test_a_place_may_not_ask_for_less(tmp_path: Path, less: str) -> None:
    path = policy_of(tmp_path, f"  classes:\n    controlled: {{{less}}}\n")

    with pytest.raises(LooserThanAllowedError):
        load_policies(path)
