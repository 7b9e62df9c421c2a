"""What the table itself must say, by hand: a matrix worked out from a wrong table would agree with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import NotAllowedError, Subject, Why, judge, require_allowed, who_may
from orchestrator.domain.access.policy import POLICY
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.people.model import WARD_PRACTITIONERS, PersonId, Principal, PrincipalKind, Role
from orchestrator.domain.site.model import PlaceId

PHARMACY, ALDER, BIRCH = PlaceId("pharmacy"), PlaceId("alder"), PlaceId("birch")
TO_ALDER = Subject("delivery-1", source=PHARMACY, target=ALDER)
HANDLING = frozenset(
    {
        Act.QUEUE_DELIVERY,
        Act.VERIFY_DELIVERY,
        Act.CHECK_DELIVERY,
        Act.REFUSE_DELIVERY,
        Act.DISPENSE_DELIVERY,
        Act.ACCEPT_DELIVERY,
        Act.LOAD_DELIVERY,
        Act.RECEIVE_DELIVERY,
        Act.CONFIRM_IN_FRIDGE,
        Act.CANCEL_DELIVERY,
        Act.REROUTE_DELIVERY,
        Act.HAND_TO_RUNNER,
        Act.PASS_ACCOUNTABILITY,
        Act.RETRIEVE_AT_ROBOT,
        Act.USE_MECHANICAL_KEY,
        Act.BREAK_GLASS,
        Act.OPEN_BALANCE,
        Act.TAKE_FROM_SUPPLIER,
        Act.CHECK_STOCK,
        Act.SUPPLY_PATIENT,
        Act.RESTOCK,
        Act.DESTROY,
        Act.ENTER_AFTER_DOWNTIME,
        Act.CORRECT_ENTRY,
        Act.RESOLVE_DISCREPANCY,
    }
)


def a(role: Role, *places: PlaceId, kind: PrincipalKind = PrincipalKind.PERSON) -> Principal:
    return Principal("someone-1", kind, frozenset({role}), frozenset(places))


def test_every_act_has_a_cell_and_only_health_and_what_takes_badge_and_pin_are_public() -> None:
    assert set(POLICY) == set(Act)
    assert {act for act, cell in POLICY.items() if cell.is_public} == {
        Act.SEE_HEALTH,
        Act.SIGN_IN,
        Act.CHANGE_PIN,
    }
    assert [act for act, cell in POLICY.items() if not cell.rules and not cell.is_public] == []


def test_an_act_without_a_cell_is_refused_to_everybody() -> None:
    without = {act: cell for act, cell in POLICY.items() if act is not Act.WATCH}
    for role in Role:
        assert judge(a(role), Act.WATCH, Subject(), policy=without) is Why.NO_CELL


@pytest.mark.parametrize("act", sorted(HANDLING))
def test_the_accountable_officer_never_handles(act: Act) -> None:
    """Case 69."""
    assert judge(a(Role.ACCOUNTABLE_OFFICER, PHARMACY, ALDER), act, None) is Why.WRONG_ROLE


@pytest.mark.parametrize(
    "act", [Act.READ_REGISTER, Act.READ_LEDGER, Act.READ_REPORT, Act.READ_ACCESS_LOG, Act.FOLLOW_UP_DISCREPANCY]
)
def test_the_accountable_officer_reads_and_follows_up_everywhere(act: Act) -> None:
    assert judge(a(Role.ACCOUNTABLE_OFFICER), act, Subject(places=frozenset({BIRCH}))) is Why.ALLOWED


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ACCOUNTABLE_OFFICER}))
def test_nobody_but_the_officer_approves_carriage(role: Role) -> None:
    assert judge(a(role, PHARMACY), Act.APPROVE_CARRIAGE, None) is Why.WRONG_ROLE


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.ADMINISTRATOR, Role.PORTER, Role.SITE_MANAGER])
@pytest.mark.parametrize("act", [Act.RECEIVE_DELIVERY, Act.LOAD_DELIVERY, Act.ACCEPT_DELIVERY, Act.CHECK_STOCK])
def test_whoever_is_no_practitioner_neither_loads_nor_receives(role: Role, act: Act) -> None:
    assert judge(a(role, PHARMACY, ALDER), act, TO_ALDER) is Why.WRONG_ROLE


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.PHARMACIST}))
def test_nobody_but_a_pharmacist_verifies_classifies_or_recalls(role: Role) -> None:
    for act in (Act.VERIFY_DELIVERY, Act.CLASSIFY_MEDICINE, Act.RECALL_BATCH):
        assert judge(a(role, PHARMACY, ALDER), act, None) is Why.WRONG_ROLE


@pytest.mark.parametrize("role", sorted(WARD_PRACTITIONERS))
def test_practitioners_receive_on_their_own_ward_alone(role: Role) -> None:
    """Case 45: the right nurse, the wrong ward."""
    arrived = Subject("delivery-1", source=PHARMACY, target=ALDER, state=DeliveryState.ARRIVED)
    assert judge(a(role, ALDER), Act.RECEIVE_DELIVERY, arrived) is Why.ALLOWED
    assert judge(a(role, BIRCH), Act.RECEIVE_DELIVERY, arrived) is Why.WRONG_PLACE
    assert judge(a(role, BIRCH), Act.READ_DELIVERY, TO_ALDER) is Why.WRONG_PLACE
    assert judge(a(role, ALDER), Act.LOAD_DELIVERY, TO_ALDER) is Why.WRONG_PLACE


def test_who_sent_a_delivery_does_not_receive_it_and_takes_it_back_only_when_it_returns() -> None:
    arrived, returning = (
        Subject("delivery-1", source=PHARMACY, target=ALDER, back=PHARMACY, state=state)
        for state in (DeliveryState.ARRIVED, DeliveryState.RETURNING)
    )
    assert judge(a(Role.PHARMACIST, PHARMACY), Act.RECEIVE_DELIVERY, arrived) is Why.WRONG_STATE
    assert judge(a(Role.PHARMACIST, PHARMACY), Act.RECEIVE_DELIVERY, returning) is Why.ALLOWED
    assert judge(a(Role.NURSE, ALDER), Act.RECEIVE_DELIVERY, returning) is Why.WRONG_STATE


def test_only_who_is_of_the_place_it_comes_back_to_takes_it_back() -> None:
    returning = Subject("delivery-1", source=PHARMACY, target=ALDER, back=BIRCH, state=DeliveryState.RETURNING)
    arrived = replace(returning, state=DeliveryState.ARRIVED)
    for act in (Act.RECEIVE_DELIVERY, Act.OPEN_DRAWER, Act.READ_DELIVERY, Act.REPORT_INCIDENT):
        assert judge(a(Role.NURSE, BIRCH), act, returning) is Why.ALLOWED, act
    assert judge(a(Role.PHARMACIST, PHARMACY), Act.RECEIVE_DELIVERY, returning) is Why.WRONG_PLACE
    assert judge(a(Role.NURSE, ALDER), Act.RECEIVE_DELIVERY, returning) is Why.WRONG_STATE
    assert judge(a(Role.NURSE, BIRCH), Act.RECEIVE_DELIVERY, arrived) is Why.WRONG_STATE
    for act in (Act.CANCEL_DELIVERY, Act.REFUSE_DELIVERY, Act.LOAD_DELIVERY):
        assert judge(a(Role.NURSE, BIRCH), act, returning) is Why.WRONG_PLACE, act


def test_a_state_in_which_nobody_may_is_left_to_the_use_case_to_explain() -> None:
    queued = Subject("delivery-1", source=PHARMACY, target=ALDER, state=DeliveryState.QUEUED)
    assert judge(a(Role.NURSE, ALDER), Act.RECEIVE_DELIVERY, queued) is Why.ALLOWED


def test_locks_are_lifted_by_who_knows_the_person_and_never_by_oneself() -> None:
    nurse = Subject("nurse-1", places=frozenset({ALDER}), person=PersonId("nurse-1"))
    assert judge(a(Role.NURSE_IN_CHARGE, ALDER), Act.UNLOCK_STAFF, nurse) is Why.ALLOWED
    assert judge(a(Role.NURSE_IN_CHARGE, BIRCH), Act.UNLOCK_STAFF, nurse) is Why.WRONG_PLACE
    assert judge(a(Role.SITE_MANAGER), Act.UNLOCK_STAFF, nurse) is Why.ALLOWED
    oneself = Subject("someone-1", places=frozenset({ALDER}), person=PersonId("someone-1"))
    for role in (Role.NURSE_IN_CHARGE, Role.SITE_MANAGER):
        assert judge(a(role, ALDER), Act.UNLOCK_STAFF, oneself) is Why.ON_SELF


def test_every_act_that_moves_medicines_by_hand_asks_for_step_ups_and_is_for_people() -> None:
    moving = HANDLING - {Act.QUEUE_DELIVERY, Act.CANCEL_DELIVERY, Act.REROUTE_DELIVERY, Act.CONFIRM_IN_FRIDGE}
    assert [act for act in moving if not POLICY[act].needs_step_up] == []
    assert [act for act, cell in POLICY.items() if cell.needs_step_up and cell.for_programs] == []


def test_a_program_never_has_more_than_its_roles() -> None:
    program = a(Role.ENGINEER, kind=PrincipalKind.PROGRAM)
    assert judge(program, Act.QUARANTINE_ROBOT, Subject()) is Why.ALLOWED
    assert judge(program, Act.RESUME_ROBOT, Subject()) is Why.NO_PROGRAM
    assert judge(program, Act.ADD_STAFF, Subject()) is Why.WRONG_ROLE


def test_a_refusal_says_what_was_refused_who_may_and_what_to_do() -> None:
    with pytest.raises(NotAllowedError) as refused:
        require_allowed(a(Role.ENGINEER), Act.RECEIVE_DELIVERY, TO_ALDER)
    sentence = refused.value.message
    assert "receive delivery" in sentence
    assert "someone-1 has no role for it" in sentence
    assert "nurse" in sentence
    assert "of the place it goes to while it is arrived or handed to runner" in sentence
    assert sentence.endswith("Ask one of them.")


def test_who_may_is_said_of_every_act() -> None:
    for act in Act:
        assert who_may(act) or POLICY[act].is_public
