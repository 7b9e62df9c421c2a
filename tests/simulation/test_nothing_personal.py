"""Nothing that passes the broker, and nothing in the event stream, names a patient or tells how much is carried."""

from __future__ import annotations

import json
import random

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.queue_delivery import queue_delivery
from orchestrator.domain.custody.people import believed
from orchestrator.domain.custody.supply import SupplyRequest
from orchestrator.domain.delivery.custody_record import Basis, BasisKind, SupplyKind
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from simulation.broker import VirtualBroker
from simulation.ward import SimulatedWard
from tests.support.wards import a_demand, a_fleet, demo_hospital

PATIENT, REFERENCE, QUANTITY = "9990548609", "RX-PATIENT-73", 73331
SECRETS = tuple(str(word) for word in (PATIENT, "999 054 8609", REFERENCE, QUANTITY))


class TappedBroker(VirtualBroker):
    """A broker that keeps all that passes."""

    passed: list[tuple[str, bytes]]

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        self.passed.append((topic, payload))
        super().publish(topic, payload, qos=qos, retain=retain)


class TappedWard(SimulatedWard):
    """A ward whose broker keeps all that passes."""

    def _new_broker(self, chance: random.Random) -> VirtualBroker:
        self.tap = TappedBroker(self.scheduler, chance=chance)
        self.tap.passed = []
        return self.tap


def test_no_message_and_no_event_names_the_patient_the_paper_or_the_quantity() -> None:
    site = demo_hospital()
    fleet = a_fleet(site)
    asked = a_demand(site, count=2, seed=3)
    ward = TappedWard(fleet, asked=asked, seed=3)
    like = asked[0].request
    request = DeliveryRequest(
        like.from_station,
        like.to_station,
        (LineRequest(medicine="Testamol 5 mg tablets", quantity=QUANTITY, unit="x"),),
    )
    supply = SupplyRequest(SupplyKind.PATIENT, Basis(BasisKind.PRESCRIPTION, REFERENCE), patient=PATIENT)

    def queue(uow: UnitOfWork) -> None:
        queue_delivery(
            uow,
            request=request,
            supply=supply,
            at=ward.clock.now(),
            ids=ward.ids,
            present=believed("pharmacy"),
            premises=fleet.premises,
            is_served=lambda station: fleet.serves(station.id),
        )

    ward.scheduler.after(0.5, lambda: ward.control.run(queue))
    outcome = ward.run(limit_s=7200.0)

    mine = [one for one in outcome.deliveries if one.custody.patient == PATIENT]
    assert [one.state for one in mine] == [DeliveryState.RECEIVED]
    assert any(mine[0].load.encode() in payload for _, payload in ward.tap.passed), "it rode with a robot"
    assert any(mine[0].id in line for line in outcome.log.decode().splitlines())
    for secret in SECRETS:
        assert [topic for topic, payload in ward.tap.passed if secret in topic or secret.encode() in payload] == []
        assert [line for line in outcome.log.decode().splitlines() if secret in json.dumps(json.loads(line))] == []
