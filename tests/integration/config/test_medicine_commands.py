"""``wardporter scan``, ``medicines load`` and ``register export`` as people call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.adapters.config.built_in import DEMO_MEDICINES, built_in
from orchestrator.adapters.store import open_store
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode
from tests.support.deliveries import NOON
from tests.support.drawn_pages import said_on
from tests.support.ledgers import opening
from tests.support.medicines import MORPHINE, MORPHINE_GTIN
from tests.support.shared_data import REPOSITORY

PACK = "]d201050123456789001727053110ABC123\x1d21SN0001"


def wardporter(folder: Path, *arguments: str, sent: bytes = b"", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WARDPORTER_")}
    environment |= {"XDG_DATA_HOME": str(folder), "PYTHONPATH": str(REPOSITORY)} | settings
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator.cli", *arguments],
        input=sent,
        capture_output=True,
        env=environment,
        check=False,
        timeout=50,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("code", [PACK, PACK.replace("\x1d", r"\x1d"), PACK.replace("\x1d", "<GS>")])
def test_a_code_is_read_as_the_service_reads_it(tmp_path: Path, code: str) -> None:
    done = wardporter(tmp_path, "scan", code, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["kind"], said["batch"], said["serial"]) == ("pack", "ABC123", "SN0001")


def test_a_code_is_read_from_standard_input(tmp_path: Path) -> None:
    done = wardporter(tmp_path, "scan", "-", "--json", "--kind", "pack", sent=PACK.encode() + b"\r\n")
    assert json.loads(done.stdout)["batch"] == "ABC123"
    assert wardporter(tmp_path, "scan", "-", sent=b"\xff\xfe").returncode == 2


def test_a_code_that_must_not_be_trusted_ends_with_2_and_says_why(tmp_path: Path) -> None:
    done = wardporter(tmp_path, "scan", "9990548608", "--json", "--kind", "nhs-number")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "bad_nhs_number"
    assert "bad_nhs_number: The NHS number was refused" in done.stderr
    assert "9990548608" not in done.stdout + done.stderr


def test_a_catalogue_is_loaded_into_the_books(tmp_path: Path) -> None:
    done = wardporter(tmp_path, "medicines", "load", str(built_in(DEMO_MEDICINES)))
    assert done.returncode == 0, done.stderr
    store = open_store(f"sqlite:///{tmp_path}/wardporter/wardporter.sqlite")
    try:
        with store.reading() as uow:
            found = uow.medicines.by_gtin(MORPHINE_GTIN)
    finally:
        store.close()
    assert found is not None
    assert found.drug_class == "morphine"


def test_a_catalogue_that_is_wrong_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "own.medicines.yaml"
    path.write_text(
        built_in(DEMO_MEDICINES).read_text(encoding="utf-8").replace('"0002"', '"CD2"', 1), encoding="utf-8"
    )
    done = wardporter(tmp_path, "medicines", "load", str(path))
    assert done.returncode == 2
    assert f"{path}:" in done.stderr
    assert "category" in done.stderr


def test_a_register_is_exported_while_the_service_has_its_books_open(tmp_path: Path) -> None:
    data = tmp_path / "wardporter"
    terms = LedgerTerms(LedgerOrigin("demo-hospital", is_simulation=True), LedgerMode.REGISTER_OF_RECORD)
    store = open_store(f"sqlite:///{data}/wardporter.sqlite", ledger=terms)
    try:
        with store.transaction() as uow:
            uow.medicines.save([MORPHINE])
            uow.ledger.append(opening(), NOON)
        # The store is open in this process, as a running service has it.
        table, page = tmp_path / "register.csv", tmp_path / "register.pdf"
        for out in (table, page):
            done = wardporter(tmp_path, "register", "export", "--place", "pharmacy", "--out", str(out))
            assert done.returncode == 0, done.stderr
            assert "SIMULATION" in done.stdout
    finally:
        store.close()
    assert table.read_text(encoding="utf-8").splitlines()[1].startswith("SIMULATION,pharmacy,morphine,10 mg")
    assert "Authority to possess" in " ".join(said_on(page.read_bytes()))


def test_a_register_that_is_not_there_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "register.csv"
    done = wardporter(tmp_path, "register", "export", "--place", "pharmacy", "--out", str(out))
    assert (done.returncode, out.exists()) == (2, False)
    assert "there is no store" in done.stderr
    done = wardporter(tmp_path, "register", "export", "--place", "pharmacy", "--out", str(tmp_path / "register.txt"))
    assert done.returncode == 2
    assert ".csv or .pdf" in done.stderr
