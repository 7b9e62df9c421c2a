"""A browser on a page that is served by a real process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.paced_ward import ServedWard, serving_ward
from tests.support.tools import chromium_path

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def ward(free_port: int) -> Iterator[ServedWard]:
    """A ward of its own for each test: what a test kills, no other test misses."""
    with serving_ward(free_port, speed=10.0) as served:
        yield served


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: console errors and warnings, and exceptions."""
    return []


@pytest.fixture
def page(browser: Browser, ward: ServedWard, complaints: list[str]) -> Page:
    """The page on a desk's screen."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(ward.url)
    return opened
