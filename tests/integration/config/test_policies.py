"""What a place may decide about custody and late arrivals in its policy file, and what it may not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.adapters.config.source import ConfigFileError
from orchestrator.domain.custody.policy import LooserThanAllowedError
from orchestrator.domain.custody.tolerance import Tolerance, ToleranceError
from orchestrator.domain.dispatch.policy import DispatchPolicy
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.retention.schedule import RecordType
from orchestrator.domain.site.model import PlaceId


def policy_of(tmp_path: Path, custody: str) -> Path:
    path = tmp_path / "place.policy.yaml"
    path.write_text(f"policy: place\ncustody:\n{custody}")
    return path


def test_a_place_may_ask_for_more_than_a_class_has_to(tmp_path: Path) -> None:
    path = policy_of(tmp_path, "  classes:\n    locked: {receivers: 2, is_count_blind: true}\n")

    rule = load_policies(path).custody.rule(HandlingClass.LOCKED)

    assert (rule.receivers, rule.is_count_blind, rule.needs_check) == (2, True, True)


def test_a_place_may_tolerate_a_little_of_liquids_and_a_ward_less_60(tmp_path: Path) -> None:
    said = "  tolerances: {ml: {units: 5, percent: 2}}\n  tolerances_at: {ward-a: {ml: {units: 2, percent: 2}}}\n"
    custody = load_policies(policy_of(tmp_path, said)).custody

    found = [custody.tolerance(PlaceId(place), unit) for place, unit in (("ward-b", "ml"), ("ward-a", "ml"))]

    assert found == [Tolerance(5, 2), Tolerance(2, 2)]
    assert custody.tolerance(PlaceId("ward-b"), "tablet").units == 0


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ("  tolerances: {tablet: {units: 1}}\n", ToleranceError),
        ("  tolerances: {ml: {units: 5, percent: 6}}\n", ConfigFileError),
        ("  tolerances: {ml: {units: -1}}\n", ConfigFileError),
        ("  tolerances_at: {ward-a: {ml: {units: 1}}}\n", LooserThanAllowedError),
    ],
)
def test_tolerances_out_of_bounds_are_refused_60(tmp_path: Path, said: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        load_policies(policy_of(tmp_path, said))


def test_a_place_may_keep_records_for_longer_and_never_shorter_72(tmp_path: Path) -> None:
    custody = load_policies(policy_of(tmp_path, "  retention_years: {delivery: 3}\n")).custody
    assert [custody.years_kept(kind) for kind in (RecordType.DELIVERY, RecordType.PATIENTS_OWN)] == [3, 7]
    for said, refusal in (("{delivery: 1}", LooserThanAllowedError), ("{everything: 9}", ConfigFileError)):
        with pytest.raises(refusal):
            load_policies(policy_of(tmp_path, f"  retention_years: {said}\n"))


@pytest.mark.parametrize(
    "less", ["receivers: 1", "loaders: 1", "is_count_blind: false", "needs_check: false", "needs_acceptance: false"]
)
def test_a_place_may_not_ask_for_less(tmp_path: Path, less: str) -> None:
    path = policy_of(tmp_path, f"  classes:\n    controlled: {{{less}}}\n")

    with pytest.raises(LooserThanAllowedError):
        load_policies(path)


def test_a_place_says_whether_it_has_runners_and_what_they_need(tmp_path: Path) -> None:
    path = tmp_path / "place.policy.yaml"
    path.write_text("policy: place\ndispatch: {has_runners: false, runner_minutes: 12}\n")

    dispatch = load_policies(path).dispatch

    assert (dispatch.has_runners, dispatch.runner_time) == (False, timedelta(minutes=12))
    assert dispatch.stop_minutes == DispatchPolicy().stop_minutes


def test_a_runner_does_not_take_less_than_no_time(tmp_path: Path) -> None:
    path = tmp_path / "place.policy.yaml"
    path.write_text("policy: place\ndispatch: {runner_minutes: -1}\n")

    with pytest.raises(ConfigFileError, match="runner_minutes"):
        load_policies(path)
