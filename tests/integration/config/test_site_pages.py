"""The committed pages of site checks are what the code says of the maps today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli_site import app
from tests.support.shared_data import REPOSITORY, shared_data

PAGES = REPOSITORY / "docs" / "site-checks"


def source_of(site: str) -> Path:
    if site == "demo_hospital":
        return REPOSITORY / "fleet_config" / "sites" / "demo_hospital.site.yaml"
    return shared_data() / "maps" / site / f"{site}.building.yaml"


def without_revision(text: str) -> str:
    """Leave out the site's revision: it also changes with what a site may hold, which says nothing of this site."""
    return re.sub(r"(revision\W+)[0-9a-f]{12,64}", r"\1-", text)


@pytest.mark.parametrize("site", ["demo_hospital", "clinic", "office"])
def test_the_page_of_a_site_is_what_its_check_says_today(site: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(source_of(site)), "--page", str(tmp_path / site)])
    assert result.exit_code == 0, result.output
    committed, made = (
        {path.name: without_revision(path.read_text()) for path in folder.iterdir()}
        for folder in (PAGES / site, tmp_path / site)
    )
    assert committed.keys() == made.keys()
    drifted = [name for name in made if committed[name] != made[name]]
    assert drifted == [], f"run the command of docs/site-checks/README.md for {site} and commit what it writes"


def test_every_page_says_its_verdict_and_is_in_the_table() -> None:
    folders = sorted(path.parent.name for path in PAGES.glob("*/README.md"))
    table = (PAGES / "README.md").read_text()
    assert folders == sorted(re.findall(r"\]\((\w+)/README\.md\)", table))
    for folder in folders:
        assert re.search(
            r"\*\*Verdict: (fit|fit with conditions|refused), for at most \d+ robots?\.\*\*",
            (PAGES / folder / "README.md").read_text(),
        )
