from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.paced_ward import ServedWard

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SOON_MS = 15_000
LANE, BACK = "alder_2~alder_bed_1", "alder_bed_1~alder_2"


def robot(page: Page, name: str = "robot-1") -> Locator:
    return page.locator(f"#robots tr[data-id='{name}']")


def button(page: Page, act: str, name: str = "robot-1") -> Locator:
    return robot(page, name).locator(f"button[data-act='{act}']")


def say_who_and_why(page: Page, *, by: str = "porter-1", reason: str = "in the way") -> None:
    expect(page.locator("#act")).to_be_visible()
    page.get_by_label("Your id").fill(by)
    page.get_by_label("Why").fill(reason)


def test_a_robot_is_paused_and_resumed_by_keyboard_alone(page: Page, ward: ServedWard, complaints: list[str]) -> None:
    expect(button(page, "pause")).to_be_visible(timeout=SOON_MS)
    button(page, "pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your id")).to_be_focused()
    page.keyboard.type("porter-1")
    page.keyboard.press("Tab")
    page.keyboard.type("floor is wet")
    page.keyboard.press("Enter")

    expect(page.locator("#act")).to_be_hidden(timeout=SOON_MS)
    expect(robot(page).locator(".hold")).to_have_text("paused by porter-1", timeout=SOON_MS)
    expect(robot(page)).to_contain_text("goes on when it is resumed")
    expect(button(page, "pause")).to_be_hidden()
    expect(page.locator("[data-robot='robot-1'] .robot-label")).to_have_text("robot-1: HELD", timeout=SOON_MS)

    button(page, "resume").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.type("floor is dry")
    page.keyboard.press("Enter")
    expect(robot(page).locator(".hold")).to_be_empty(timeout=SOON_MS)
    expect(button(page, "pause")).to_be_visible()
    assert complaints == []


def test_a_refusal_is_shown_where_it_was_asked_for_and_escape_closes_it(page: Page) -> None:
    button(page, "fence-off").click()
    say_who_and_why(page)
    page.get_by_label("It was carried off the lanes").check()
    page.locator("#act-do").click()
    expect(robot(page).locator(".hold")).to_contain_text("taken off the lanes by porter-1", timeout=SOON_MS)
    expect(button(page, "fence-off")).to_be_hidden()

    button(page, "pause", "robot-2").click()
    say_who_and_why(page, reason="   ")
    page.locator("#act-do").click()
    expect(page.locator("#act-refused")).to_contain_text("Say in a few words why", timeout=SOON_MS)
    page.keyboard.press("Escape")
    expect(page.locator("#act")).to_be_hidden()


def test_a_robot_taken_out_of_service_says_so_and_may_be_put_back(page: Page) -> None:
    button(page, "out-of-service").click()
    say_who_and_why(page)
    page.locator("#act-do").click()

    expect(robot(page).locator(".hold")).to_have_text("out of service by porter-1", timeout=SOON_MS)
    button(page, "in-service").click()
    say_who_and_why(page)
    page.locator("#act-do").click()
    expect(robot(page).locator(".hold")).to_be_empty(timeout=SOON_MS)


def test_a_robot_sent_somewhere_is_sent_home_from_the_page(page: Page, ward: ServedWard) -> None:
    expect(button(page, "pause")).to_be_visible(timeout=SOON_MS)
    expect(button(page, "send")).to_be_hidden()
    ward.post("robots/robot-1/send", {"station": "ward_alder_handover", "reason": "to be cleaned"})

    expect(button(page, "send")).to_be_visible(timeout=SOON_MS)
    button(page, "send").click()
    say_who_and_why(page)
    page.locator("#act-do").click()

    expect(button(page, "send")).to_be_hidden(timeout=SOON_MS)


def test_a_closed_lane_is_drawn_and_listed_until_it_is_opened(page: Page, ward: ServedWard) -> None:
    expect(page.get_by_text("Every lane is open.")).to_be_visible()
    ward.post(f"lanes/{LANE}/close", {"reason": "wet floor", "even_if_cut_off": True})

    row = page.locator("#closures li")
    expect(row).to_have_count(1, timeout=SOON_MS)
    expect(row).to_contain_text("closed by pharmacist-1")
    drawn = page.locator(f"[id='lane-{LANE}'], [id='lane-{BACK}']")
    expect(drawn).to_have_class(re.compile("is-closed"), timeout=SOON_MS)

    row.locator("button").click()
    say_who_and_why(page)
    page.locator("#act-do").click()
    expect(page.get_by_text("Every lane is open.")).to_be_visible(timeout=SOON_MS)
    expect(drawn).not_to_have_class(re.compile("is-closed"))


def test_a_lane_closed_in_one_direction_is_drawn_as_closed_whichever_it_is(page: Page, ward: ServedWard) -> None:
    drawn = page.locator(f"[id='lane-{LANE}'], [id='lane-{BACK}']")
    for lane in (LANE, BACK):
        asked = {"reason": "wet floor", "both_directions": False, "even_if_cut_off": True}
        ward.post(f"lanes/{lane}/close", asked)
        expect(drawn).to_have_class(re.compile("is-closed"), timeout=SOON_MS)
        ward.post(f"lanes/{lane}/open", {"reason": "dry", "both_directions": False})
        expect(drawn).not_to_have_class(re.compile("is-closed"), timeout=SOON_MS)


def test_what_the_keyboard_is_on_stands_out_on_white(page: Page) -> None:
    expect(button(page, "pause")).to_be_visible(timeout=SOON_MS)
    button(page, "pause").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(button(page, "pause")).to_be_focused()
    assert button(page, "pause").evaluate("it => getComputedStyle(it).boxShadow").startswith("rgb(22, 35, 44)")


def test_everything_an_operator_needs_fits_on_a_phone(browser: Browser, ward: ServedWard) -> None:
    ward.post("robots/robot-1/pause", {"reason": "in the way"})
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(ward.url)
    expect(button(page, "resume")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    button(page, "resume").click()
    box = page.locator("#act").bounding_box()
    assert box is not None
    assert 0 <= box["x"]
    assert box["x"] + box["width"] <= 390


def test_what_is_written_beside_a_held_robot_has_enough_contrast(page: Page, ward: ServedWard) -> None:
    ward.post("robots/robot-1/pause", {"reason": "in the way"})
    expect(robot(page).locator(".hold")).to_be_visible(timeout=SOON_MS)

    for place in (".hold", ".reason", "button[data-act='resume']"):
        ratio = robot(page).locator(place).evaluate(CONTRAST)
        assert ratio >= 4.5, place


CONTRAST = """element => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  let ground = element;
  const colour = node => parts(getComputedStyle(node).backgroundColor);
  while (colour(ground)[3] === 0) ground = ground.parentElement;
  const [one, other] = [light(parts(getComputedStyle(element).color)), light(colour(ground))];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
