"""Signing in with badge and PIN in a browser, acting, and being signed out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.adapters.drawing.level import draw_level
from orchestrator.application.staff import revoke_staff
from orchestrator.domain.people.model import PersonId
from orchestrator.http.app import build_app
from orchestrator.web.pages import router_for
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.desk import LEVEL, StoreDoor, a_desk
from tests.support.house_of_staff import OWN_DEVICE, add_everybody
from tests.support.served_app import served
from tests.support.staff import PIN, WRONG_PIN, Staff, badge_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SOON_MS = 15_000


@pytest.fixture
def door() -> StoreDoor:
    store = MemoryStore()
    add_everybody(Staff(store))
    return StoreDoor(store)


@pytest.fixture
def address(door: StoreDoor) -> Iterator[str]:
    desk = a_desk(door, is_development=False, own_devices=frozenset({OWN_DEVICE}))
    pages = router_for(desk, floor_plans={LEVEL: draw_level(desk.site, LEVEL)})
    with served(build_app(desk, extra_routers=[pages])) as found:
        yield found


def sign_in(page: Page, address: str, *, pin: str = PIN, device: str = OWN_DEVICE) -> None:
    page.goto(address)
    expect(page).to_have_url(f"{address}/sign-in")
    page.get_by_label("Badge").fill(badge_of("porter-1"))
    page.get_by_label("PIN").fill(pin)
    page.get_by_label("This device is called").fill(device)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_pin_is_said_and_the_right_one_opens_the_page_until_signing_out(browser: Browser, address: str) -> None:
    page = browser.new_page()
    sign_in(page, address, pin=WRONG_PIN)
    expect(page.get_by_role("alert")).to_contain_text("badge and PIN do not fit", timeout=SOON_MS)
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/", timeout=SOON_MS)
    expect(page.locator(".who")).to_contain_text("porter-1")
    assert page.evaluate("document.cookie") == "", "no script reads the session"
    expect(page.locator("#link-word")).to_have_text("Live, as of", timeout=SOON_MS)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{address}/sign-in", timeout=SOON_MS)


def test_a_page_of_somebody_who_is_revoked_leaves_by_itself(browser: Browser, address: str, door: StoreDoor) -> None:
    page = browser.new_page()
    sign_in(page, address)
    expect(page.locator("#link-word")).to_have_text("Live, as of", timeout=SOON_MS)
    with door.store.transaction() as uow:
        revoke_staff(uow, PersonId("porter-1"), reason="Left", at=NOON, by="administrator-1")
    expect(page).to_have_url(f"{address}/sign-in", timeout=SOON_MS)


def test_who_asks_to_sign_out_and_gets_no_answer_is_told_before_leaving_the_device(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    sign_in(page, address)
    expect(page.locator("#link-word")).to_have_text("Live, as of", timeout=SOON_MS)
    page.route("**/sign-out", lambda route: route.abort())
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#sign-out-refused")).to_contain_text("You are not signed out", timeout=SOON_MS)
    expect(page).to_have_url(f"{address}/")
    page.unroute("**/sign-out")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{address}/sign-in", timeout=SOON_MS)
