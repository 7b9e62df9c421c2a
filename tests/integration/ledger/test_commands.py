"""What an auditor types, on books that a service holds open and on books that somebody has changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.adapters.ledger_key import is_signed, ledger_key
from orchestrator.adapters.store import open_store
from orchestrator.adapters.witness import DirectoryWitness
from orchestrator.application.ledger_heads import HeadKeeper
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.bootstrap_audit import LEDGER_FOLDER
from orchestrator.cli import app
from orchestrator.domain.custody.checkpoint import Checkpoint, signed_head
from orchestrator.domain.custody.merkle import Frontier
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.settings import STORE_FILE
from tests.support.audited_ledgers import a_house
from tests.support.deliveries import NOON
from tests.support.ledgers import ORIGIN, sealing

GOOD, BAD, REFUSED = 0, 1, 2


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_house(tmp_path_factory.mktemp("house"), count=60, each=3)


@pytest.fixture
def data(house: Path, tmp_path: Path) -> Path:
    """Books of our own to change."""
    (tmp_path / LEDGER_FOLDER).mkdir()
    for file in (STORE_FILE, f"{LEDGER_FOLDER}/ledger-simulation.pub", f"{LEDGER_FOLDER}/ledger-simulation.key"):
        (tmp_path / file).write_bytes((house / file).read_bytes())
        (tmp_path / file).chmod(0o600)
    return tmp_path


def ledger(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["ledger", *(str(argument) for argument in arguments)])


def verify(data: Path, *arguments: str | Path) -> Result:
    return ledger("verify", "--data", data, *arguments)


def kept_head(data: Path, name: str = "kept.note") -> Path:
    file = data / name
    file.write_text(ledger("head", "--data", data).stdout)
    return file


def change(data: Path, *statements: str, unguarded: bool = True) -> None:
    """Edit the books by hand, as somebody with the file may: first the triggers go."""
    with closing(sqlite3.connect(data / STORE_FILE)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger%'")
        for (name,) in names.fetchall() if unguarded else []:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement


def test_a_good_ledger_is_good_with_its_heads_and_says_simulation(data: Path) -> None:
    head = kept_head(data)
    assert head.read_text().startswith("wardporter.simulation/small-house\n")
    assert "SIMULATION" in head.read_text()
    found = verify(data, "--head", head)
    assert found.exit_code == GOOD, found.output
    assert "Good: 6" in found.stdout
    assert "SIMULATION" in found.stdout
    assert "No kept head was given" in verify(data).stdout


def test_an_export_is_verified_without_the_books(data: Path, tmp_path: Path) -> None:
    head, out = kept_head(data), tmp_path / "export.jsonl"
    assert ledger("export", "--data", data, "--out", out).exit_code == GOOD
    (data / STORE_FILE).unlink()
    (data / LEDGER_FOLDER / "ledger-simulation.pub").unlink()
    found = ledger("verify", "--export", out, "--head", head)
    assert found.exit_code == GOOD, found.output
    assert "SIMULATION" in out.read_text().splitlines()[0]
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(
        b"".join([*lines[:8], lines[8].replace(b'"units', b'"unitz').replace(b"tote", b"tode"), *lines[9:]])
    )
    assert ledger("verify", "--export", out).exit_code == BAD


def test_it_is_verified_and_exported_while_the_service_writes(data: Path) -> None:
    terms = LedgerTerms(ORIGIN, signer=ledger_key(data / LEDGER_FOLDER, ORIGIN))
    store = open_store(f"sqlite:///{data / STORE_FILE}", ledger=terms)
    with store.transaction() as uow:
        uow.ledger.append(sealing("line-new"), NOON)
        before = verify(data)
        assert before.exit_code == GOOD, before.output
    after = verify(data)
    assert after.exit_code == GOOD
    assert before.stdout != after.stdout
    assert ledger("export", "--data", data, "--out", data / "export.jsonl").exit_code == GOOD
    store.close()


def column_changes() -> list[str]:
    return [
        "body = replace(body, 'pharmacist-1', 'pharmacist-9')",
        "body = replace(body, '\"quantity', '\"quantitz') || ' '",
        "hash = '" + "0" * 64 + "'",
        "place = 'elsewhere'",
        "kind = 'custody'",
        "medicine = 'other-medicine'",
        "delivery = 'delivery-9'",
    ]


@pytest.mark.parametrize("set_to", column_changes())
def test_a_row_changed_by_hand_is_named_67(data: Path, set_to: str) -> None:
    change(data, f"UPDATE ledger_entry SET {set_to} WHERE number = 17")
    found = verify(data)
    assert found.exit_code == BAD
    assert "Entry 17 is bad" in found.stdout


def test_a_row_changed_with_its_hash_is_named_by_the_next(data: Path) -> None:
    with closing(sqlite3.connect(data / STORE_FILE)) as connection:
        (body,) = connection.execute("SELECT body FROM ledger_entry WHERE number = 17").fetchone()
    forged = body.replace('"reason":"', '"reason":"Otherwise. ')
    hash_ = sha256(b"\x00" + forged.encode()).hexdigest()
    escaped = forged.replace("'", "''")
    change(data, f"UPDATE ledger_entry SET body = '{escaped}', hash = '{hash_}' WHERE number = 17")
    found = verify(data)
    assert found.exit_code == BAD
    assert "Entry 17 is bad" in found.stdout


def test_a_row_taken_away_is_named(data: Path) -> None:
    change(data, "DELETE FROM ledger_entry WHERE number = 17")
    found = verify(data)
    assert found.exit_code == BAD
    assert "Entry 17 is bad" in found.stdout


@pytest.mark.parametrize("beside", ["DELETE FROM ledger_head WHERE size > 50", "DELETE FROM ledger_node", ""])
@pytest.mark.parametrize("since", [0, 1, 32, 50])
def test_rows_cut_off_the_end_are_named_by_the_first_of_them(data: Path, since: int, beside: str) -> None:
    change(data, f"DELETE FROM ledger_entry WHERE number >= {since}", *([beside] if beside else []))
    found = verify(data)
    assert found.exit_code == BAD
    assert f"Entry {since} is bad: it is not there, nor is any after it" in found.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_entry WHERE number >= 50",
        "UPDATE ledger_balance SET quantity = quantity + 1 WHERE account = 'cupboard'",
        "DELETE FROM ledger_balance",
        "INSERT INTO ledger_balance VALUES ('ward-z', 'cupboard', 'm', 'b', '', 3)",
        "UPDATE ledger_pending SET resolved_by = 3 WHERE resolved_by IS NULL",
        "UPDATE ledger_pending SET resolved_by = NULL WHERE resolved_by IS NOT NULL",
        "UPDATE ledger_pending SET quantity = quantity + 1 WHERE resolved_by IS NULL",
        "UPDATE ledger_pending SET to_place = 'ward-z' WHERE resolved_by IS NULL",
        "DELETE FROM ledger_pending",
        "DELETE FROM ledger_node WHERE level = 2",
        "UPDATE ledger_node SET hash = zeroblob(32) WHERE level = 3",
        "DELETE FROM ledger_head WHERE size > 40",
        "UPDATE ledger_head SET note = replace(note, 'A', 'B')",
        "UPDATE ledger_head SET note = (SELECT note FROM ledger_head WHERE size = 3) WHERE size = 6",
        "UPDATE ledger_head SET note = replace(note, 'small-house', 'large-house') WHERE size = 6",
        "UPDATE ledger_head SET note = replace(note, '— ', '— x') WHERE size = (SELECT max(size) FROM ledger_head)",
        "UPDATE ledger_head SET note = substr(note, 1, length(note) - 9) || 'AAAAAA==' || char(10) "
        "WHERE size = (SELECT max(size) FROM ledger_head)",
        "INSERT INTO ledger_head SELECT -1, note FROM ledger_head WHERE size = 3",
        "INSERT INTO ledger_opening VALUES ('ward-a', 'm', 'b', '', 3)",
    ],
)
def test_what_is_kept_beside_the_entries_cannot_be_changed_unseen(data: Path, statement: str) -> None:
    change(data, statement)
    found = verify(data)
    assert found.exit_code == BAD, found.output
    assert found.stdout.startswith("BAD.")


def rewrite(data: Path, *, since: int, has_key: bool) -> None:
    """Write the ledger anew since an entry, with every hash, node and, for somebody with the key, every head."""
    signer = ledger_key(data / LEDGER_FOLDER, ORIGIN)
    with closing(sqlite3.connect(data / STORE_FILE)) as connection:
        rows = connection.execute("SELECT body FROM ledger_entry ORDER BY number").fetchall()
    statements, frontier, previous = ["DELETE FROM ledger_node"], Frontier(), ORIGIN.first_hash
    for number, (body,) in enumerate(rows):
        said = {**json.loads(body), "previous": previous}
        if number == since:
            said["reason"] = "Otherwise."
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = sha256(b"\x00" + text.encode()).hexdigest()
        frontier, nodes = frontier.append(bytes.fromhex(previous))
        escaped = text.replace("'", "''")
        statements.append(f"UPDATE ledger_entry SET body = '{escaped}', hash = '{previous}' WHERE number = {number}")
        statements += [f"INSERT INTO ledger_node VALUES ({lvl}, {pos}, x'{h.hex()}')" for (lvl, pos), h in nodes]
        if has_key and number + 1 == len(rows):
            note = signed_head(Checkpoint(ORIGIN, number + 1, frontier.root()), signer.key, signer.sign).text
            statements += ["DELETE FROM ledger_head", f"INSERT INTO ledger_head VALUES ({number + 1}, '{note}')"]
    change(data, *statements)


def test_a_chain_written_anew_without_the_key_is_placed_by_its_own_heads(data: Path) -> None:
    rewrite(data, since=17, has_key=False)
    found = verify(data)
    assert found.exit_code == BAD
    assert "one of the entries 16 to 18" in found.stdout, "a head is signed after every three entries"


def test_a_chain_written_anew_with_the_key_is_placed_by_heads_kept_elsewhere(data: Path) -> None:
    witness = keep_all_heads(data)
    rewrite(data, since=17, has_key=True)
    assert verify(data).exit_code == GOOD, "without a kept head nobody can know"
    found = verify(data, "--head", witness)
    assert found.exit_code == BAD
    assert "one of the entries 16 to 18" in found.stdout


def keep_all_heads(data: Path) -> Path:
    with closing(sqlite3.connect(data / STORE_FILE)) as connection:
        notes = connection.execute("SELECT note FROM ledger_head ORDER BY size").fetchall()
    folder = data / "kept"
    folder.mkdir()
    for number, (note,) in enumerate(notes):
        (folder / f"head-{number}.note").write_text(note)
    return folder


def test_books_set_back_to_an_older_copy_are_found_by_a_kept_head(data: Path) -> None:
    head = kept_head(data)
    change(
        data,
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_head",
        "DELETE FROM ledger_node",
        "DELETE FROM ledger_balance",
        "DELETE FROM ledger_pending",
    )
    assert verify(data).exit_code == GOOD
    found = verify(data, "--head", head)
    assert found.exit_code == BAD
    assert "taken away" in found.stdout


def test_heads_and_keys_of_other_ledgers_are_refused(data: Path, tmp_path: Path) -> None:
    real = a_house(tmp_path / "real", count=5, origin=LedgerOrigin("small-house", is_simulation=False))
    foreign = kept_head(real)
    assert verify(data, "--head", foreign).exit_code == REFUSED
    assert verify(data, "--key", real / LEDGER_FOLDER / "ledger.pub").exit_code in (BAD, REFUSED)
    assert "SIMULATION" not in verify(real).stdout


def test_a_directory_without_a_kept_head_is_not_taken_for_one(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = verify(data, "--head", tmp_path / "empty")
    assert answer.exit_code == REFUSED
    assert "holds no kept head" in answer.output


def test_a_kept_head_of_another_key_says_so(data: Path, tmp_path: Path) -> None:
    other = a_house(tmp_path / "other", count=5)
    found = verify(data, "--head", kept_head(other))
    assert found.exit_code == BAD
    assert "was not signed with the key" in found.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        lambda folder: ["head", "--data", folder / "nowhere"],
        lambda folder: ["verify", "--data", folder / "nowhere"],
        lambda folder: ["verify", "--export", folder / "nowhere"],
        lambda folder: ["export", "--data", folder / "nowhere", "--out", folder / "x"],
        lambda folder: ["verify", "--export", folder / "text"],
        lambda folder: ["verify", "--export", folder / "text", "--head", folder / "text"],
        lambda folder: ["verify", "--data", folder / "broken"],
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    tmp_path: Path, arguments: Callable[[Path], list[str | Path]]
) -> None:
    (tmp_path / "text").write_text("not a ledger\n")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / STORE_FILE).write_bytes(b"not a database, and longer than the header of one" * 40)
    found = ledger(*arguments(tmp_path))
    assert found.exit_code == REFUSED, found.output
    assert "expected" in found.output or "No such file" in found.output


def test_a_witness_directory_is_given_as_it_is(data: Path) -> None:
    signer = ledger_key(data / LEDGER_FOLDER, ORIGIN)
    terms = LedgerTerms(ORIGIN, signer=signer)
    store = open_store(f"sqlite:///{data / STORE_FILE}", ledger=terms)
    directory = DirectoryWitness(data / "witness", key=signer.key, is_signed=is_signed)
    keeper = HeadKeeper(store, terms, is_signed=is_signed, witness=directory)
    keeper.keep()
    with store.transaction() as uow:
        uow.ledger.append(sealing("line-new"), NOON)
    keeper.keep()
    store.close()
    found = verify(data, "--head", data / "witness")
    assert found.exit_code == GOOD
    assert "all of the 2 kept heads" in found.stdout
