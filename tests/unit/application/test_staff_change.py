"""Who changes wards or roles with something on its way, or with a drawer granted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.application.credentials import Renewed, renew_staff
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.staff import new_secrets
from orchestrator.application.staff_change import StaffChange, change_staff
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.issued_grant import GrantOutcome
from orchestrator.domain.custody.model import Stock
from orchestrator.domain.custody.people import Present
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.people.errors import RegistrationTakenError
from orchestrator.domain.people.model import PersonId, Role
from orchestrator.domain.site.model import PlaceId
from tests.support.custody import HATCH, WARD_A, WARD_B, House
from tests.support.deliveries import NOON, PREMISES, CountingIds
from tests.support.ledgers import occasion
from tests.support.medicines import MORPHINE
from tests.support.staff import Staff, cheap_secrets
from tests.unit.application.test_grants import LATER, NURSE, SECOND_NURSE
from tests.unit.application.test_grants import House as DrawerHouse

KNOWN = frozenset({PlaceId(HATCH), PlaceId(WARD_A), PlaceId(WARD_B)})


def change(house: House, person: str, *roles: Role, places: tuple[str, ...] = ()) -> None:
    house.do(
        change_staff,
        person=PersonId(person),
        change=StaffChange(
            frozenset(roles) or None, frozenset(PlaceId(place) for place in places) if places else None, "R-1"
        ),
        reason="Moved",
        known=KNOWN,
        by="administrator-1",
        premises=house.premises,
        ids=house.ids,
    )


@pytest.mark.parametrize(
    ("roles", "places", "who"),
    [
        ((Role.PHARMACIST, Role.SITE_MANAGER), (HATCH,), "pharmacist-1"),
        ((), (HATCH, WARD_A), "pharmacist-1"),
        ((Role.PHARMACY_TECHNICIAN,), (), None),
        ((Role.NURSE,), (WARD_A,), None),
        ((), (WARD_A,), None),
    ],
)
def test_who_loses_role_or_place_for_what_is_controlled_answers_for_it_no_longer(
    roles: tuple[Role, ...], places: tuple[str, ...], who: str | None
) -> None:
    house = House()
    sealed = house.sealed()
    assert house.now(sealed).custody.accountable == "pharmacist-1"
    change(house, "pharmacist-1", *roles, places=places)
    assert house.now(sealed).custody.accountable == who
    assert house.incidents() == ([] if who else ["custody_without_person"])


def renumber(house: House, person: str, **said: Any) -> None:
    house.do(
        change_staff,
        person=PersonId(person),
        change=StaffChange(**said),
        reason="Corrected",
        known=KNOWN,
        by="administrator-1",
        premises=house.premises,
        ids=house.ids,
    )


def test_nobody_is_given_the_registration_number_of_another_account_that_stands() -> None:
    house = House()
    with pytest.raises(RegistrationTakenError) as refused:
        renumber(house, "nurse-a1", registration=" r-NURSE-a2\n")
    assert refused.value.detail == {"field": "registration", "person": "nurse-a2"}
    with house.store.reading() as uow:
        assert uow.people.get(PersonId("nurse-a1")).registration == "R-nurse-a1"
    renumber(house, "nurse-a1", registration="R-NURSE-A1")


def test_an_account_that_ended_does_not_stand_again_with_what_is_somebody_elses_number_by_now() -> None:
    house = House()
    house.hire("agency-1", Role.NURSE, places=(WARD_A,), expires_at=house.at + timedelta(hours=1))
    house.wait(hours=2)
    renumber(house, "nurse-a1", registration="R-agency-1")
    with pytest.raises(RegistrationTakenError):
        renumber(house, "agency-1", expires_at=house.at + timedelta(hours=1))


def test_what_was_signed_before_keeps_the_role_that_was_acted_in() -> None:
    house = House()
    people = [house.people["nurse-a1"]]
    signed = movements.signed_by(people, acting_as=frozenset({Role.NURSE}))
    stock = Stock(MORPHINE.code, "B-1")
    with house.store.transaction() as uow:
        at = replace(occasion(PlaceId(WARD_A), facts={"supplier": "Example Wholesale"}), signatures=signed)
        index = uow.ledger.append(movements.supplier_receipt(stock, 10, at), NOON).index
    change(house, "nurse-a1", Role.PORTER, places=(WARD_B,))
    with house.store.reading() as uow:
        entry = uow.ledger.entry(index)
        assert uow.people.get(PersonId("nurse-a1")).roles == {Role.PORTER}
    assert [(one.person, one.role) for one in entry.draft.signatures] == [("nurse-a1", "nurse")]


def renewed(uow: UnitOfWork, person: PersonId) -> Any:
    made = new_secrets(cheap_secrets())
    return renew_staff(uow, person, Renewed.PIN, made=made, reason="Seen by others", at=LATER, by="administrator-1")


def moved(uow: UnitOfWork, person: PersonId) -> Any:
    change = StaffChange(places=frozenset({PlaceId(WARD_B)}))
    return change_staff(
        uow,
        person,
        change,
        reason="Moved",
        known=KNOWN,
        at=LATER,
        by="administrator-1",
        premises=PREMISES,
        ids=CountingIds(),
    )


@pytest.mark.parametrize(("do", "reason"), [(renewed, "renewed"), (moved, "staff_changed")])
def test_a_grant_that_no_robot_answered_is_void_when_one_of_its_people_is_renewed_or_moved(
    do: Callable[[UnitOfWork, PersonId], Any], reason: str
) -> None:
    house = DrawerHouse(handling_class=HandlingClass.CONTROLLED)
    Staff(house.store).add("nurse-2", Role.NURSE, places=(WARD_A,), registration="R")
    assert SECOND_NURSE.id == "nurse-2"
    issued = house.grant(Present("nurse-1", (NURSE, SECOND_NURSE)))
    with house.store.transaction() as uow:
        do(uow, SECOND_NURSE.id)
        assert uow.outbox.wanted() == []
        (grant,) = uow.grants.of_delivery(issued.delivery)
    assert (grant.outcome, grant.reason) == (GrantOutcome.VOID, reason)
