"""A small hospital of people and medicines, to play what happens to a controlled delivery, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from orchestrator.application.cancel_delivery import cancel_delivery
from orchestrator.application.carriage_approvals import approve_carriage
from orchestrator.application.confirm_receipt import Reading, confirm_receipt
from orchestrator.application.load_delivery import load_delivery
from orchestrator.application.ports import Store, UnitOfWork
from orchestrator.application.prepare_delivery import (
    Picked,
    accept_delivery,
    check_delivery,
    dispense_delivery,
    verify_delivery,
)
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.application.recalls import RecallRequest, raise_recall
from orchestrator.application.refuse_delivery import RECALLED, turn_back
from orchestrator.domain.custody.model import Account, AccountKind, Stock
from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.custody.supply import SupplyRequest
from orchestrator.domain.delivery.custody_record import Basis, BasisKind, SupplyKind
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    LineCount,
    LineId,
    Stop,
    StopKind,
    Trip,
    TripId,
)
from orchestrator.domain.delivery.packing import Packed
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from orchestrator.domain.fleet.model import ModelId, RobotId
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.recall import Recall, RecallClass
from orchestrator.domain.people.model import Person, PersonId, Role
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, STATIONS, CountingIds, a_request, is_served
from tests.support.medicines import MORPHINE, MORPHINE_GTIN
from tests.support.staff import Staff

HATCH, WARD_A, WARD_B = "pharmacy-hatch-1", "ward-a-handover", "ward-b-handover"
MODEL = ModelId("porter")
BATCH = "M100"
TEN = 10

T = TypeVar("T")

PEOPLE: dict[str, tuple[tuple[Role, ...], tuple[str, ...]]] = {
    "pharmacist-1": ((Role.PHARMACIST,), (HATCH,)),
    "pharmacist-2": ((Role.PHARMACIST,), (HATCH,)),
    "technician-1": ((Role.PHARMACY_TECHNICIAN,), (HATCH,)),
    "technician-2": ((Role.PHARMACY_TECHNICIAN,), (HATCH,)),
    "nurse-a1": ((Role.NURSE,), (WARD_A,)),
    "nurse-a2": ((Role.NURSE,), (WARD_A,)),
    "nurse-a3": ((Role.NURSE,), (WARD_A,)),
    "charge-a": ((Role.NURSE_IN_CHARGE,), (WARD_A,)),
    "midwife-a": ((Role.MIDWIFE,), (WARD_A,)),
    "nurse-b1": ((Role.NURSE,), (WARD_B,)),
    "nurse-b2": ((Role.NURSE,), (WARD_B,)),
    "porter-1": ((Role.PORTER,), ()),
    "manager-1": ((Role.SITE_MANAGER,), ()),
    "engineer-1": ((Role.ENGINEER,), ()),
    "officer-1": ((Role.ACCOUNTABLE_OFFICER,), ()),
}


def morphine(quantity: int = TEN, **more: Any) -> LineRequest:
    return LineRequest(medicine=MORPHINE.name, quantity=quantity, unit="tablet", code=str(MORPHINE.code), **more)


def requisition(by: str = "nurse-a1", number: str = "REQ-1") -> SupplyRequest:
    return SupplyRequest(
        SupplyKind.WARD_STOCK, basis=Basis(BasisKind.WARD_REQUISITION, number, requested_by=PersonId(by))
    )


@dataclass
class House:
    """People, medicines and a store; `at` is now, and moves on by hand."""

    store: Store = field(default_factory=MemoryStore)
    policy: CustodyPolicy = field(default_factory=CustodyPolicy)
    ids: CountingIds = field(default_factory=CountingIds)
    at: datetime = NOON
    people: dict[str, Person] = field(default_factory=dict[str, Person])

    def __post_init__(self) -> None:
        self.staff = Staff(self.store)
        for name, (roles, places) in PEOPLE.items():
            self.hire(name, *roles, places=places)
        with self.store.transaction() as uow:
            uow.medicines.save([MORPHINE])

    @property
    def premises(self) -> Premises:
        return Premises(STATIONS, self.policy)

    def hire(self, name: str, *roles: Role, places: tuple[str, ...] = (), **more: Any) -> Person:
        registration = f"R-{name}" if any(role.is_registered for role in roles) else None
        self.people[name] = self.staff.add(name, *roles, places=places, registration=registration, **more)
        return self.people[name]

    def present(self, *names: str) -> Present:
        people = tuple(self.people[name] for name in names)
        return Present(names[0], people, roles=people[0].roles)

    def do(self, use_case: Callable[..., T], **said: Any) -> T:
        """Run a use case in one transaction, with what every one of them takes."""
        with self.store.transaction() as uow:
            return use_case(uow, at=self.at, **said)

    def wait(self, **length: float) -> None:
        self.at += timedelta(**length)

    # -- what is usual ----------------------------------------------------------------------------------------------

    def approve(self, *, from_place: str = HATCH, to_place: str = WARD_A, model: str = MODEL) -> None:
        self.do(
            approve_carriage,
            handling_class=HandlingClass.CONTROLLED,
            from_place=PlaceId(from_place),
            to_place=PlaceId(to_place),
            model=ModelId(model),
            reference="SOP 7",
            ends_at=None,
            present=self.present("officer-1"),
            ids=self.ids,
        )

    def queue(
        self,
        *lines: LineRequest,
        by: str = "pharmacist-1",
        supply: SupplyRequest | None = None,
        request: DeliveryRequest | None = None,
        **more: Any,
    ) -> Delivery:
        return self.do(
            queue_delivery,
            request=request or a_request(HATCH, WARD_A, *(lines or (morphine(),))),
            supply=requisition() if supply is None else supply,
            ids=self.ids,
            present=self.present(by),
            premises=self.premises,
            is_served=is_served,
            **more,
        )

    def verify(self, delivery: Delivery, by: str = "pharmacist-1") -> Delivery:
        return self.do(verify_delivery, delivery=delivery.id, present=self.present(by), premises=self.premises)

    def dispense(self, delivery: Delivery, *picked: Picked, by: str = "technician-1") -> Delivery:
        usual = [
            Picked(line.id, line.quantity, gtin=MORPHINE_GTIN, batch=BATCH, expiry=(NOON + timedelta(days=400)).date())
            for line in delivery.lines
        ]
        return self.do(
            dispense_delivery,
            delivery=delivery.id,
            picked=picked or usual,
            present=self.present(by),
            premises=self.premises,
        )

    def check(self, delivery: Delivery, by: str = "pharmacist-2") -> Delivery:
        return self.do(
            check_delivery,
            delivery=delivery.id,
            counts=counted(delivery),
            present=self.present(by),
            premises=self.premises,
        )

    def accept(
        self, delivery: Delivery, *, by: str = "nurse-a1", named: tuple[str, ...] = ("nurse-a1", "nurse-a2")
    ) -> Delivery:
        return self.do(
            accept_delivery,
            delivery=delivery.id,
            named=[PersonId(name) for name in named],
            present=self.present(by),
            premises=self.premises,
        )

    def load(
        self,
        delivery: Delivery,
        *by: str,
        seal: str = "S-1",
        model: str = MODEL,
        counts: tuple[LineCount, ...] | None = None,
        totes: Sequence[Packed] = (),
        **more: Any,
    ) -> Delivery:
        return self.do(
            load_delivery,
            delivery=delivery.id,
            seal_number=None if totes else seal,
            totes=totes,
            ids=self.ids,
            counts=counts or counted(delivery),
            present=self.present(*(by or ("pharmacist-1", "technician-1"))),
            premises=self.premises,
            model=ModelId(model),
            **more,
        )

    def receive(
        self,
        delivery: Delivery,
        *by: str,
        seal: str | None = "S-1",
        counts: tuple[LineCount, ...] | None = None,
        off_by: int = 0,
        **read: Any,
    ) -> Delivery:
        seal = None if read.get("totes") else seal
        return self.do(
            confirm_receipt,
            delivery=delivery.id,
            reading=Reading(seal, counts if counts is not None else counted(delivery, off_by=off_by), **read),
            present=self.present(*(by or ("nurse-a1", "nurse-a2"))),
            premises=self.premises,
            ids=self.ids,
        )

    def cancel(self, delivery: Delivery, *, reason: str, by: str = "pharmacist-1", **more: Any) -> Delivery:
        return self.do(cancel_delivery, delivery=delivery.id, reason=reason, by=by, premises=self.premises, **more)

    # -- what robots do ----------------------------------------------------------------------------------------------

    def ready(self, *lines: LineRequest, **more: Any) -> Delivery:
        """Queue a controlled delivery and do all that comes before loading."""
        self.approve()
        queued = self.queue(*lines, **more)
        self.dispense(queued)
        self.check(queued)
        return self.accept(queued)

    def at_hatch(self, *lines: LineRequest, **more: Any) -> Delivery:
        ready = self.ready(*lines, **more)
        return self.fetched(ready)

    def fetched(self, ready: Delivery, *, robot: str = "robot-1") -> Delivery:
        """Let a robot stand open at the hatch for a delivery."""
        trip = Trip(
            id=TripId(f"trip-of-{ready.id}"),
            robot=RobotId(robot),
            stops=(
                Stop(ready.from_station, StopKind.LOAD, (ready.id,)),
                Stop(ready.to_station, StopKind.HAND_OVER, (ready.id,)),
            ),
            started_at=self.at,
        )
        with self.store.transaction() as uow:
            uow.trips.add(trip)
            assigned = moved(
                replace(ready, trip=trip.id, robot=trip.robot, drawer="top"),
                DeliveryState.ASSIGNED,
                at=self.at,
                cause="dispatch",
            )
            loading = moved(assigned, DeliveryState.LOADING, at=self.at, cause=robot)
            uow.deliveries.save(loading)
        return loading

    def sealed(self, *lines: LineRequest, **more: Any) -> Delivery:
        return self.load(self.at_hatch(*lines, **more))

    def drive(self, sealed: Delivery) -> Delivery:
        """Bring a sealed delivery to the ward."""
        with self.store.transaction() as uow:
            now = uow.deliveries.get(sealed.id)
            for state in (DeliveryState.IN_TRANSIT, DeliveryState.ARRIVED):
                now = moved(now, state, at=self.at, cause="robot-1")
            uow.deliveries.save(now)
        return now

    def arrived(self, *lines: LineRequest, **more: Any) -> Delivery:
        return self.drive(self.sealed(*lines, **more))

    def brought_back(self, delivery: Delivery) -> Delivery:
        """Let the robot stand where a returning delivery is taken back."""
        with self.store.transaction() as uow:
            back = uow.deliveries.get(delivery.id)
            assert back.trip is not None
            stop = Stop(back.returns_to, StopKind.TAKE_BACK, (back.id,))
            uow.trips.save(replace(uow.trips.get(back.trip), stops=(stop,), has_arrived=True))
        return back

    def recall(self, *, turns_back: bool = True) -> None:
        """Recall the usual batch."""
        self.recall_of(str(MORPHINE.code), BATCH, turns_back=turns_back)

    def recall_of(self, medicine: str, batch: str, *, turns_back: bool = True) -> Recall:
        """Recall a batch of a medicine."""

        def back(uow: UnitOfWork, delivery: Delivery) -> None:
            if turns_back:
                turn_back(uow, delivery, RECALLED, at=self.at, by="pharmacist-1", place=PlaceId(HATCH))

        request = RecallRequest(
            medicine=medicine,
            recall_class=RecallClass.PATIENT_SAFETY_ALERT,
            reference="NatPSA 1",
            reason="Wrong strength",
            batches=frozenset({batch}),
        )
        return self.do(
            raise_recall,
            request=request,
            places=[PlaceId(WARD_A)],
            turn_back=back,
            ids=self.ids,
            by="pharmacist-1",
        )

    # -- what is on record -------------------------------------------------------------------------------------------

    def now(self, delivery: Delivery) -> Delivery:
        return self.now_of(delivery.id)

    def now_of(self, delivery: DeliveryId) -> Delivery:
        with self.store.reading() as uow:
            return uow.deliveries.get(delivery)

    def units(self, kind: AccountKind, of: str) -> int:
        """Return how many units of the usual morphine an account holds."""
        with self.store.reading() as uow:
            return uow.ledger.balance(Account(kind, of), Stock(str(MORPHINE.code), BATCH))

    def incidents(self) -> list[str]:
        with self.store.reading() as uow:
            return [incident.kind.value for incident in reversed(uow.incidents.newest(100))]

    def entries(self, delivery: Delivery) -> list[str]:
        with self.store.reading() as uow:
            found = uow.ledger.entries(limit=100, delivery=delivery.id)
        return [entry.draft.facts.get("event", entry.draft.kind.value) for entry in found]

    def events(self) -> list[str]:
        with self.store.reading() as uow:
            return [event.kind for event in uow.events.after(0, 1000)]


def counted(delivery: Delivery, *, off_by: int = 0) -> tuple[LineCount, ...]:
    return tuple(
        LineCount(line.id, line.quantity + (off_by if index == 0 else 0)) for index, line in enumerate(delivery.lines)
    )


def line_of(delivery: Delivery, index: int = 0) -> LineId:
    return delivery.lines[index].id


def delivery_id(text: str) -> DeliveryId:
    return DeliveryId(text)
