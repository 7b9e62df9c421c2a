"""Whatever staff do, in any order, again, by two at once, and with the process dying in the middle: the promises hold.

Random people do random acts on random deliveries, rightly and wrongly. What is refused changes nothing; what is sent
again under its key changes nothing twice; what dies before its commit never was. After every step:

1. every unit is in exactly one account, at every index of the ledger;
2. a line ends once, signed by as many different people as its class asks for, none of them an accountable officer;
3. the entries are hash-linked as they were before, only longer;
4. a drawer has opened for the people, delivery and purpose of one grant alone: see `tests.support.custody_openings`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orchestrator.adapters.store import SqlStore, open_store
from orchestrator.application.accountability import (
    leave_without_person,
    pass_accountability,
    take_over_accountability,
)
from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.hand_to_runner import TakenOut, hand_to_runner
from orchestrator.application.idempotency import Answer, once
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.prepare_delivery import accept_delivery, check_delivery, verify_delivery
from orchestrator.application.refuse_delivery import patient_moved, refuse_delivery
from orchestrator.domain.custody.grant import Purpose
from orchestrator.domain.custody.model import AccountKind, Entry, EntryKind
from orchestrator.domain.delivery.model import Delivery, DeliveryState, Line, LineCount
from orchestrator.domain.delivery.packing import Packed
from orchestrator.domain.delivery.seals import SealRead
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import PersonId, Role
from simulation.memory_store import MemoryStore
from tests.support.custody import HATCH, MODEL, WARD_A, House, morphine, requisition
from tests.support.custody_openings import Openings
from tests.support.postgresql import PostgresServer

S = DeliveryState
EVERYBODY = (
    "pharmacist-1",
    "pharmacist-2",
    "technician-1",
    "nurse-a1",
    "nurse-a2",
    "nurse-a3",
    "nurse-b1",
    "porter-1",
    "manager-1",
    "officer-1",
)
RESOLVING = frozenset({EntryKind.RECEIVED, EntryKind.RECEIVED_DIFFERENT, EntryKind.RETURNED, EntryKind.QUARANTINED})
OUTSIDE = frozenset({AccountKind.SUPPLIER, AccountKind.OPENING, AccountKind.OVER})

someone = st.sampled_from(EVERYBODY)
RIGHT_ON_WARD, RIGHT_IN_PHARMACY = ("nurse-a1", "nurse-a2"), ("pharmacist-1", "technician-1")
NEARLY_ON_WARD = (
    ("nurse-a1",),
    ("nurse-a1", "nurse-a1"),
    ("nurse-a1", "nurse-b1"),
    ("nurse-a1", "officer-2"),
    ("officer-2", "nurse-a2"),
    ("nurse-a1", "porter-1"),
)
NEARLY_IN_PHARMACY = (
    ("pharmacist-1",),
    ("technician-1", "technician-2"),
    ("pharmacist-1", "pharmacist-1"),
    ("pharmacist-1", "nurse-a1"),
    ("pharmacist-1", "officer-1"),
)
NEARLY_RIGHT = (*NEARLY_ON_WARD, *NEARLY_IN_PHARMACY)
crews = st.integers(0, 11)
"""Which people do what comes next: from 6 on the right ones, else some that are nearly right."""

two = st.one_of(st.sampled_from(NEARLY_RIGHT).map(list), st.lists(someone, min_size=1, max_size=3))
picks = st.integers(0, 30)
seals = st.sampled_from(("S-right", "S-right", "S-right", "S-wrong"))
rarely = st.integers(0, 4).map(lambda number: number == 0)
errors = st.sampled_from((0, 0, 0, 0, -1, 1, -3))
fates = st.sampled_from(("done", "done", "done", "again", "dies", "both"))
"""What becomes of a request: it is done, sent again, its process dies before the commit, or somebody else asks too."""


class DiedError(Exception):
    """The process ends before the commit."""


class Custody(Openings, RuleBasedStateMachine):
    """Staff at work on a store; subclasses say which."""

    house: House

    @initialize()
    def open(self) -> None:
        self.house = House(store=self.opened())
        # Somebody who holds the officer's office and nurses as well: the office bars them from handling.
        self.house.hire("officer-2", Role.ACCOUNTABLE_OFFICER, Role.NURSE, places=(WARD_A,))
        self.house.approve()
        self.asked = 0
        self.sealed_numbers = 0
        self.hashes: list[str] = []
        self.did: Counter[str] = Counter()
        self.open_robots()
        for _ in range(2):
            self.fetch(self.house.ready(morphine(10), morphine(20)))

    def opened(self) -> Any:
        return MemoryStore()

    # -- how everything is asked for -------------------------------------------------------------------------------

    def ask(self, fate: str, what: str, use_case: Callable[..., Any], **said: Any) -> None:
        """Ask for something as a request does, under a key of its own."""
        self.asked += 1
        key = f"key-{self.asked}"
        before = self.looks()
        try:
            if fate == "dies":
                with pytest.raises(DiedError):
                    self.do_once(key, use_case, said, dies=True)
                assert self.looks() == before, f"{what} died before its commit, and something of it was kept"
            first = self.do_once(key, use_case, said)
        except WardporterError:
            assert self.looks() == before, f"{what} was refused, and changed something"
            return
        self.did[what] += 1
        if fate == "again":
            after = self.looks()
            assert self.do_once(key, use_case, said) == first, f"{what} was answered differently the second time"
            assert self.looks() == after, f"{what} was asked for twice under one key, and done twice"
        if fate == "both":
            self.as_second(what, use_case, said)

    def as_second(self, what: str, use_case: Callable[..., Any], said: dict[str, Any]) -> None:
        """Let another request ask for the same a moment later: it ends one way, or is a new act of its own."""
        self.asked += 1
        before = self.looks()
        try:
            self.do_once(f"key-{self.asked}", use_case, said)
        except WardporterError:
            assert self.looks() == before, f"{what} was refused the second time, and changed something"

    def do_once(self, key: str, use_case: Callable[..., Any], said: dict[str, Any], *, dies: bool = False) -> Answer:
        with self.house.store.transaction() as uow:

            def act() -> Answer:
                result = use_case(uow, at=self.house.at, **said)
                return Answer(200, str(getattr(result, "id", result)))

            answer = once(uow, key=key, principal="somebody", fingerprint=key, at=self.house.at, act=act)
            if dies:
                raise DiedError
        return answer

    def looks(self) -> tuple[object, ...]:
        """Return everything that a promise speaks of, to see whether it changed."""
        with self.house.store.reading() as uow:
            states = tuple((d.id, d.state, d.waiting, d.custody) for d in uow.deliveries.open())
            return (uow.ledger.size, uow.events.last_number(), len(uow.incidents.newest(1000)), states)

    def a_delivery(self, pick: int, *, best: DeliveryState | None = None) -> Delivery | None:
        """Return one of them: where there are any in the state that an act is for, one of these."""
        with self.house.store.reading() as uow:
            known = sorted(uow.deliveries.page(after=None, limit=20, states=None), key=lambda d: d.id)
        known = [delivery for delivery in known if delivery.state is best] or known
        return known[pick % len(known)] if known else None

    # -- what people do --------------------------------------------------------------------------------------------

    @rule(
        pick=picks,
        fate=fates,
        off=errors,
        seal=seals,
        other=seals,
        is_broken=rarely,
        crew=crews,
        in_two=st.booleans(),
        takes_some=st.booleans(),
    )
    def go_on(
        self,
        pick: int,
        fate: str,
        off: int,
        seal: str,
        other: str,
        is_broken: bool,
        crew: int,
        in_two: bool,
        takes_some: bool,
    ) -> None:
        """Do what comes next, as those do whose work it is, or nearly; counts and seals are misread now and then."""
        delivery = self.a_delivery(pick)
        if delivery is None:
            return
        if delivery.state is S.SEALED:
            self.drives(delivery)
        elif delivery.state is S.RETURNING and delivery.trip is not None:
            self.comes_back(delivery)
        elif delivery.state is S.LOADING:
            self.loads(delivery, fate, crew_of(crew, RIGHT_IN_PHARMACY, NEARLY_IN_PHARMACY), in_two=in_two)
        if takes_some and delivery.state in (S.SEALED, S.ARRIVED):
            self.refuses_some(delivery, fate)
        elif delivery.state in (S.SEALED, S.ARRIVED, S.RETURNING, S.HANDED_TO_RUNNER):
            is_back = delivery.state is S.RETURNING
            people = (
                crew_of(crew, RIGHT_IN_PHARMACY, NEARLY_IN_PHARMACY)
                if is_back
                else crew_of(crew, RIGHT_ON_WARD, NEARLY_ON_WARD)
            )
            self.receives(delivery, fate, people, seal=seal, other=other, off=off, is_broken=is_broken)

    @rule(by=someone, ready=st.booleans())
    def queue(self, by: str, ready: bool) -> None:
        """Queue something controlled; half the time with everything done that comes before loading."""
        by = "pharmacist-1" if ready else by
        try:
            queued = self.house.queue(morphine(10), morphine(20), by=by, supply=requisition())
        except WardporterError:
            return
        # Once the usual batch is recalled nobody dispenses it any more.
        if ready and self.did["recall"] == 0:
            self.house.dispense(queued)
            self.house.check(queued)
            self.fetch(self.house.accept(queued))

    @rule(pick=picks, people=two, fate=fates)
    def verify(self, pick: int, people: list[str], fate: str) -> None:
        self.on_one(pick, fate, "verify", verify_delivery, people)

    @rule(pick=picks, by=someone)
    def dispense(self, pick: int, by: str) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None:
            before = self.looks()
            try:
                self.house.dispense(delivery, by=by)
            except WardporterError:
                assert self.looks() == before

    @rule(pick=picks, people=two, fate=fates, off=errors)
    def check(self, pick: int, people: list[str], fate: str, off: int) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None:
            self.on_one(pick, fate, "check", check_delivery, people, counts=counted(delivery, off))

    @rule(pick=picks, people=two, fate=fates, named=st.lists(someone, min_size=1, max_size=2))
    def accept(self, pick: int, people: list[str], fate: str, named: list[str]) -> None:
        self.on_one(pick, fate, "accept", accept_delivery, people, named=[PersonId(name) for name in named])

    @rule(pick=picks)
    def robot_comes(self, pick: int) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None and delivery.state is S.VERIFIED and delivery.trip is None:
            self.fetch(delivery)

    @rule(pick=picks, people=two, fate=fates, off=errors, in_two=st.booleans())
    def load(self, pick: int, people: list[str], fate: str, off: int, in_two: bool) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None:
            self.loads(delivery, fate, people, off=off, in_two=in_two)

    @rule(pick=picks, people=two, fate=fates, happens=rarely)
    def load_by_hand(self, pick: int, people: list[str], fate: str, happens: bool) -> None:
        """Seal for a messenger what a robot was to fetch."""
        delivery = self.a_delivery(pick)
        if happens and delivery is not None:
            self.loads(delivery, fate, people, is_by_hand=True)

    def loads(
        self,
        delivery: Delivery,
        fate: str,
        people: list[str],
        *,
        off: int = 0,
        in_two: bool = False,
        is_by_hand: bool = False,
    ) -> None:
        seal = f"S-of-{delivery.id}"
        first, *others = (line.id for line in delivery.lines)
        self.opens(delivery, fate, people)
        self.ask(
            fate,
            "load_by_hand" if is_by_hand else "load_two" if in_two else "load",
            load_delivery,
            delivery=delivery.id,
            present=self.house.present(*people),
            premises=self.house.premises,
            seal_number=None if in_two else seal,
            totes=(Packed(seal, (first,)), Packed(f"{seal}-2", tuple(others))) if in_two else (),
            ids=self.house.ids,
            counts=counted(delivery, off),
            model=MODEL,
            is_by_hand=is_by_hand,
        )
        self.shuts(delivery)

    @rule(pick=picks)
    def robot_drives(self, pick: int) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None and delivery.state is S.SEALED:
            self.drives(delivery)

    def drives(self, delivery: Delivery) -> None:
        if self.leaves(delivery):
            self.house.drive(delivery)
            self.arrives_with(delivery, delivery.to_station)

    def comes_back(self, delivery: Delivery) -> None:
        if self.leaves(delivery):
            self.house.brought_back(delivery)
            self.arrives_with(delivery, delivery.returns_to)

    @rule(pick=picks, people=two, fate=fates, seal=seals, other=seals, off=errors, is_broken=rarely)
    def receive(
        self, pick: int, people: list[str], fate: str, seal: str, other: str, off: int, is_broken: bool
    ) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None:
            self.receives(delivery, fate, people, seal=seal, other=other, off=off, is_broken=is_broken)

    def receives(
        self, delivery: Delivery, fate: str, people: list[str], *, seal: str, other: str, off: int, is_broken: bool
    ) -> None:
        """Receive what lies in one tote by its seal, what lies in several by the seal of each."""
        read = [
            SealRead(tote.id, tote.seal_number or "S-none" if said == "S-right" else said, is_broken and number == 0)
            for number, (tote, said) in enumerate(zip(delivery.open_totes, (seal, other, "S-right"), strict=False))
        ]
        is_one = len(read) == 1
        reading = Reading(
            read[0].seal_number if is_one else None,
            counted(delivery, off),
            is_seal_broken=is_broken and is_one,
            totes=() if is_one else tuple(read),
        )
        self.opens(delivery, fate, people)
        self.ask(
            fate,
            "receive" if is_one else "receive_several",
            confirm_receipt,
            delivery=delivery.id,
            present=self.house.present(*people),
            premises=self.house.premises,
            reading=reading,
            ids=self.house.ids,
        )
        self.shuts(delivery)

    @rule(pick=picks, fate=fates)
    def refuse_some(self, pick: int, fate: str) -> None:
        """Take the first line in and send the others back."""
        delivery = self.a_delivery(pick, best=DeliveryState.ARRIVED)
        if delivery is not None:
            self.refuses_some(delivery, fate)

    def refuses_some(self, delivery: Delivery, fate: str) -> None:
        if any(delivery.custody.ended(line.id) for line in delivery.lines):
            return
        self.sealed_numbers += 1
        reading = Reading(
            None,
            counted(delivery, 0),
            totes=tuple(SealRead(tote.id, tote.seal_number or "S-none") for tote in delivery.totes),
            refused=tuple(line.id for line in delivery.lines[1:]),
            new_seal=f"S-new-{self.sealed_numbers}",
        )
        self.opens(delivery, fate, list(RIGHT_ON_WARD))
        self.ask(
            fate,
            "refuse_some",
            confirm_receipt,
            delivery=delivery.id,
            present=self.house.present(*RIGHT_ON_WARD),
            premises=self.house.premises,
            reading=reading,
            ids=self.house.ids,
        )
        self.shuts(delivery)

    @rule(pick=picks, people=two, fate=fates)
    def refuse(self, pick: int, people: list[str], fate: str) -> None:
        self.on_one(pick, fate, "refuse", refuse_delivery, people, reason="not wanted")

    @rule(pick=picks, people=two, fate=fates, happens=rarely)
    def move_patient(self, pick: int, people: list[str], fate: str, happens: bool) -> None:
        if happens:
            self.on_one(pick, fate, "move_patient", patient_moved, people)

    @rule(pick=picks, fate=fates, happens=rarely)
    def cancel(self, pick: int, fate: str, happens: bool) -> None:
        delivery = self.a_delivery(pick)
        if happens and delivery is not None:
            self.ask(
                fate,
                "cancel",
                cancel_delivery,
                delivery=delivery.id,
                reason="not wanted",
                by="pharmacist-1",
                premises=self.house.premises,
            )

    @rule(pick=picks)
    def robot_comes_back(self, pick: int) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None and delivery.state is S.RETURNING and delivery.trip is not None:
            self.comes_back(delivery)

    @rule(pick=picks, people=two, fate=fates, by_key=st.booleans())
    def take_out(self, pick: int, people: list[str], fate: str, by_key: bool) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None and not by_key:
            self.opens(delivery, fate, people, purpose=Purpose.RETRIEVE)
        totes = () if delivery is None or delivery.state is not S.HANDED_TO_RUNNER else delivery.open_totes
        read = tuple(SealRead(tote.id, tote.seal_number or "S-none") for tote in totes)
        self.on_one(
            pick,
            fate,
            "take_out",
            hand_to_runner,
            people,
            reason="the robot stands",
            is_emptied=True,
            ids=self.house.ids,
            taken_out=TakenOut(is_by_key=by_key, occurred_at=self.house.at if by_key else None, totes=read),
        )
        if delivery is not None:
            self.shuts(delivery)

    @rule(pick=picks, people=two, fate=fates, takes_over=st.booleans())
    def hand_over_shift(self, pick: int, people: list[str], fate: str, takes_over: bool) -> None:
        use_case = take_over_accountability if takes_over else pass_accountability
        self.on_one(pick, fate, use_case.__name__, use_case, people)

    @rule(who=st.sampled_from(("pharmacist-1", "pharmacist-2")), fate=fates, happens=rarely)
    def leave(self, who: str, fate: str, happens: bool) -> None:
        if not happens:
            return
        self.ask(
            fate,
            "leave",
            leave_without_person,
            person=PersonId(who),
            by="administrator-1",
            premises=self.house.premises,
            ids=self.house.ids,
        )

    @rule(number=st.integers(0, 15))
    def recall(self, number: int) -> None:
        """Recall the usual batch, late in a day: what holds it turns back, and nothing of it is dispensed any more."""
        if number == 0 and self.asked > 20 and self.did["recall"] == 0:
            self.did["recall"] += 1
            self.house.recall()

    def on_one(
        self, pick: int, fate: str, what: str, use_case: Callable[..., Any], people: list[str], **said: Any
    ) -> None:
        delivery = self.a_delivery(pick)
        if delivery is not None:
            self.ask(
                fate,
                what,
                use_case,
                delivery=delivery.id,
                present=self.house.present(*people),
                premises=self.house.premises,
                **said,
            )

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def every_unit_is_in_one_account_at_every_index(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.store.reading() as uow:
            entries = uow.ledger.entries(limit=100_000)
            held: Counter[tuple[str, str, object]] = Counter()
            for entry in entries:
                moved = Counter[object]()
                for posting in entry.draft.postings:
                    held[posting.account.kind.value, posting.account.of, posting.stock] += posting.quantity
                    moved[posting.stock] += posting.quantity
                assert not any(moved.values()), f"entry {entry.index} makes or loses units"
                for (kind, of, _stock), units in held.items():
                    is_bounded = kind in ("transit", "quarantine", "returned")
                    assert not is_bounded or units >= 0, f"{kind} {of} holds {units} after entry {entry.index}"
            for balance in uow.ledger.balances():
                key = (balance.account.kind.value, balance.account.of, balance.stock)
                assert held[key] == balance.quantity, f"the books have {balance.quantity} in {key}"
            for delivery in uow.deliveries.page(after=None, limit=50, states=None):
                for tote in delivery.totes:
                    in_transit = sum(n for (kind, of, _), n in held.items() if kind == "transit" and of == tote.id)
                    lines = [line for line in delivery.lines if line.id in tote.lines]
                    expected = 0 if delivery.loading is None else units_open(delivery, lines)
                    assert in_transit == expected, f"{tote.id} of {delivery.id}, {delivery.state.value}: {in_transit}"
                self.carries_what_has_not_ended(uow, delivery)

    def carries_what_has_not_ended(self, uow: UnitOfWork, delivery: Delivery) -> None:
        is_sealed = delivery.loading is not None
        assert is_sealed or delivery.state is not S.HANDED_TO_RUNNER, f"{delivery.id} is carried and on no account"
        assert sorted(line for tote in delivery.totes for line in tote.lines) == sorted(
            line.id for line in delivery.lines
        )
        open_units = units_open(delivery, delivery.lines)
        assert not (is_sealed and delivery.state.is_closed and open_units), f"{delivery.id} closed with lines open"
        pendings = {pending.line for pending in uow.ledger.open_pendings() if pending.delivery == delivery.id}
        still_open = {line.id for line in delivery.lines if delivery.custody.ended(line.id) is None}
        assert pendings == (still_open if is_sealed else set())

    @invariant()
    def a_line_ends_once_signed_by_two_who_may(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.store.reading() as uow:
            entries = uow.ledger.entries(limit=100_000)
        ended: Counter[object] = Counter()
        for entry in (entry for entry in entries if entry.draft.kind in RESOLVING and entry.draft.resolves):
            ended.update(entry.draft.resolves)
            self.was_signed_by_two(entry)
        assert all(times == 1 for times in ended.values())

    def was_signed_by_two(self, entry: Entry) -> None:
        signed = [signature.person for signature in entry.draft.signatures]
        assert len(set(signed)) == len(signed) >= 2, f"entry {entry.index} is signed by {signed}"
        people = [self.house.people[person] for person in signed]
        assert not any(person.has(Role.ACCOUNTABLE_OFFICER) for person in people)
        place = HATCH if entry.draft.place == HATCH else WARD_A
        assert all(person.belongs_to(entry.draft.place) for person in people), f"{signed} at {place}"

    @invariant()
    def what_was_written_stays(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.store.reading() as uow:
            hashes = [entry.hash for entry in uow.ledger.entries(limit=100_000)]
        assert hashes[: len(self.hashes)] == self.hashes
        self.hashes = hashes


def crew_of(number: int, right: tuple[str, ...], nearly: tuple[tuple[str, ...], ...]) -> list[str]:
    return list(nearly[number % len(nearly)] if number < 6 else right)


def counted(delivery: Delivery, off: int) -> tuple[LineCount, ...]:
    """Return a count of every line that has not ended, the first off by some."""
    lines = [line for line in delivery.lines if delivery.custody.ended(line.id) is None]
    return tuple(
        LineCount(line.id, max(line.quantity + (off if number == 0 else 0), 0)) for number, line in enumerate(lines)
    )


def units_open(delivery: Delivery, lines: Sequence[Line]) -> int:
    """Return the units of those of some lines that have not ended."""
    return sum(line.quantity for line in lines if delivery.custody.ended(line.id) is None)


class OnDisk(Custody):
    """The same on SQLite, which is closed and opened anew now and then, as after a crash."""

    def opened(self) -> Any:
        self.folder = tempfile.mkdtemp(prefix="wardporter-custody-")
        self.disk: SqlStore = open_store(self.url)
        return self.disk

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/store.sqlite"

    @rule()
    def restart(self) -> None:
        self.disk.close()
        self.disk = open_store(self.url)
        self.house.store = self.disk

    def teardown(self) -> None:
        if hasattr(self, "disk"):
            self.disk.close()
            shutil.rmtree(self.folder)


def machine_on(server: PostgresServer) -> type[Custody]:
    class OnPostgres(OnDisk):
        """The same on a database of a real PostgreSQL server."""

        def opened(self) -> Any:
            self.address = server.new_store_url()
            self.disk = open_store(self.address)
            return self.disk

        @property
        def url(self) -> str:
            return self.address

        def teardown(self) -> None:
            if hasattr(self, "disk"):
                self.disk.close()
                server.drop(self.address)

    return OnPostgres
