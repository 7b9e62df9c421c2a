"""What the set-up decides: which Python, which requirement set, and when there is nothing to do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tools import set_up
from tools.set_up import SETS, Refusal, digest, is_suitable, set_to_install, suitable_python


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with requirement files, instead of this one."""
    (tmp_path / "requirements").mkdir()
    for name in ("build", *SETS):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    monkeypatch.setattr(set_up, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(set_up, "VENV_PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(set_up, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(set_up, "UNPACKING", tmp_path / ".venv" / "unpacking")
    monkeypatch.delenv("PYTHON", raising=False)
    return tmp_path


def _stamp_of(checkout: Path, name: str) -> dict[str, str]:
    return {"set": name, "requirements": digest(checkout / "requirements" / f"{name}.txt")}


def _fake_python(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("version", "verdict"),
    [((3, 10, 14), False), ((3, 11, 0), True), ((3, 12, 1), True), ((3, 13, 9), True), ((3, 14, 0), False)],
)
def test_python_is_suitable_from_3_11_to_3_13(version: tuple[int, int, int], verdict: bool) -> None:
    assert is_suitable(version) is verdict


def test_newer_python_beside_an_old_python3_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_python(tmp_path / "bin", "python3", "3 9 2")
    found = _fake_python(tmp_path / "bin", "python3.13", "3 13 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert suitable_python() == str(found) or "python3.12" in suitable_python()


def test_python_that_was_asked_for_and_is_too_old_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _fake_python(tmp_path / "bin", "python-old", "3 9 2")
    monkeypatch.setenv("PYTHON", str(old))
    with pytest.raises(Refusal, match=r"needs Python 3\.11 to 3\.13.*3\.9\.2.*apt-get install"):
        suitable_python()


def test_ros_wheels_are_refused_on_another_machine_but_the_service_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up.platform, "machine", lambda: "aarch64")
    with pytest.raises(Refusal, match=r"x86_64.*make serve"):
        set_up.refuse_foreign_machine("robots")
    set_up.refuse_foreign_machine("service")


def _venv_of(checkout: Path, version: str) -> None:
    (checkout / ".venv").mkdir()
    _fake_python(checkout / ".venv" / "bin", "python", version)


def test_venv_that_works_is_kept(checkout: Path) -> None:
    _venv_of(checkout, "3 12 1")
    assert set_up.usable_venv() == (3, 12, 1)


def test_venv_of_an_unsuitable_python_is_not_kept(checkout: Path) -> None:
    _venv_of(checkout, "3 9 2")
    assert set_up.usable_venv() is None


def test_venv_in_which_unpacking_was_cut_short_is_not_kept(checkout: Path) -> None:
    _venv_of(checkout, "3 12 1")
    set_up.UNPACKING.touch()
    assert set_up.usable_venv() is None


def test_venv_that_came_along_when_the_checkout_was_copied_is_not_kept(checkout: Path) -> None:
    _venv_of(checkout, "3 12 1")
    set_up.write_stamp({"place": "/somewhere/else"})
    assert set_up.usable_venv() is None


def test_venv_of_another_python_than_the_one_asked_for_is_not_kept(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _venv_of(checkout, "3 12 1")
    monkeypatch.setenv("PYTHON", str(_fake_python(checkout / "bin", "python3.13", "3 13 1")))
    assert set_up.usable_venv() is None


@pytest.mark.parametrize("wanted", SETS)
def test_everything_is_installed_when_there_is_no_note(wanted: str) -> None:
    assert set_to_install(wanted, {}) == wanted


@pytest.mark.parametrize(
    ("installed", "wanted"),
    [("service", "service"), ("dev", "dev"), ("dev", "robots"), ("dev", "service"), ("robots", "service")],
)
def test_nothing_is_installed_when_the_same_or_a_larger_set_is_there(
    checkout: Path, installed: str, wanted: str
) -> None:
    assert set_to_install(wanted, _stamp_of(checkout, installed)) is None


def test_larger_set_is_installed_over_a_smaller_one(checkout: Path) -> None:
    assert set_to_install("dev", _stamp_of(checkout, "robots")) == "dev"


def test_changed_requirements_are_installed_for_the_larger_set_that_was_there(checkout: Path) -> None:
    stamp = _stamp_of(checkout, "dev")
    (checkout / "requirements" / "dev.txt").write_text("dev==2\n")
    assert set_to_install("robots", stamp) == "dev"


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_note_that_was_cut_short_counts_as_none(checkout: Path, content: str) -> None:
    set_up.STAMP.parent.mkdir()
    set_up.STAMP.write_text(content)
    assert set_up.read_stamp() == {}


def test_note_is_read_back_as_written(checkout: Path) -> None:
    set_up.STAMP.parent.mkdir()
    set_up.write_stamp({"set": "dev"})
    assert set_up.read_stamp() == {"set": "dev"}
    assert json.loads(set_up.STAMP.read_text()) == {"set": "dev"}
    assert list(set_up.STAMP.parent.iterdir()) == [set_up.STAMP]


def test_interrupted_installation_leaves_no_note_so_the_next_run_installs(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up.STAMP.parent.mkdir()
    (checkout / "pyproject.toml").touch()

    def interrupted(_wanted: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(set_up, "make_venv", lambda: "3.12.1")
    monkeypatch.setattr(set_up, "install_requirements", interrupted)
    with pytest.raises(KeyboardInterrupt):
        set_up.set_up("service")
    assert set_to_install("service", set_up.read_stamp()) == "service"


def test_second_run_installs_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up.STAMP.parent.mkdir()
    (checkout / "pyproject.toml").touch()
    installed: list[str] = []
    monkeypatch.setattr(set_up, "make_venv", lambda: "3.12.1")
    monkeypatch.setattr(set_up, "install_requirements", installed.append)
    monkeypatch.setattr(set_up, "install_project", lambda: installed.append("project"))
    set_up.set_up("service")
    set_up.set_up("service")
    assert installed == ["service", "project"]


def test_other_python_version_installs_again(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up.STAMP.parent.mkdir()
    (checkout / "pyproject.toml").touch()
    installed: list[str] = []
    versions = iter(["3.12.1", "3.12.2"])
    monkeypatch.setattr(set_up, "make_venv", lambda: next(versions))
    monkeypatch.setattr(set_up, "install_requirements", installed.append)
    monkeypatch.setattr(set_up, "install_project", lambda: None)
    set_up.set_up("service")
    set_up.set_up("service")
    assert installed == ["service", "service"]
