"""A drawer opens for one grant, once, and for no other combination of what a robot checks (promise 9; H5)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orchestrator.domain.custody.grant import Grant, Purpose, grant_of_text, text_of_grant
from orchestrator.domain.fleet.model import DrawerState
from ros_nodes.onboard.drawer_lock import STANDING_FOR_S, DrawerLock
from ros_nodes.onboard.grant_check import Refusal
from ros_nodes.onboard.simulated_drawers import SimulatedDrawers
from tests.support.drawers import DRAWERS, KEY, OTHER_KEY, a_grant, a_lock, a_standing_lock, here, sign, stand, use

PREDICATES = (
    "is_signed",
    "is_for_this_robot",
    "is_for_its_drawer",
    "is_for_its_delivery",
    "is_for_a_fitting_purpose",
    "is_nonce_unused",
    "is_standing",
    "is_at_the_station",
    "is_in_time",
)


def attempt(holds: dict[str, bool]) -> tuple[Refusal | None, list[str]]:
    """Bring a grant to a lock under circumstances in which only some of the predicates hold."""
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce)
    if not holds["is_nonce_unused"]:
        use(lock, a_grant(lock.nonce, drawer="attic"))
    at_s = 2.0 if holds["is_in_time"] else 62.5
    lock.advance_to(at_s, is_still=True)
    changes: dict[str, object] = {}
    if not holds["is_for_this_robot"]:
        changes["serial_number"] = "R2"
    if not holds["is_for_its_drawer"]:
        changes["drawer"] = "attic"
    if not holds["is_for_its_delivery"]:
        changes |= {"delivery": "delivery-2", "load": "tote-2"}
    if not holds["is_for_a_fitting_purpose"]:
        changes["purpose"] = Purpose.LOAD
    text = text_of_grant(a_grant(grant.nonce, **changes))
    signature = sign(text, KEY if holds["is_signed"] else OTHER_KEY)
    circumstances = here(is_standing=holds["is_standing"], node="ward-a" if holds["is_at_the_station"] else "ward-b")
    return lock.open(text, signature, circumstances), hardware.unlatched


def test_of_all_combinations_of_nine_predicates_exactly_one_opens() -> None:
    opened: list[dict[str, bool]] = []
    for values in itertools.product((False, True), repeat=len(PREDICATES)):
        holds: dict[str, bool] = dict(zip(PREDICATES, values, strict=True))
        refusal, unlatched = attempt(holds)
        assert (refusal is None) == (unlatched == ["top"])
        assert refusal is None or unlatched == []
        if refusal is None:
            opened.append(holds)
    assert opened == [dict.fromkeys(PREDICATES, True)]


def test_each_predicate_alone_is_refused_with_its_own_reason() -> None:
    reasons = {name: attempt({**dict.fromkeys(PREDICATES, True), name: False})[0] for name in PREDICATES}
    assert reasons == {
        "is_signed": Refusal.SIGNATURE,
        "is_for_this_robot": Refusal.OTHER_ROBOT,
        "is_for_its_drawer": Refusal.DRAWER,
        "is_for_its_delivery": Refusal.DELIVERY,
        "is_for_a_fitting_purpose": Refusal.PURPOSE,
        "is_nonce_unused": Refusal.NONCE,
        "is_standing": Refusal.MOVING,
        "is_at_the_station": Refusal.ELSEWHERE,
        "is_in_time": Refusal.EXPIRED,
    }


def test_a_grant_with_one_byte_changed_anywhere_opens_nothing() -> None:
    lock, hardware = a_standing_lock()
    text = text_of_grant(a_grant(lock.nonce))
    signature = sign(text)
    edited = text.encode()
    for position, change in itertools.product(range(len(edited)), (1, 0x20, 0x7F)):
        forged = bytearray(edited)
        forged[position] ^= change
        assert lock.open(forged.decode("latin-1"), signature, here()) is Refusal.SIGNATURE
    for position, change in itertools.product(range(len(signature)), (1, 0x80)):
        forged = bytearray(signature)
        forged[position] ^= change
        assert lock.open(text, bytes(forged), here()) is Refusal.SIGNATURE
    assert hardware.unlatched == []
    assert lock.open(text, signature, here()) is None


def test_a_grant_cut_or_lengthened_opens_nothing() -> None:
    lock, hardware = a_standing_lock()
    text = text_of_grant(a_grant(lock.nonce))
    signature = sign(text)
    for end in range(len(text)):
        assert lock.open(text[:end], signature, here()) is Refusal.SIGNATURE
    for end in range(len(signature)):
        assert lock.open(text, signature[:end], here()) is Refusal.SIGNATURE
    assert lock.open(text + " ", signature, here()) is Refusal.SIGNATURE
    assert hardware.unlatched == []


def test_a_thousand_uses_at_once_open_one_drawer_once() -> None:
    lock, hardware = a_standing_lock()
    text = text_of_grant(a_grant(lock.nonce))
    signature = sign(text)
    one_at_a_time = threading.Lock()  # messages reach a robot one after the other, whoever sends how many

    def bring(_: int) -> Refusal | None:
        with one_at_a_time:
            return lock.open(text, signature, here())

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(bring, range(1000)))
    assert answers.count(None) == 1
    assert set(answers) == {None, Refusal.NONCE}
    assert hardware.unlatched == ["top"]


def test_a_captured_grant_opens_nothing_when_the_drawer_is_locked_again() -> None:
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce)
    assert use(lock, grant) is None
    lock.advance_to(1.1, is_still=True)
    hardware.pull("top")
    lock.advance_to(1.2, is_still=True)
    hardware.push("top")
    for at_s in (1.3, 1.4, 3.0):
        lock.advance_to(at_s, is_still=True)
    assert not lock.keeps_standing
    assert use(lock, grant) is Refusal.NONCE
    assert hardware.unlatched == ["top"]


@pytest.mark.parametrize("purpose", [Purpose.TAKE_BACK, Purpose.RETRIEVE])
def test_what_was_put_in_comes_out_again_before_the_robot_has_it_in_its_list(purpose: Purpose) -> None:
    lock, hardware = a_standing_lock()
    empty = here(loads={})
    out = {"purpose": purpose, "node": "" if purpose is Purpose.RETRIEVE else "ward-a"}
    assert use(lock, a_grant(lock.nonce, **out), empty) is Refusal.PURPOSE
    at_s = stand_again(lock, hardware, 2.0)
    assert use(lock, a_grant(lock.nonce, purpose=Purpose.LOAD), empty) is None
    at_s = stand_again(lock, hardware, at_s)
    assert use(lock, a_grant(lock.nonce, load="tote-2", **out), empty) is Refusal.DELIVERY
    at_s = stand_again(lock, hardware, at_s)
    assert use(lock, a_grant(lock.nonce, **out), empty) is None
    at_s = stand_again(lock, hardware, at_s)
    # Once the robot has it in its list, and gave it out, it is out.
    lock.note_handled("top")
    assert use(lock, a_grant(lock.nonce, **out), empty) is Refusal.PURPOSE
    assert hardware.unlatched == ["top", "top"]


@pytest.mark.parametrize("purpose", sorted(Purpose))
def test_what_is_left_where_the_robot_knows_of_nothing_is_taken_out_by_a_retrieval_alone(purpose: Purpose) -> None:
    for is_occupied in (False, True):
        lock, hardware = a_lock(SimulatedDrawers(DRAWERS, has_hand=False, occupied=("top",) if is_occupied else ()))
        stand(lock, 0.0)
        grant = a_grant(lock.nonce, purpose=purpose, node="" if purpose is Purpose.RETRIEVE else "ward-a")
        refusal = use(lock, grant, here(loads={}))
        opens = purpose is Purpose.LOAD or (purpose is Purpose.RETRIEVE and is_occupied)
        assert (refusal is None, hardware.unlatched == ["top"]) == (opens, opens)


def stand_again(lock: DrawerLock, hardware: SimulatedDrawers, at_s: float) -> float:
    """Pull and push what was let go, and let the robot stand until it shows something new."""
    hardware.pull("top")
    lock.advance_to(at_s + 0.1, is_still=True)
    hardware.push("top")
    for later_s in (0.2, 0.3, 2.0):
        lock.advance_to(at_s + later_s, is_still=True)
    assert lock.nonce is not None
    return at_s + 2.0


def test_a_reboot_voids_every_nonce() -> None:
    before, hardware = a_standing_lock()
    grant = a_grant(before.nonce)
    after, _ = a_lock(hardware)
    stand(after, 2.0)
    assert use(after, grant) is Refusal.NONCE
    assert hardware.unlatched == []


def test_a_nonce_shown_before_the_robot_moved_is_void() -> None:
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce)
    lock.advance_to(2.0, is_still=False)
    assert lock.nonce is None
    stand(lock, 3.0)
    assert use(lock, grant) is Refusal.NONCE
    assert hardware.unlatched == []


def test_a_drawer_that_comes_open_in_the_same_moment_keeps_the_others_shut() -> None:
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce)
    hardware.force("bottom")
    lock.advance_to(STANDING_FOR_S + 0.01, is_still=True)
    assert use(lock, grant) is Refusal.BUSY
    assert hardware.unlatched == []


def test_switches_that_were_heard_too_long_ago_prove_nothing() -> None:
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce)
    hardware.silent_since_s = STANDING_FOR_S
    lock.advance_to(2 * STANDING_FOR_S, is_still=True)
    assert not lock.keeps_standing
    lock.advance_to(2 * STANDING_FOR_S + 0.01, is_still=True)
    assert lock.keeps_standing
    assert {report.state for report in lock.reports()} == {DrawerState.UNKNOWN}
    assert use(lock, grant) is Refusal.BUSY
    assert hardware.unlatched == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(":", ": ", 1),
        lambda text: text + "\n",
        lambda text: text.replace('"lifetime_s":60', '"lifetime_s":60.0'),
        lambda text: text.replace('"lifetime_s":60', '"lifetime_s":true'),
        lambda text: text.replace('"lifetime_s":60', '"lifetime_s":"60"'),
        lambda text: text.replace('"lifetime_s":60', '"lifetime_s":60,"more":"1"'),
        lambda text: text.replace('"node":"ward-a",', ""),
        lambda text: text.replace("grant-1", "grant-2"),
        lambda text: text.replace("hand_over", "hand over"),
        lambda text: '{"drawer":"bottom",' + text[1:],
        lambda text: "[" * 5000,
        lambda text: "null",
        lambda text: "",
    ],
)
def test_a_text_in_any_other_form_is_no_grant_though_it_is_signed(spoil: Callable[[str], str]) -> None:
    lock, hardware = a_standing_lock()
    text = spoil(text_of_grant(a_grant(lock.nonce)))
    assert lock.open(text, sign(text), here()) is Refusal.MALFORMED
    assert hardware.unlatched == []


@given(st.floats(0.0, STANDING_FOR_S - 1e-6))
def test_nothing_opens_before_the_robot_has_stood_for_a_second(stood_s: float) -> None:
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce)
    lock.advance_to(2.0, is_still=False)
    lock.advance_to(3.0, is_still=True)
    lock.advance_to(3.0 + stood_s, is_still=True)
    assert lock.nonce is None
    assert use(lock, grant) is not None
    assert hardware.unlatched == []


@given(st.integers(-10, 200), st.floats(0.0, 200.0))
def test_a_grant_lives_no_longer_than_it_says_and_never_more_than_a_minute(lifetime_s: int, waited_s: float) -> None:
    lock, hardware = a_standing_lock()
    grant = a_grant(lock.nonce, lifetime_s=lifetime_s)
    at_s = STANDING_FOR_S
    while at_s < STANDING_FOR_S + waited_s:
        at_s = min(at_s + 10.0, STANDING_FOR_S + waited_s)
        lock.advance_to(at_s, is_still=True)
    is_in_time = 0 < lifetime_s <= 60 and at_s - STANDING_FOR_S <= lifetime_s
    assert (use(lock, grant) is None) == is_in_time
    assert hardware.unlatched == (["top"] if is_in_time else [])


grants = st.builds(
    Grant,
    **{name: st.text(max_size=20) for name in ("manufacturer", "serial_number", "drawer", "delivery", "load", "node")},
    purpose=st.sampled_from(Purpose),
    nonce=st.text("0123456789abcdef", max_size=32),
    lifetime_s=st.integers(),
)


@given(grants, grants)
def test_a_grant_has_one_text_and_the_text_one_grant(one: Grant, other: Grant) -> None:
    assert grant_of_text(text_of_grant(one)) == one
    assert (text_of_grant(one) == text_of_grant(other)) == (one == other)


class Drawer(RuleBasedStateMachine):
    """A lock among people, moves, reboots and replays; every opening is one that a fresh grant asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.hardware = SimulatedDrawers(("top", "bottom"), has_hand=False)
        self.lock: DrawerLock = a_lock(self.hardware)[0]
        self.now_s = 0.0
        self.is_still = True
        self.old: list[Grant] = []
        self.allowed = 0

    def live(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            coming_s = self.lock.next_event_s
            self.now_s = min(end_s, coming_s if coming_s is not None else end_s)
            self.lock.advance_to(self.now_s, is_still=self.is_still)

    @rule(seconds=st.sampled_from((0.1, 0.6, 1.0, 5.0, 21.0, 61.0)))
    def wait(self, seconds: float) -> None:
        self.live(seconds)

    @rule()
    @precondition(lambda self: not self.lock.keeps_standing)
    def drive(self) -> None:
        self.is_still = False
        self.live(0.5)

    @rule()
    def stop(self) -> None:
        self.is_still = True
        self.live(1.5)

    @rule(drawer=st.sampled_from(("top", "bottom")))
    def ask(self, drawer: str) -> None:
        if self.lock.nonce is None:
            return
        grant = a_grant(self.lock.nonce, drawer=drawer)
        refusal = use(self.lock, grant, here(is_standing=self.lock.is_standing, loads={drawer: "tote-1"}))
        self.old.append(grant)
        self.allowed += refusal is None
        self.live(0.1)

    @rule(number=st.integers(0, 50))
    @precondition(lambda self: bool(self.old))
    def replay(self, number: int) -> None:
        grant = self.old[number % len(self.old)]
        standing = here(is_standing=self.lock.is_standing, loads={grant.drawer: "tote-1"})
        assert use(self.lock, grant, standing) is not None

    @rule(drawer=st.sampled_from(("top", "bottom")))
    def pull(self, drawer: str) -> None:
        self.hardware.pull(drawer)
        self.live(0.1)

    @rule(drawer=st.sampled_from(("top", "bottom")))
    def push(self, drawer: str) -> None:
        self.hardware.push(drawer)
        self.live(0.1)

    @rule()
    def reboot(self) -> None:
        self.lock = a_lock(self.hardware)[0]
        self.live(0.1)

    @invariant()
    def nothing_was_let_go_unasked(self) -> None:
        assert len(self.hardware.unlatched) == self.allowed

    @invariant()
    def the_robot_stands_while_a_drawer_is_not_locked(self) -> None:
        switches = self.hardware.switches().values()
        if self.now_s > 0 and not all(each.is_latched and each.is_closed for each in switches):
            assert self.lock.keeps_standing

    @invariant()
    def one_drawer_at_most_is_let_go(self) -> None:
        assert sum(not each.is_latched for each in self.hardware.switches().values()) <= 1

    @invariant()
    def a_nonce_is_shown_only_while_a_grant_would_open(self) -> None:
        if self.lock.nonce is not None:
            assert self.lock.is_standing
            assert not self.lock.keeps_standing


TestDrawer = Drawer.TestCase
TestDrawer.settings = settings(max_examples=60, stateful_step_count=30)
