"""Whatever happens, every register's balance is what the ledger holds at its place, and its lines add up to it."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.application.registers import NoRegisterError, register_of
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.ledger_errors import OverdrawnError
from orchestrator.domain.custody.model import AccountKind, Draft, PendingId, Stock
from orchestrator.domain.custody.register import COUNTING, HERE
from orchestrator.domain.delivery.model import LineId, ToteId
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.ledgers import PHARMACY, RECORD, WARD, occasion
from tests.support.medicines import MORPHINE, a_medicine

OTHER = a_medicine("99900000000101", drug_class="morphine", form="ampoule", strength="10 mg")
STOCKS = (
    Stock(MORPHINE.code, "B-1"),
    Stock(MORPHINE.code, "B-2"),
    Stock(MORPHINE.code, "B-1", own_of="local-7"),
    Stock(OTHER.code, "A-1"),
    Stock("99900000000909", "X-1"),
)
PLACES = (PHARMACY, WARD)
SAID = "For the test."

acts = st.tuples(
    st.sampled_from(["take", "give", "seal", "receive", "differ", "return", "apart", "restock", "destroy", "check"]),
    st.sampled_from(STOCKS),
    st.sampled_from(PLACES),
    st.integers(1, 9),
)


class Days:
    """A ledger that people enter into; what it refuses is left out."""

    def __init__(self) -> None:
        self.store = MemoryStore(RECORD)
        self.open: list[PendingId] = []
        self.sealed = 0
        with self.store.transaction() as uow:
            uow.medicines.save([MORPHINE, OTHER])

    def do(self, act: str, stock: Stock, place: PlaceId, units: int) -> None:
        draft = self.draft(act, stock, place, units)
        if draft is None:
            return
        try:
            with self.store.transaction() as uow:
                uow.ledger.append(draft, NOON)
        except OverdrawnError:
            return
        self.open = [pending for pending in (*self.open, *draft.opens) if pending not in draft.resolves]

    def draft(self, act: str, stock: Stock, place: PlaceId, units: int) -> Draft | None:
        at = occasion(place, reason=SAID)
        if act in ("receive", "differ", "return"):
            return self.ending(act, place, units)
        if act == "seal":
            self.sealed += 1
            line = f"line-{self.sealed}"
            other = WARD if place == PHARMACY else PHARMACY
            return movements.sealed(
                stock,
                units,
                pending=PendingId(LineId(line)),
                tote=ToteId(f"tote-{self.sealed}"),
                to_place=other,
                occasion=at,
            )
        if act == "check":
            return movements.stock_check(stock, counted=units, expected=5, occasion=at)
        if act == "restock":
            return movements.restocked(stock, units, at, out_of=AccountKind.QUARANTINE)
        plain = {
            "take": movements.supplier_receipt,
            "give": movements.supplied,
            "apart": movements.set_apart,
            "destroy": movements.destroyed,
        }
        return plain[act](stock, units, at)

    def ending(self, act: str, place: PlaceId, units: int) -> Draft | None:
        if not self.open:
            return None
        with self.store.reading() as uow:
            pending = uow.ledger.pending(self.open[units % len(self.open)])
        at = occasion(place, reason=SAID)
        if act == "receive":
            return movements.received(pending, at)
        if act == "return":
            return movements.returned(pending, at, counted=units)
        counted = units if units != pending.quantity else units + 1
        return movements.received_different(
            pending, counted=counted, occasion=at, into=AccountKind.QUARANTINE if units % 2 else AccountKind.CUPBOARD
        )


@given(days=st.lists(acts, max_size=40))
def test_every_balance_is_what_the_ledger_holds_and_lines_add_up_to_it(
    days: list[tuple[str, Stock, PlaceId, int]],
) -> None:
    house = Days()
    for act in days:
        house.do(*act)
    with house.store.reading() as uow:
        for place in PLACES:
            held: defaultdict[bool, int] = defaultdict(int)
            for balance in uow.ledger.balances(of=place):
                if balance.account.kind in HERE:
                    held[balance.stock.own_of is not None] += balance.quantity
            try:
                register = register_of(uow, place, at=NOON, is_simulation=True, is_pharmacy=place == PHARMACY)
            except NoRegisterError:
                assert not any(held.values())
                continue
            shown: defaultdict[bool, int] = defaultdict(int)
            for page in register.pages:
                shown[page.heading.key.own_of != ""] += page.balance
                balance_now = 0
                for line in page.lines:
                    balance_now += line.obtained - line.supplied + line.counted_off
                    assert line.balance == balance_now
                    # What a count found nobody obtained or supplied, and the other way round.
                    assert not (line.counted_off if line.kind not in COUNTING else line.obtained or line.supplied)
                assert [line.entry for line in page.lines] == sorted({line.entry for line in page.lines})
            assert shown[False] == held[False]
            assert shown[True] == held[True]
