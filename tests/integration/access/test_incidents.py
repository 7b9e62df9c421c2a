"""Incidents over HTTP: who reads them, and what only few of those read."""

from __future__ import annotations

import pytest

from orchestrator.domain.custody.incident import Incident, IncidentId, IncidentKind
from orchestrator.domain.site.model import PlaceId
from tests.support.deliveries import NOON
from tests.support.house_of_staff import WARD_A, House

INCIDENT = Incident(
    id=IncidentId("incident-1"),
    kind=IncidentKind.DRAWER_FORCED,
    at=NOON,
    place=PlaceId(WARD_A),
    is_controlled=True,
    sentence="A drawer was forced.",
    details="10 tablets, schedule 2",
)


@pytest.mark.parametrize(
    ("person", "details"),
    [
        ("pharmacist-1", INCIDENT.details),
        ("accountable-officer-1", INCIDENT.details),
        ("in-charge-a", None),
        ("site-manager-1", None),
    ],
)
def test_the_details_of_an_incident_are_for_pharmacists_and_the_accountable_officer(
    house: House, person: str, details: str | None
) -> None:
    with house.store.transaction() as uow:
        uow.incidents.add(INCIDENT)
    answer = house.get("/incidents", token=house.token(person))
    (shown,) = answer.json()["incidents"]
    assert (shown["sentence"], shown["details"]) == (INCIDENT.sentence, details)
    assert ("10 tablets" in answer.text) is (details is not None)
