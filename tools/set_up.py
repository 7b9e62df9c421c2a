"""Make .venv ready for one of the requirement sets, or say at once that it is.

Runs on the machine's own Python with nothing installed: standard library only. pip does the work, because it reads
the machine's own registry settings; every package is checked against the hashes in ``requirements/``. What was
finished is noted in ``.venv``; an interrupted run leaves no note and is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "wardporter-set-up.json"
UNPACKING = VENV / "wardporter-unpacking"
"""Here only while pip unpacks: left behind, some package may be half there and pip would not notice."""

SETS = ("service", "robots", "dev")
"""Requirement sets, each a superset of the one before, pinned to the same versions."""

OLDEST, NEWEST = (3, 11), (3, 13)
SAY_EVERY_S = 5.0


class Refusal(Exception):  # noqa: N818 - it is what is told, not what went wrong inside
    """The set-up cannot go on; the message says why and what to do."""


def say(sentence: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(f"set-up: {sentence}", flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took when it is done."""
    say(f"{what} ...")
    began_s = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - began_s:.0f} s")


# ---------------------------------------------------------------------------------------------- Python


def version_of(python: str | Path) -> tuple[int, int, int] | None:
    """Version of an interpreter; None when it does not run (a dangling link, a shim without a version)."""
    ask = "import sys; print(*sys.version_info[:3])"
    try:
        answer = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, micro = (int(part) for part in answer.stdout.split())
    return major, minor, micro


def dotted(version: Sequence[int]) -> str:
    """Version as people write it."""
    return ".".join(map(str, version))


def is_suitable(version: tuple[int, int, int] | None) -> bool:
    """Whether the project runs on this version."""
    return version is not None and OLDEST <= version[:2] <= NEWEST


def suitable_python() -> str:
    """Interpreter to make .venv with: the one asked for with PYTHON, else python3, else a newer or older neighbour.

    Raises
    ------
    Refusal
        None of them is between the oldest and newest version.
    """
    asked = os.environ.get("PYTHON")
    names = [asked] if asked else ["python3", "python3.12", "python3.13", "python3.11", sys.executable]
    seen: list[str] = []
    for name in names:
        path = shutil.which(name)
        version = version_of(path) if path else None
        if path and is_suitable(version):
            return path
        seen.append(f"{name} is {dotted(version) if version else 'not there'}")
    raise Refusal(
        f"needs Python {dotted(OLDEST)} to {dotted(NEWEST)}, but {', '.join(seen)}. "
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/it ..."
    )


def refuse_foreign_machine(wanted: str) -> None:
    """Refuse where the ROS 2 wheels do not exist, before anything is downloaded.

    Raises
    ------
    Refusal
        The set holds ROS 2 wheels and this is not Linux on x86_64.
    """
    machine = f"{platform.system()} {platform.machine()}"
    if wanted != "service" and machine != "Linux x86_64":
        raise Refusal(
            f"the ROS 2 wheels are for Linux x86_64 and this is {machine}. The service alone runs here: make serve. "
            "For robots use a system ROS 2 Jazzy (docs.ros.org)."
        )


# ---------------------------------------------------------------------------------------------- what is done already


