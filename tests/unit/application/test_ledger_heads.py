"""Heads go to a second keeper; one that it does not know stops custody acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.adapters.ledger_key import is_signed, ledger_key
from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.adapters.witness import DirectoryWitness, kept_heads
from orchestrator.application.ledger_heads import HeadKeeper, Witness, Witnessing, WitnessUnreachableError
from orchestrator.application.ledger_keeping import LedgerHaltedError, LedgerTerms
from orchestrator.domain.custody.checkpoint import NoteSignature, SignedHead
from orchestrator.domain.custody.witnessing import InconsistentHeadError
from tests.support.deliveries import NOON
from tests.support.ledgers import ORIGIN, sealing


@dataclass
class House:
    """A store with its key, its witness's directory, and what stands between them."""

    folder: Path
    terms: LedgerTerms = field(init=False)
    store: SqlStore = field(init=False)
    keeper: HeadKeeper = field(init=False)

    def start(self, *, store: str = "store", key: str = "key", witness: Witness | None = None) -> HeadKeeper:
        signer = ledger_key(self.folder / key, ORIGIN)
        self.terms = LedgerTerms(ORIGIN, signer=signer)
        self.store = open_store(f"sqlite:///{self.folder}/{store}.sqlite", ledger=self.terms)
        directory = DirectoryWitness(self.folder / "witness", key=signer.key, is_signed=is_signed)
        self.keeper = HeadKeeper(self.store, self.terms, is_signed=is_signed, witness=witness or directory)
        return self.keeper

    def add(self, *lines: str) -> None:
        with self.store.transaction() as uow:
            for line in lines:
                uow.ledger.append(sealing(line), NOON)

    def restart(self, *, store: str = "store", key: str = "key") -> HeadKeeper:
        self.store.close()
        return self.start(store=store, key=key)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


class Absent:
    """A witness that nobody reaches until it is back."""

    def __init__(self) -> None:
        self.is_back = False

    def keep(self, head: SignedHead, *, old: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        if not self.is_back:
            raise WitnessUnreachableError("The witness was not reached.")
        return ()


def test_every_head_that_is_handed_over_is_kept_and_grows(house: House) -> None:
    keeper = house.start()
    assert keeper.has_news
    assert keeper.keep().witnessing is Witnessing.AGREED
    assert not keeper.has_news
    for number in range(5):
        house.add(f"line-{number}", f"more-{number}")
        assert keeper.has_news
        standing = keeper.keep()
        assert (standing.size, standing.unwitnessed) == (2 * number + 2, 0)
    assert [file.name for file in kept_heads(house.folder / "witness")] == [
        f"head-{size:012d}.note" for size in (0, 2, 4, 6, 8, 10)
    ]
    house.store.close()


def test_a_start_goes_on_where_the_witness_is(house: House) -> None:
    house.start().keep()
    house.add("line-1", "line-2")
    house.keeper.keep()
    house.add("line-3")
    assert house.restart().keep().witnessing is Witnessing.AGREED
    assert house.keeper.standing.witnessed == 3
    assert house.restart().keep().witnessing is Witnessing.AGREED
    house.store.close()


def test_a_ledger_that_was_set_back_is_stopped_and_still_read(house: House) -> None:
    house.start().keep()
    house.add("line-1", "line-2")
    house.keeper.keep()
    standing = house.restart(store="older").keep()
    assert standing.witnessing is Witnessing.INCONSISTENT
    assert "more entries" in standing.sentence
    with pytest.raises(LedgerHaltedError):
        house.add("line-1")
    with house.store.reading() as uow:
        assert uow.ledger.size == 0
    assert not house.keeper.has_news
    house.store.close()


def test_a_ledger_that_was_written_anew_is_stopped(house: House) -> None:
    house.start().keep()
    house.add("line-1", "line-2", "line-3")
    house.keeper.keep()
    house.restart(store="forged")
    house.add("line-1", "line-9", "line-3", "line-4")
    assert house.keeper.keep().witnessing is Witnessing.INCONSISTENT
    with pytest.raises(LedgerHaltedError):
        house.add("line-5")
    house.store.close()


def test_two_ledgers_of_one_size_are_told_apart(house: House) -> None:
    house.start().keep()
    house.add("line-1")
    house.keeper.keep()
    house.restart(store="forged")
    house.add("line-2")
    assert house.keeper.keep().witnessing is Witnessing.INCONSISTENT
    house.store.close()


def test_another_key_is_not_believed(house: House) -> None:
    house.start().keep()
    house.add("line-1")
    house.keeper.keep()
    assert house.restart(key="another").keep().witnessing is Witnessing.INCONSISTENT
    house.store.close()


def test_a_witness_that_is_not_reached_stops_nothing_and_catches_up(house: House) -> None:
    absent = Absent()
    keeper = house.start(witness=absent)
    house.add("line-1", "line-2")
    standing = keeper.keep()
    assert (standing.witnessing, standing.unwitnessed) == (Witnessing.UNREACHED, 2)
    assert standing.unwitnessed_since == NOON
    assert "2 entries" in standing.sentence
    house.add("line-3")
    assert keeper.has_news
    absent.is_back = True
    standing = keeper.keep()
    assert (standing.witnessing, standing.unwitnessed, standing.unwitnessed_since) == (Witnessing.AGREED, 0, None)
    house.store.close()


def test_without_a_witness_the_head_is_still_told(house: House) -> None:
    house.start()
    alone = HeadKeeper(house.store, house.terms, is_signed=is_signed)
    house.add("line-1")
    standing = alone.keep()
    assert (standing.witnessing, standing.unwitnessed) == (Witnessing.ALONE, 1)
    assert standing.head is not None
    assert SignedHead.parse(standing.head).checkpoint.size == 1
    assert not alone.has_news
    house.store.close()


def test_what_somebody_found_in_the_ledger_stops_it(house: House) -> None:
    keeper = house.start()
    keeper.keep()
    assert "entry 7" in keeper.shut("entry 7 was changed").sentence
    assert keeper.keep().witnessing is Witnessing.INCONSISTENT
    with pytest.raises(LedgerHaltedError):
        house.add("line-1")
    house.store.close()


def test_a_kept_head_is_never_overwritten(house: House) -> None:
    house.start().keep()
    house.add("line-1")
    house.keeper.keep()
    file = kept_heads(house.folder / "witness")[-1]
    before = file.read_bytes()
    signer = ledger_key(house.folder / "key", ORIGIN)
    blind = DirectoryWitness(house.folder / "witness", key=signer.key, is_signed=is_signed)
    head = SignedHead.parse(before.decode())
    with pytest.raises(InconsistentHeadError):
        blind._write(replace(head, signatures=()))
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".*"))
    house.store.close()


def test_a_directory_that_is_not_there_is_a_witness_that_is_not_reached(house: House) -> None:
    (house.folder / "witness").write_text("not a directory")
    assert house.start().keep().witnessing is Witnessing.UNREACHED
    house.store.close()
