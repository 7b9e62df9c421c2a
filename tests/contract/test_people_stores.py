"""What every store promises about people, proofs and decisions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.store import open_store
from orchestrator.adapters.store.columns import text_of_moment
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.application.ports import Store
from orchestrator.application.sign_in import count_guess
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Decision, Why
from orchestrator.domain.people.errors import UnknownPersonError
from orchestrator.domain.people.model import Person, PersonId, PrincipalKind, Role
from orchestrator.domain.people.proofs import (
    ANYWHERE,
    COUNTS_OF_NOBODY_MAX,
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


def test_what_a_person_is_known_by_changes_and_the_old_is_forgotten(store: Store) -> None:
    other = replace(NURSE, id=PersonId("nurse-2"))
    with store.transaction() as uow:
        uow.people.add(NURSE, KNOWN_BY)
        uow.people.add(other, Credentials("other-badge", "other-pin"))
    with store.transaction() as uow:
        uow.people.save_credentials(NURSE.id, Credentials("new-badge", "new-pin"))
    with store.reading() as uow:
        assert uow.people.by_badge("badge-digest") is None
        assert uow.people.by_badge("new-badge") == (NURSE, Credentials("new-badge", "new-pin"))
        assert uow.people.credentials(other.id) == Credentials("other-badge", "other-pin")
    with pytest.raises(AlreadyKeptError), store.transaction() as uow:
        uow.people.save_credentials(NURSE.id, Credentials("other-badge", "new-pin"))
    with pytest.raises(UnknownPersonError), store.transaction() as uow:
        uow.people.save_credentials(PersonId("nurse-404"), KNOWN_BY)
    with store.transaction() as uow:
        uow.people.save_credentials(NURSE.id, Credentials("new-badge", "newest-pin"))
        assert uow.people.credentials(NURSE.id).pin == "newest-pin"


def test_step_ups_of_a_person_are_forgotten_unless_they_were_used(store: Store) -> None:
    made = StepUp("unused", NURSE.id, Act.RECEIVE_DELIVERY, "delivery-1", "phone-1", NOON, LATER)
    with store.transaction() as uow:
        for one in (made, replace(made, digest="used"), replace(made, digest="another's", person=PersonId("nurse-2"))):
            uow.proofs.add_step_up(one)
        uow.proofs.use_step_up("used", LATER)
    with store.transaction() as uow:
        uow.proofs.forget_step_ups(NURSE.id)
    with store.reading() as uow:
        kept = [digest for digest in ("unused", "used", "another's") if uow.proofs.step_up(digest) is not None]
    assert kept == ["used", "another's"]


def test_counts_of_nobody_are_forgotten_when_they_are_old_or_too_many(store: Store) -> None:
    def count(badge: str, *, hours: int, is_of_nobody: bool = True) -> PinCount:
        return PinCount(badge, "phone-1", is_of_nobody=is_of_nobody).guessed(NOON + timedelta(hours=hours))

    known = [count(f"known-{number}", hours=number, is_of_nobody=False) for number in range(3)]
    made_up = [count(f"made-up-{number}", hours=number) for number in (3, 0, 2, 1)]
    with store.transaction() as uow:
        for one in (*known, *made_up, count("also-made-up", hours=2)):
            uow.proofs.save_pin_count(one)

    def left() -> list[str]:
        badges = [*(one.badge for one in made_up), "also-made-up"]
        with store.reading() as uow:
            assert [list(uow.proofs.pin_counts(one.badge)) for one in known] == [[one] for one in known]
            return sorted(badge for badge in badges if uow.proofs.pin_counts(badge))

    with store.transaction() as uow:
        uow.proofs.forget_counts_of_nobody(before=NOON + timedelta(hours=1), keep=9)
    assert left() == ["also-made-up", "made-up-1", "made-up-2", "made-up-3"]
    with store.transaction() as uow:
        uow.proofs.forget_counts_of_nobody(before=NOON, keep=2)
    assert left() == ["made-up-2", "made-up-3"], "the newest; of those of one moment the last by name"


def test_a_count_comes_back_with_whether_anybody_has_the_badge(store: Store) -> None:
    counted = PinCount("made-up", ANYWHERE, is_of_nobody=True).guessed(NOON).guessed(LATER)
    with store.transaction() as uow:
        uow.proofs.save_pin_count(counted)
    with store.transaction() as uow:
        assert uow.proofs.pin_count("made-up", ANYWHERE) == counted
        uow.proofs.save_pin_count(replace(counted, is_of_nobody=False))
    with store.reading() as uow:
        assert not uow.proofs.pin_count("made-up", ANYWHERE).is_of_nobody


def test_made_up_badges_without_end_fill_no_disk_and_forget_no_count_of_anybody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guesses of a stranger, each with a badge and from a device made up for it, around those of somebody known."""

    def guess(badge: str, device: str, number: int) -> None:
        at = NOON + timedelta(milliseconds=number)
        count_guess(uow, badge=badge, device=device, at=at)

    # Fewer are kept than really, because a database takes milliseconds for each; the real bound is in the next test.
    monkeypatch.setattr("orchestrator.application.sign_in.COUNTS_OF_NOBODY_MAX", 40)
    count = 10_000 if isinstance(store, MemoryStore) else 200
    made_up = [f"made-up-{number}" for number in range(1, count + 1)]
    with store.transaction() as uow:
        uow.people.add(NURSE, KNOWN_BY)
        guess(KNOWN_BY.badge, "phone-1", 0)
        for number, badge in enumerate(made_up, 1):
            guess(badge, f"phone-{number}", number)
    with store.transaction() as uow:
        kept = [len(uow.proofs.pin_counts(badge)) for badge in made_up[-200:]]
        assert kept == [0] * 180 + [2] * 20, "the newest are still counted, each at its device and at all"
        assert uow.proofs.pin_count(KNOWN_BY.badge, "phone-1").in_a_row == 1
        a_day_later = 24 * 3600 * 1000 + 20_000
        guess("made-up-last", "phone-1", a_day_later)
        assert not any(uow.proofs.pin_counts(badge) for badge in made_up[-20:])
        assert uow.proofs.pin_count(KNOWN_BY.badge, ANYWHERE).in_a_row == 1


def test_ten_thousand_made_up_badges_of_before_are_gone_with_the_next_one(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/store.sqlite", tmp_path / "store.sqlite"
    with opened(url) as store, store.transaction() as uow:
        uow.people.add(NURSE, KNOWN_BY)
        count_guess(uow, badge=KNOWN_BY.badge, device="phone-1", at=NOON)
    moments = [text_of_moment(NOON + timedelta(seconds=number)) for number in range(10_000)]
    rows = [(f"made-up-{n}", "phone-1", 1, f'["{moment}"]', moment, 1) for n, moment in enumerate(moments)]
    columns = "badge, device, in_a_row, wrong_at, newest_at, is_of_nobody"
    with closing(sqlite3.connect(file)) as books, books:
        books.executemany(f"INSERT INTO pin_count ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)
    with opened(url) as store, store.transaction() as uow:
        count_guess(uow, badge="made-up-last", device="phone-1", at=NOON + timedelta(hours=3))
        assert len(uow.proofs.pin_counts(KNOWN_BY.badge)) == 2
    with closing(sqlite3.connect(file)) as books:
        (kept,) = books.execute("SELECT count(*) FROM pin_count WHERE is_of_nobody").fetchone()
    assert kept == COUNTS_OF_NOBODY_MAX


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