def digest(*paths: Path) -> str:
    """SHA-256 over the content of files, in the order given."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def requirements_of(wanted: str) -> Path:
    """File with the pinned, hashed packages of a set."""
    return ROOT / "requirements" / f"{wanted}.txt"


def read_stamp() -> dict[str, str]:
    """What an earlier run finished; empty when there is no readable note."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    """Note what is finished; the note is whole or absent, also when the run is cut short."""
    draft = STAMP.with_suffix(".draft")
    draft.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    draft.replace(STAMP)


def set_to_install(wanted: str, stamp: dict[str, str]) -> str | None:
    """Set that must be installed so that ``wanted`` is there, or None when it already is.

    A larger set that was installed before is kept: then that one is brought up to date, never narrowed down.
    """
    installed = stamp.get("set", "")
    target = installed if installed in SETS and SETS.index(installed) > SETS.index(wanted) else wanted
    if stamp.get("set") == target and stamp.get("requirements") == digest(requirements_of(target)):
        return None
    return target


# ---------------------------------------------------------------------------------------------- doing it


def usable_venv() -> tuple[int, int, int] | None:
    """Version of the .venv that is there and may be kept; None when one must be made."""
    version = version_of(VENV_PYTHON)
    if not is_suitable(version):
        return None
    if UNPACKING.exists():
        say("the last set-up was cut short while unpacking; making .venv anew (what was downloaded is kept)")
        return None
    if read_stamp().get("place", str(ROOT)) != str(ROOT):
        say("this checkout was moved or copied and .venv knows its old place; making it anew")
        return None
    asked = os.environ.get("PYTHON")
    if asked and version_of(asked) != version:
        return None
    pip = subprocess.run([str(VENV_PYTHON), "-m", "pip", "--version"], capture_output=True, check=False)
    return version if pip.returncode == 0 else None


def make_venv() -> str:
    """Make .venv, or keep the one that works; its Python version is the answer.

    Raises
    ------
    Refusal
        There is no suitable Python, or it cannot make virtual environments.
    """
    version = usable_venv()
    if version is None:
        python = suitable_python()
        version = version_of(python) or OLDEST
        with timed(f"making .venv with Python {dotted(version)}"):
            command = [python, "-m", "venv", "--clear", str(VENV)]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Refusal(
                f"{python} cannot make a virtual environment. If its venv package is missing, install it "
                f"(Debian, Ubuntu: apt-get install python3-venv). It said:\n{made.stdout}{made.stderr}"
            )
    return dotted(version)


def pip_install(arguments: Sequence[str], *, packages: int) -> None:
    """Run pip and say every few seconds how far it is; its own words are shown when it fails.

    Raises
    ------
    Refusal
        pip failed.
    """
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", *arguments]
    heard: list[str] = []
    found, is_unpacking = 0, False
    spoke_s = time.monotonic()
    # pip inherits the lock (close_fds), so that a set-up after a kill -9 of this one waits until its pip is gone too.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, close_fds=False
    ) as pip:
        for line in pip.stdout or ():
            heard.append(line)
            found += line.startswith(("Collecting ", "Requirement already satisfied: "))
            if line.startswith("Installing collected packages"):
                is_unpacking = True
                UNPACKING.touch()
                say("  unpacking (the longest step)")
            elif not is_unpacking and time.monotonic() - spoke_s > SAY_EVERY_S:
                spoke_s = time.monotonic()
                say(f"  {min(found, packages)} of {packages} packages fetched")
    if pip.returncode != 0:
        raise Refusal(
            "pip could not install the packages. Check the network and pip's registry settings (pip config list), then "
            "run the same command again: it goes on where it stopped. pip's last words:\n" + "".join(heard[-25:])
        )
    UNPACKING.unlink(missing_ok=True)


def install_requirements(wanted: str) -> None:
    """Install builders first, then the set, each file checked against its hashes."""
    for name in ("build", wanted):
        path = requirements_of(name)
        packages = sum(
            not line.startswith((" ", "#")) for line in path.read_text(encoding="utf-8").splitlines() if line
        )
        with timed(f"installing {packages} packages of requirements/{name}.txt"):
            # Without isolation, a source package is built by the pinned builders instead of whatever is newest today.
            pip_install(["--require-hashes", "--no-build-isolation", "-r", str(path)], packages=packages)


def install_project() -> None:
    """Install this checkout itself, editable, without looking at packages again."""
    with timed("installing Wardporter itself"):
        pip_install(["--no-deps", "--no-build-isolation", "--editable", "."], packages=1)


@contextmanager
def only_one() -> Iterator[None]:
    """Let one set-up run at a time in this checkout; a second one waits for it."""
    folder = ROOT / ".make"
    folder.mkdir(exist_ok=True)
    with (folder / "set-up.lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running in this checkout; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(wanted: str) -> None:
    """Bring .venv to where ``wanted`` and the project are installed."""
    refuse_foreign_machine(wanted)
    with only_one():
        began_s = time.monotonic()
        python = make_venv()
        stamp = read_stamp()
        if stamp.get("python") != python:
            stamp = {}
        target = set_to_install(wanted, stamp)
        if target is not None:
            install_requirements(target)
            stamp.update(place=str(ROOT), python=python, set=target, requirements=digest(requirements_of(target)))
            stamp.pop("project", None)
            write_stamp(stamp)
        project = digest(ROOT / "pyproject.toml")
        if stamp.get("project") != project:
            install_project()
            write_stamp({**stamp, "project": project})
            say(f"ready in {time.monotonic() - began_s:.0f} s (Python {python})")


def main() -> int:
    """Read the command line; the exit code is 0 when ready, 1 when refused, 130 when interrupted."""
    parser = argparse.ArgumentParser(description="Make .venv ready.")
    parser.add_argument("set", choices=SETS, help="requirement set to have at least")
    wanted = parser.parse_args().set
    try:
        set_up(wanted)
    except Refusal as refusal:
        print(f"set-up: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
