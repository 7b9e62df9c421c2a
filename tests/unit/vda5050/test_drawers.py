"""What a robot says of its drawers, read as the worst where it cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.fleet.model import ActionId, DrawerContent, DrawerReport, DrawerState
from orchestrator.domain.fleet.order import ActionKind, RobotAction
from orchestrator.vda5050.dialect import STANDARD, Dialect
from orchestrator.vda5050.drawers import (
    DRAWERS_MAX,
    declares_grants,
    drawers_of_information,
    informations_of_drawers,
    nonce_of_information,
)
from orchestrator.vda5050.mapping import action_message
from orchestrator.vda5050.messages import BlockingType, ErrorReference, InfoLevel, Information
from tests.support.factsheets import a_factsheet

NONCE = "0123456789abcdef" * 2
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=20)
drawers = st.lists(
    st.builds(
        DrawerReport, names, st.sampled_from(DrawerState), st.sampled_from(DrawerContent), is_tampered=st.booleans()
    ),
    max_size=6,
    unique_by=lambda drawer: drawer.drawer,
)


def said(kind: str, **values: str) -> Information:
    references = tuple(ErrorReference(reference_key=key, reference_value=value) for key, value in values.items())
    return Information(info_type=kind, info_references=references, info_level=InfoLevel.INFO)


@given(drawers, st.none() | st.just(NONCE))
def test_what_a_robot_says_comes_in_as_it_was(told: list[DrawerReport], nonce: str | None) -> None:
    information = informations_of_drawers(told, nonce)
    assert drawers_of_information(information) == tuple(told)
    assert nonce_of_information(information) == nonce


def test_what_cannot_be_read_counts_as_unknown_and_tampered_with() -> None:
    for text in ("", "locked", "LOCKED! no intact!", "locked empty intact more", "locked"):
        (drawer,) = drawers_of_information([said("wardporterDrawers", top=text)])
        assert drawer == DrawerReport("top", DrawerState.UNKNOWN, DrawerContent.UNKNOWN, is_tampered=True)


def test_the_first_word_on_a_drawer_stands_and_nameless_ones_are_left_out() -> None:
    first = said("wardporterDrawers", top="open empty intact")
    second = said("wardporterDrawers", top="locked empty intact")
    nameless = said("wardporterDrawers", **{"": "locked empty intact"})
    assert [each.state for each in drawers_of_information([first, second, nameless])] == [DrawerState.OPEN]


def test_no_more_drawers_are_kept_than_a_robot_can_have() -> None:
    many = said("wardporterDrawers", **{f"d{number}": "locked empty intact" for number in range(10 * DRAWERS_MAX)})
    assert len(drawers_of_information([many])) == DRAWERS_MAX


@pytest.mark.parametrize("nonce", ["", "ab", "AB" * 16, "zz" * 16, "ab" * 15, "ab" * 100, "ab" * 16 + " "])
def test_a_nonce_that_is_too_short_or_none_does_not_count(nonce: str) -> None:
    assert nonce_of_information([said("wardporterNonce", nonce=nonce)]) is None


def test_two_nonces_are_none() -> None:
    twice = [said("wardporterNonce", nonce=NONCE), said("wardporterNonce", nonce=NONCE[::-1])]
    assert nonce_of_information(twice) is None


def test_the_action_carries_grant_and_signature_and_blocks_nothing() -> None:
    action = RobotAction(ActionId("action-1"), ActionKind.OPEN_DRAWER, drawer="top", grant="{}", signature="c2ln")
    message = action_message(action)
    assert (message.action_type, message.blocking_type) == ("openDrawer", BlockingType.NONE)
    assert (message.parameter("grant"), message.parameter("signature")) == ("{}", "c2ln")


def test_a_factsheet_without_our_action_declares_no_grants() -> None:
    assert not declares_grants(a_factsheet(), STANDARD)
    assert not declares_grants(a_factsheet(), Dialect(actions={ActionKind.OPEN_DRAWER: None}))
