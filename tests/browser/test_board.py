from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.paced_ward import ServedWard

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

HATCH, WARD = "pharmacy_hatch_1", "ward_alder_handover"
SOON_MS = 15_000
ON_THE_ROAD_MS = 45_000


def test_delivery_queued_elsewhere_appears_and_changes_without_reload(
    page: Page, ward: ServedWard, complaints: list[str]
) -> None:
    expect(page.get_by_text("No delivery has been queued yet.")).to_be_visible()
    page.evaluate("window.isSamePage = true")
    delivery = ward.queue_delivery(start=HATCH, end=WARD, priority="urgent")
    row = page.locator(f"#deliveries tr[data-id='{delivery['id']}']")
    expect(row).to_contain_text("Ward Alder", timeout=SOON_MS)
    expect(row).to_contain_text("urgent")
    expect(row).to_contain_text("to be loaded at Pharmacy hatch 1", timeout=ON_THE_ROAD_MS)
    expect(page.locator("#tasks")).to_contain_text("Load: robot-1")
    expect(row).to_contain_text("on its way to Ward Alder", timeout=ON_THE_ROAD_MS)
    assert page.evaluate("window.isSamePage")
    assert complaints == []


def test_robot_moves_on_the_map_when_it_drives(page: Page, ward: ServedWard, complaints: list[str]) -> None:
    robots = page.locator("#level-ground-live .robot")
    expect(robots).to_have_count(3, timeout=SOON_MS)
    before = _places(page)
    ward.queue_delivery(start=HATCH, end=WARD)
    driving = page.locator("[data-robot][data-doing='driving']")
    expect(driving).to_have_count(1, timeout=SOON_MS)
    name = driving.get_attribute("data-robot")
    assert name is not None
    expect(page.locator(f"#robots tr[data-id='{name}']")).to_contain_text("drives")
    page.wait_for_function(
        "([name, before]) => document.querySelector(`[data-robot='${name}'] circle.body`)"
        ".getBoundingClientRect().x !== before",
        arg=[name, before[name]],
        timeout=SOON_MS,
    )
    assert complaints == []


def test_robot_that_takes_the_lift_is_shown_on_the_other_floor(page: Page, ward: ServedWard) -> None:
    ward.queue_delivery(start=HATCH, end="ward_cedar_handover")
    expect(page.locator("#level-first-live .robot")).to_have_count(1, timeout=60_000)
    expect(page.locator("#level-ground-live .robot")).to_have_count(2)


def test_words_of_a_robot_leave_the_names_of_stations_alone_where_there_is_another_place(page: Page) -> None:
    placed = page.evaluate(
        """async () => {
          const { placeWords } = await import("/static/labels.js");
          const robot = { x: 0, y: 0, unit: 1, words: "robot-1", place: -1.4 };
          const above = { left: -1, right: 1, top: -2, bottom: -1.5 };
          const everywhere = { left: -9, right: 9, top: -9, bottom: 9 };
          return [placeWords([robot], [above]), placeWords([robot], [everywhere]), placeWords([robot])];
        }"""
    )
    assert placed == [[2.2], [-1.4], [-1.4]]


@pytest.mark.parametrize(
    ("lift", "words"),
    [
        ({"level": None, "doors": "closed", "mode": "stuck"}, "stuck"),
        ({"level": "ground", "doors": "open", "mode": "fire"}, "fire mode"),
        ({"level": "ground", "doors": "open", "mode": "people"}, "used by people"),
        ({"level": "ground", "doors": "closed", "mode": "out_of_service"}, "out of service"),
        ({"level": "ground", "doors": "offline", "mode": "normal"}, "does not answer"),
    ],
)
def test_lift_that_is_out_of_use_says_so_on_every_floor(
    page: Page, complaints: list[str], lift: dict[str, str | None], words: str
) -> None:
    expect(page.locator("[id^='lift-lift_1--'][id$='-words']")).to_have_count(2, timeout=SOON_MS)
    # Shown and read in one go: the next live event shows the lift as it is.
    shown = page.evaluate(
        """async (lift) => {
          (await import("/static/plans.js")).showFleet({ robots: [], doors: [], lifts: [lift] });
          const said = [...document.querySelectorAll("[id^='lift-lift_1--'][id$='-words']")];
          const marked = document.querySelectorAll("[id^='lift-lift_1--'][data-out-of-use='yes']");
          return [said.map((text) => text.textContent), marked.length];
        }""",
        {"id": "lift_1", **lift},
    )
    assert shown == [[words, words], 2]
    assert complaints == []


