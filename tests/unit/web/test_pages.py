from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from orchestrator.adapters.drawing.level import draw_level
from orchestrator.http.app import build_app
from orchestrator.web.pages import router_for
from orchestrator.web.static_files import FOLDER
from tests.support.desk import LEVEL, a_desk, a_site

HOSTILE = "<script>alert(1)</script>"


class Scripts(HTMLParser):
    """Collects what a page runs, and what it loads from where."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str | None] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag == "script":
            self.sources.append(dict(attrs).get("src"))


def a_client(*, is_simulation: bool = True, site_name: str = "Small house") -> TestClient:
    desk = replace(a_desk(), site=replace(a_site(), name=site_name))
    plans = {LEVEL: draw_level(desk.site, LEVEL)}
    pages = router_for(desk, floor_plans=plans, is_simulation=is_simulation)
    return TestClient(build_app(desk, extra_routers=[pages]), base_url="http://localhost")


@pytest.fixture
def client() -> Iterator[TestClient]:
    with a_client() as opened:
        yield opened


def test_page_runs_nothing_but_our_own_script(client: TestClient) -> None:
    answer = client.get("/")
    page = Scripts()
    page.feed(answer.text)
    assert (page.sources, page.handlers) == (["/static/board.js"], [])
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_name_that_looks_like_markup_is_shown_as_text() -> None:
    with a_client(site_name=HOSTILE) as client:
        assert HOSTILE not in client.get("/").text


def test_simulation_is_said_only_while_it_is_one() -> None:
    with a_client(is_simulation=True) as simulated, a_client(is_simulation=False) as real:
        assert "SIMULATION" in simulated.get("/").text
        assert "SIMULATION" not in real.get("/").text


def test_page_and_board_say_the_same(client: TestClient) -> None:
    page, board = client.get("/").text, client.get("/board").json()
    assert [robot["id"] for robot in board["robots"]] == ["robot-1", "robot-2"]
    assert all(robot["words"] in page for robot in board["robots"])
    assert board["summary"] in page


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_static_file_is_sent_once_and_then_only_when_it_changed(client: TestClient, name: str) -> None:
    first = client.get(f"/static/{name}")
    assert first.status_code == 200
    assert first.content == (FOLDER / name).read_bytes()
    again = client.get(f"/static/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["pages.py", "..%2Fpages.py", "nothing.css", "board.css%00"])
def test_no_other_file_can_be_reached(client: TestClient, name: str) -> None:
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "address_unknown"


def test_pages_are_not_part_of_the_api_document(client: TestClient) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert not {"/", "/board", "/static/{name}"} & set(paths)
