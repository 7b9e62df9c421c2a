"""The requirement files as committed: pinned, hashed, without addresses, each a superset of the smaller one."""

from __future__ import annotations

import re

import pytest

from tests.support.shared_data import REPOSITORY

FILES = ("build", "service", "robots", "dev")


def _text(name: str) -> str:
    return (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", _text(name), re.MULTILINE))


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_and_hashed(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", _text(name).strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,._-]+\])?==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("name", FILES)
def test_no_file_holds_an_address(name: str) -> None:
    assert "://" not in _text(name)
    assert "index-url" not in _text(name)
    assert "find-links" not in _text(name)


@pytest.mark.parametrize(
    ("smaller", "larger"), [("build", "service"), ("service", "robots"), ("robots", "dev"), ("build", "dev")]
)
def test_larger_set_holds_the_smaller_one_at_the_same_versions(smaller: str, larger: str) -> None:
    assert _pins(smaller).items() <= _pins(larger).items()


def test_service_installs_without_ros() -> None:
    assert not [package for package in _pins("service") if package.startswith("ros-")]
