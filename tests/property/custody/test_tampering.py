"""Whatever is done to an export is found against one kept head, and a good one is never called bad."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.ledger_key import LedgerKey, ledger_key
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.audit import BadLedgerError
from orchestrator.domain.custody.checkpoint import Checkpoint, SignedHead, signed_head
from orchestrator.domain.custody.export import ENTRY_START, TAIL, entry_line, head_line
from orchestrator.domain.custody.merkle import Frontier
from orchestrator.domain.custody.model import Stock
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.errors import WardporterError
from simulation.memory_store import MemoryStore
from tests.support.audited_ledgers import Exported, an_export, export_of
from tests.support.deliveries import NOON
from tests.support.ledgers import MORPHINE, ORIGIN, occasion, opening, sealing

LEDGERS = 12
ENTRIES = 40
STILL = {"postings": [], "opens": [], "resolves": [], "kind": "custody", "corrects": None}


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Exported]:
    folder = tmp_path_factory.mktemp("keys")
    return [an_export(folder, count=ENTRIES, seed=seed) for seed in range(LEDGERS)]


@dataclass
class Forged:
    """Changed lines, and the entry that was touched first where exactly that one must be named."""

    lines: list[bytes]
    named: int | None = None


def an_entry(lines: list[bytes], chance: random.Random) -> int:
    """The place of a line with an entry; entry n is on line n + 1."""
    return chance.randrange(1, len(lines) - 1)


def edit(lines: list[bytes], chance: random.Random) -> Forged:
    place = an_entry(lines, chance)
    line = bytearray(lines[place])
    where = chance.randrange(len(ENTRY_START), len(line) - TAIL)
    line[where] ^= 1 << chance.randrange(8)
    return Forged([*lines[:place], bytes(line), *lines[place + 1 :]], named=place - 1)


def edit_anywhere(lines: list[bytes], chance: random.Random) -> Forged:
    place = chance.randrange(len(lines))
    line = bytearray(lines[place])
    where = chance.randrange(len(line))
    line[where] = (line[where] + chance.randrange(1, 256)) % 256
    # A line feed in the middle makes two lines of one, as reading the file would.
    changed = b"".join([*lines[:place], bytes(line), *lines[place + 1 :]])
    return Forged(changed.splitlines(keepends=True) if b"\r" not in line else [*changed.split(b"\n")])


def edit_meaning(lines: list[bytes], chance: random.Random) -> Forged:
    place = an_entry(lines, chance)
    said = json.loads(lines[place])["entry"]
    changed = changed_meaning(said, chance)
    body = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    stated = lines[place][-TAIL:]
    return Forged([*lines[:place], ENTRY_START + body + stated, *lines[place + 1 :]], named=place - 1)


def changed_meaning(said: dict[str, object], chance: random.Random) -> dict[str, object]:
    postings = said["postings"]
    assert isinstance(postings, list)
    if postings and chance.random() < 0.5:
        doubled = [[*posting[:5], posting[5] * 2] for posting in postings]
        return {**said, "postings": doubled}
    return {**said, "reason": f"{said['reason']} And so on."}


def delete(lines: list[bytes], chance: random.Random) -> Forged:
    place = an_entry(lines, chance)
    return Forged([*lines[:place], *lines[place + 1 :]], named=place - 1)


def duplicate(lines: list[bytes], chance: random.Random) -> Forged:
    place = an_entry(lines, chance)
    return Forged([*lines[: place + 1], *lines[place:]], named=place)


def swap(lines: list[bytes], chance: random.Random) -> Forged:
    first, second = sorted(chance.sample(range(1, len(lines) - 1), 2))
    swapped = [*lines]
    swapped[first], swapped[second] = lines[second], lines[first]
    return Forged(swapped, named=first - 1)


def insert(lines: list[bytes], chance: random.Random) -> Forged:
    place = an_entry(lines, chance)
    said = json.loads(lines[place])["entry"]
    body = json.dumps(
        {
            **changed_meaning(said, chance),
            "postings": [],
            "opens": [],
            "resolves": [],
            "kind": "custody",
            "corrects": None,
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    forged = entry_line(body, sha256(b"\x00" + body).hexdigest())
    return Forged([*lines[:place], forged, *lines[place:]], named=place)


def truncate(lines: list[bytes], chance: random.Random) -> Forged:
    if chance.random() < 0.5:
        return Forged(lines[: chance.randrange(len(lines))])
    keep = an_entry(lines, chance)
    return Forged([*lines[:keep], lines[-1]])


def hashed_anew(lines: list[bytes], chance: random.Random, *, key: LedgerKey | None) -> Forged:
    place = an_entry(lines, chance)
    said = json.loads(lines[place])["entry"]
    forged, previous = lines[:place], said["previous"]
    frontier = Frontier()
    for line in lines[1:place]:
        frontier, _ = frontier.append(bytes.fromhex(json.loads(line)["hash"]))
    for number, line in enumerate(lines[place:-1], start=place):
        entry = json.loads(line)["entry"]
        if number == place:
            entry = {**entry, "reason": f"{entry['reason']} Or not."}
        entry["previous"] = previous
        body = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        previous = sha256(b"\x00" + body).hexdigest()
        frontier, _ = frontier.append(bytes.fromhex(previous))
        forged.append(entry_line(body, previous))
    if key is None:
        return Forged([*forged, lines[-1]])
    old = SignedHead.parse(json.loads(lines[-1])["head"]).checkpoint
    return Forged(
        [*forged, head_line(signed_head(Checkpoint(old.origin, frontier.size, frontier.root()), key.key, key.sign))]
    )


def truncate_and_sign(lines: list[bytes], chance: random.Random, *, key: LedgerKey) -> Forged:
    """Take the newest entries away and sign what is left, as somebody with the key may."""
    keep = an_entry(lines, chance)
    frontier = Frontier()
    for line in lines[1:keep]:
        frontier, _ = frontier.append(bytes.fromhex(json.loads(line)["hash"]))
    old = SignedHead.parse(json.loads(lines[-1])["head"]).checkpoint
    made = signed_head(Checkpoint(old.origin, frontier.size, frontier.root()), key.key, key.sign)
    return Forged([*lines[:keep], head_line(made)], named=frontier.size)


CHANGES = (edit, edit_anywhere, edit_meaning, delete, duplicate, swap, insert, truncate)
KINDS = len(CHANGES) + 3


def forge(ledger: Exported, number: int, chance: random.Random) -> Forged:
    kind = number % KINDS
    if kind < len(CHANGES):
        return CHANGES[kind](ledger.lines, chance)
    if kind == len(CHANGES) + 1:
        return truncate_and_sign(ledger.lines, chance, key=ledger.key)
    if kind == len(CHANGES):
        return hashed_anew(ledger.lines, chance, key=None)
    return hashed_anew(ledger.lines, chance, key=ledger.key)


def check_all_are_found(ledgers: list[Exported], *, count: int, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(count):
        ledger = chance.choice(ledgers)
        forged = forge(ledger, number, chance)
        if forged.lines == ledger.lines:
            continue
        with pytest.raises(WardporterError) as found:
            ledger.verify(forged.lines, ledger.heads[-1:])
        if forged.named is not None:
            assert isinstance(found.value, BadLedgerError)
            assert found.value.entry == forged.named, (number, found.value.message)


def check_none_is_called_bad(folder: Path, *, count: int) -> None:
    for seed in range(count):
        ledger = an_export(folder, count=1 + seed % 30, seed=seed)
        assert ledger.verify().size == len(ledger.lines) - 2


def test_every_change_of_an_export_is_found_against_a_kept_head(ledgers: list[Exported]) -> None:
    check_all_are_found(ledgers, count=2_000, seed=1)


def test_good_exports_are_never_called_bad(tmp_path: Path) -> None:
    check_none_is_called_bad(tmp_path, count=100)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_hundred_thousand_changes_of_exports_are_all_found(ledgers: list[Exported]) -> None:
    check_all_are_found(ledgers, count=100_000, seed=2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_good_exports_are_never_called_bad(tmp_path: Path) -> None:
    check_none_is_called_bad(tmp_path, count=1_000)


def test_a_chain_hashed_anew_without_the_key_is_found_by_the_exports_own_head(ledgers: list[Exported]) -> None:
    chance = random.Random(4)
    for ledger in ledgers:
        forged = hashed_anew(ledger.lines, chance, key=None)
        with pytest.raises(BadLedgerError, match="hashed anew"):
            ledger.verify(forged.lines, [])


def test_a_chain_hashed_anew_is_placed_between_two_kept_heads(ledgers: list[Exported]) -> None:
    chance = random.Random(3)
    for number in range(200):
        ledger = ledgers[number % LEDGERS]
        forged = hashed_anew(ledger.lines, chance, key=ledger.key)
        touched = next(n for n, line in enumerate(forged.lines[1:]) if line != ledger.lines[n + 1])
        with pytest.raises(BadLedgerError) as found:
            ledger.verify(forged.lines)
        sizes = [0, *(head.checkpoint.size for head in ledger.heads)]
        matching = max(size for size in sizes if size <= touched)
        differing = min(size for size in sizes if size > touched)
        assert found.value.entry == matching
        assert f"entries {matching} to {differing - 1}" in found.value.message


def moved_more(said: dict[str, Any], *, kind: str, more: int) -> dict[str, Any]:
    """Let an entry of a kind move more units than it did."""
    if said["kind"] != kind:
        return said
    postings = [[*where, units + (more if units > 0 else -more)] for *where, units in said["postings"]]
    return {**said, "postings": postings}


@pytest.mark.parametrize("counted", [0, 10])
@pytest.mark.parametrize(
    ("stock", "kind"), [(MORPHINE, "supplied"), (MORPHINE, "destroyed"), (replace(MORPHINE, batch="B-9"), "supplied")]
)
def test_whoever_has_the_key_overdraws_no_cupboard_of_a_register_unseen(
    tmp_path: Path, counted: int, stock: Stock, kind: str
) -> None:
    signer = ledger_key(tmp_path, ORIGIN)
    store = MemoryStore(LedgerTerms(ORIGIN, LedgerMode.REGISTER_OF_RECORD, signer=signer))
    write = movements.supplied if kind == "supplied" else movements.destroyed
    with store.transaction() as uow:
        uow.ledger.append(opening(counted=counted), NOON)
        uow.ledger.append(movements.supplier_receipt(stock, 5, occasion()), NOON)
        uow.ledger.append(movements.custody_event("drawer_opened", occasion()), NOON)
        uow.ledger.append(write(stock, 5, occasion(reason="As said.")), NOON)
        uow.ledger.append(movements.supplier_receipt(stock, 50, occasion()), NOON)
    good = export_of(store, signer)
    assert good.verify().size == 5
    said = [json.loads(line)["entry"] for line in good.lines[1:-1]]
    forged = written_anew([moved_more(entry, kind=kind, more=11) for entry in said], title=good.lines[0], key=signer)
    with pytest.raises(BadLedgerError, match="takes more from the account cupboard of pharmacy") as found:
        good.verify(forged, heads=[])
    assert found.value.entry == 3


def test_a_cupboard_of_a_transit_record_may_be_below_zero(tmp_path: Path) -> None:
    signer = ledger_key(tmp_path, ORIGIN)
    store = MemoryStore(LedgerTerms(ORIGIN, signer=signer))
    with store.transaction() as uow:
        uow.ledger.append(sealing(), NOON)
    assert export_of(store, signer).verify().size == 1


def written_anew(entries: list[dict[str, Any]], *, title: bytes, key: LedgerKey) -> list[bytes]:
    """Return an export of entries as they are now, hashed and signed by somebody with the key."""
    lines, previous, frontier = [title], ORIGIN.first_hash, Frontier()
    for entry in entries:
        said = {**entry, "previous": previous}
        body = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        previous = sha256(b"\x00" + body).hexdigest()
        frontier, _ = frontier.append(bytes.fromhex(previous))
        lines.append(entry_line(body, previous))
    head = signed_head(Checkpoint(ORIGIN, frontier.size, frontier.root()), key.key, key.sign)
    return [*lines, head_line(head)]
