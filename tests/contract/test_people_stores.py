"""What every store promises about people, proofs and decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.store import open_store
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.application.ports import Store
from orchestrator.application.sign_in import count_guess
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Decision, Why
from orchestrator.domain.people.errors import UnknownPersonError
from orchestrator.domain.people.model import Person, PersonId, PrincipalKind, Role
from orchestrator.domain.people.proofs import (
    ANYWHERE,
    WRONG_IN_A_ROW,
    AccessToken,
    Credentials,
    PinCount,
    Session,
    SessionEnd,
    StepUp,
)
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.postgresql import store_url_of

LATER = NOON + timedelta(seconds=90, microseconds=1)
NURSE = Person(
    PersonId("nurse-1"),
    frozenset({Role.NURSE, Role.NURSE_IN_CHARGE}),
    frozenset({PlaceId("birch"), PlaceId("alder")}),
    registration="12A3456E",
    is_agency=True,
    expires_at=LATER,
)
KNOWN_BY = Credentials("badge-digest", "$argon2id$")
SESSION = Session("session-1", "digest-1", NURSE.id, "phone-1", True, NOON, NOON)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    with opened(store_url_of(request.param, request)) as made:
        yield made


def test_a_person_comes_back_as_kept_and_is_found_by_badge(store: Store) -> None:
    with store.transaction() as uow:
        uow.people.add(NURSE, KNOWN_BY)
    with store.transaction() as uow:
        uow.people.save(replace(NURSE, revoked_at=LATER))
    with store.reading() as uow:
        revoked = replace(NURSE, revoked_at=LATER)
        assert uow.people.get(NURSE.id) == revoked
        assert list(uow.people.all()) == [revoked]
        assert uow.people.by_badge("badge-digest") == (revoked, KNOWN_BY)
        assert uow.people.credentials(NURSE.id) == KNOWN_BY
        assert uow.people.by_badge("another") is None
        with pytest.raises(UnknownPersonError):
            uow.people.get(PersonId("nurse-404"))
        with pytest.raises(UnknownPersonError):
            uow.people.credentials(PersonId("nurse-404"))


def test_a_second_id_or_badge_is_refused(store: Store) -> None:
    with store.transaction() as uow:
        uow.people.add(NURSE, KNOWN_BY)
    for person, known_by in ((NURSE, Credentials("b", "p")), (replace(NURSE, id=PersonId("nurse-2")), KNOWN_BY)):
        with pytest.raises(AlreadyKeptError), store.transaction() as uow:
            uow.people.add(person, known_by)


def test_sessions_are_found_by_digest_person_and_device_until_somebody_ends_them(store: Store) -> None:
    other = replace(SESSION, id="session-2", digest="digest-2", device="phone-2", started_at=LATER, used_at=LATER)
    with store.transaction() as uow:
        uow.proofs.add_session(SESSION)
        uow.proofs.add_session(other)
        assert list(uow.proofs.sessions(person=NURSE.id)) == [SESSION, other]
        assert list(uow.proofs.sessions(device="phone-2")) == [other]
        ended = SESSION.used(LATER).ended(LATER, SessionEnd.ACT_DONE)
        uow.proofs.save_session(ended)
    with store.reading() as uow:
        assert uow.proofs.session("digest-1") == ended
        assert list(uow.proofs.sessions(person=NURSE.id)) == [other]
        assert uow.proofs.session("digest-3") is None
        assert uow.proofs.newest_start("phone-1") == NOON
        assert uow.proofs.newest_start("phone-3") is None


def test_tokens_are_kept_by_name_and_found_by_digest(store: Store) -> None:
    token = AccessToken("epr", "digest", frozenset({Role.PHARMACIST}), frozenset({PlaceId("birch")}), NOON, "admin-1")
    with store.transaction() as uow:
        uow.proofs.add_token(token)
    revoked = replace(token, expires_at=LATER, revoked_at=LATER, revoked_by="admin-2")
    with store.transaction() as uow:
        uow.proofs.save_token(revoked)
    with store.reading() as uow:
        assert uow.proofs.token("digest") == revoked
        assert list(uow.proofs.tokens()) == [revoked]
        assert uow.proofs.token("other") is None
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.proofs.add_token(replace(token, digest="other"))


def test_a_step_up_is_kept_and_used(store: Store) -> None:
    step_up = StepUp("digest", NURSE.id, Act.RECEIVE_DELIVERY, "delivery-1", "phone-1", NOON, LATER)
    with store.transaction() as uow:
        uow.proofs.add_step_up(step_up)
        assert uow.proofs.step_up("digest") == step_up
        uow.proofs.use_step_up("digest", LATER)
    with store.reading() as uow:
        assert uow.proofs.step_up("digest") == replace(step_up, used_at=LATER)
        assert uow.proofs.step_up("other") is None


def test_guesses_are_counted_by_badge_and_device_until_they_are_forgotten(store: Store) -> None:
    here, all_of_them = (PinCount("badge", device).guessed(NOON) for device in ("phone-1", ANYWHERE))
    with store.transaction() as uow:
        for count in (here, all_of_them, PinCount("another", "phone-1").guessed(NOON)):
            uow.proofs.save_pin_count(count)
        uow.proofs.save_pin_count(here.guessed(LATER))
    with store.transaction() as uow:
        assert uow.proofs.pin_count("badge", "phone-1") == here.guessed(LATER)
        assert uow.proofs.pin_count("badge", "phone-2") == PinCount("badge", "phone-2")
        assert list(uow.proofs.pin_counts("badge")) == [all_of_them, here.guessed(LATER)]
        uow.proofs.forget_pin_counts("badge")
    with store.reading() as uow:
        assert list(uow.proofs.pin_counts("badge")) == []
        assert len(uow.proofs.pin_counts("another")) == 1


def test_decisions_are_numbered_paged_and_counted_by_device(store: Store) -> None:
    allowed = Decision(NOON, Act.WATCH, True, Why.ALLOWED, "nurse-1", PrincipalKind.PERSON, "phone-1", "robot-1")
    refused = replace(allowed, is_allowed=False, why=Why.WRONG_PLACE, at=LATER)
    unknown = Decision(LATER, Act.SIGN_IN, False, Why.UNKNOWN_BADGE, device="phone-1")
    with store.transaction() as uow:
        kept = [uow.decisions.add(one) for one in (allowed, refused, unknown)]
    with store.reading() as uow:
        assert [one.number for one in kept] == [1, 2, 3]
        assert list(uow.decisions.page(before=None, limit=2)) == [kept[2], kept[1]]
        assert list(uow.decisions.page(before=2, limit=2)) == [kept[0]]
        assert list(uow.decisions.page(before=3, limit=9, refused_only=True)) == [kept[1]]
        assert uow.decisions.refused_at("phone-1", since=NOON) == 1
        assert uow.decisions.refused_at("phone-1", since=LATER + timedelta(seconds=1)) == 0
        assert uow.decisions.refused_at("phone-2", since=NOON) == 0


def test_a_guess_is_on_the_disk_before_its_pin_is_looked_at(tmp_path: Path) -> None:
    """A kill after each guess, before anything came of it, gives none back."""
    let_through = 0
    for _ in range(3 * WRONG_IN_A_ROW):
        with opened(f"sqlite:///{tmp_path}/store.sqlite") as store:
            with store.transaction() as uow:
                if not uow.people.all():
                    uow.people.add(NURSE, KNOWN_BY)
                guess = count_guess(uow, badge=KNOWN_BY.badge, device="phone-1", at=NOON)
            let_through += guess is not None
    assert let_through == WRONG_IN_A_ROW