def test_bar_says_that_the_connection_is_lost_until_it_is_back(page: Page, ward: ServedWard) -> None:
    bar = page.locator("#connection-lost")
    expect(page.locator("#link-word")).to_have_text("Live, as of", timeout=SOON_MS)
    expect(bar).to_be_hidden()
    ward.kill()
    expect(bar).to_be_visible(timeout=SOON_MS)
    expect(bar).to_contain_text("Connection lost, trying again.")
    expect(page.locator("#link-word")).to_have_text("As of")
    ward.start()
    expect(bar).to_be_hidden(timeout=SOON_MS)
    delivery = ward.queue_delivery(start=HATCH, end=WARD)
    expect(page.locator(f"#deliveries tr[data-id='{delivery['id']}']")).to_be_visible(timeout=SOON_MS)


def test_bar_comes_when_the_service_falls_silent_with_its_sockets_open(page: Page, ward: ServedWard) -> None:
    bar = page.locator("#connection-lost")
    expect(page.locator("#link-word")).to_have_text("Live, as of", timeout=SOON_MS)
    ward.freeze()
    expect(bar).to_contain_text("What you see is as it was at", timeout=SOON_MS)
    ward.thaw()
    expect(bar).to_be_hidden(timeout=SOON_MS)


def test_phone_shows_everything_without_sideways_scrolling(browser: Browser, ward: ServedWard) -> None:
    delivery = ward.queue_delivery(start=HATCH, end=WARD, priority="stat")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(ward.url)
    expect(page.locator("#level-ground-live .robot")).to_have_count(3, timeout=SOON_MS)
    expect(page.locator(f"#deliveries tr[data-id='{delivery['id']}']")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_time_on_another_day_says_which_day(page: Page, ward: ServedWard) -> None:
    at = datetime.fromisoformat(page.evaluate("fetch('/board').then(answer => answer.json()).then(it => it.at)"))
    today, later = (
        ward.queue_delivery(start=HATCH, end=WARD, due_by=(at + timedelta(hours=hours)).isoformat())
        for hours in (1, 72)
    )
    due = "#deliveries tr[data-id='{}'] [data-time='due']"
    expect(page.locator(due.format(today["id"]))).to_have_text(re.compile(r"^\d\d:\d\d$"), timeout=SOON_MS)
    expect(page.locator(due.format(later["id"]))).to_have_text(re.compile(rf"^{at + timedelta(days=3):%a}\W+\d"))
    without = page.context.browser.new_context(java_script_enabled=False).new_page()  # type: ignore[union-attr]
    without.goto(ward.url)
    expect(without.locator(due.format(later["id"]))).to_have_text(
        re.compile(rf"^{at + timedelta(days=3):%a} \d.* UTC$")
    )


def test_closed_delivery_has_no_lines_through_its_words_on_a_phone(browser: Browser, ward: ServedWard) -> None:
    opened, ended = (ward.queue_delivery(start=HATCH, end=WARD) for _ in range(2))
    ward.post(f"deliveries/{ended['id']}/cancel", {"reason": "not wanted"})
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(ward.url)
    expect(page.locator(f"#deliveries tr[data-id='{opened['id']}']")).to_be_visible()
    row = page.locator(f"#deliveries tr[data-id='{ended['id']}']")
    width = "it => getComputedStyle(it).borderTopWidth"
    assert row.evaluate(width) == "3px"
    assert {cell.evaluate(width) for cell in row.locator("th, td").all()} == {"0px"}


@pytest.mark.parametrize("width", [700, 1100, 1280])
def test_desk_shows_everything_without_sideways_scrolling(browser: Browser, ward: ServedWard, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(ward.url)
    delivery = ward.queue_delivery(start=HATCH, end=WARD, priority="stat")
    row = page.locator(f"#deliveries tr[data-id='{delivery['id']}']")
    expect(row.get_by_text("at the latest")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert row.locator(".due").evaluate("cell => cell.scrollWidth <= cell.clientWidth")


def test_page_is_whole_without_a_script(browser: Browser, ward: ServedWard) -> None:
    ward.queue_delivery(start=HATCH, end=WARD, priority="stat")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(ward.url)
    expect(page.get_by_role("table", name="Deliveries").get_by_role("row").nth(1)).to_contain_text("STAT")
    expect(page.get_by_role("table", name="Robots").get_by_role("row")).to_have_count(4)
    expect(page.get_by_text(re.compile("runs no scripts"))).to_be_visible()


def _places(page: Page) -> dict[str, float]:
    """Where each robot is drawn on the screen, in pixels from the left."""
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-robot]')].map(robot => "
        "[robot.dataset.robot, robot.querySelector('circle.body').getBoundingClientRect().x]))"
    )
