"""The pages for who is signed in: a cookie that no script reads and no other site can use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from orchestrator.http.app import build_app
from orchestrator.web.pages import router_for
from simulation.memory_store import MemoryStore
from tests.support.desk import SteadyClock, StoreDoor, a_desk
from tests.support.house_of_staff import OWN_DEVICE, add_everybody
from tests.support.staff import PIN, WRONG_PIN, Staff, badge_of

REASON = {"reason": "Stands in the way"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    store = MemoryStore()
    add_everybody(Staff(store))
    own = frozenset({OWN_DEVICE})
    desk = a_desk(StoreDoor(store), clock=SteadyClock(), is_development=False, own_devices=own)
    app = build_app(desk, extra_routers=[router_for(desk, floor_plans={})])
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as opened:
        yield opened


def sign_in(client: TestClient, *, pin: str = PIN, device: str = OWN_DEVICE) -> int:
    body = {"badge": badge_of("porter-1"), "pin": pin, "device": device}
    return client.post("/sign-in", json=body).status_code


def test_a_browser_that_is_not_signed_in_is_sent_to_the_page_that_signs_in(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    page = client.get("/sign-in")
    assert page.status_code == 200
    assert 'src="/static/sign_in.js"' in page.text
    assert client.get("/static/sign_in.js").status_code == 200
    assert client.get("/board").status_code == 401


def test_the_cookie_is_for_our_own_pages_and_for_no_script(client: TestClient) -> None:
    answer = client.post("/sign-in", json={"badge": badge_of("porter-1"), "pin": PIN, "device": OWN_DEVICE})
    assert answer.status_code == 204
    assert answer.text == ""
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_who_is_signed_in_sees_the_page_acts_and_signs_out(client: TestClient) -> None:
    assert sign_in(client) == 204
    page = client.get("/")
    assert page.status_code == 200
    assert "porter-1" in page.text
    assert 'name="by"' not in page.text, "nobody says who they are"
    assert client.get("/board").status_code == 200
    acted = client.post("/api/v1/robots/robot-1/pause", json=REASON, headers={"Idempotency-Key": "k"})
    assert acted.status_code == 200
    assert acted.json()["holds"][0]["by"] == "porter-1"
    assert client.post("/sign-out", json={}).status_code == 204
    assert client.get("/").status_code == 303


def test_on_a_shared_device_the_page_asks_to_sign_in_again_after_one_act(client: TestClient) -> None:
    assert sign_in(client, device="ward-phone") == 204
    assert client.post("/api/v1/robots/robot-1/pause", json=REASON, headers={"Idempotency-Key": "k"}).is_success
    assert client.get("/").status_code == 303
    assert client.get("/board").status_code == 401


def test_a_wrong_pin_gives_no_cookie(client: TestClient) -> None:
    assert sign_in(client, pin=WRONG_PIN) == 401
    assert client.get("/").status_code == 303


def test_another_site_can_neither_sign_in_nor_act_with_the_cookie(client: TestClient) -> None:
    assert sign_in(client) == 204
    foreign = {"Origin": "http://elsewhere.example", "Idempotency-Key": "k"}
    assert client.post("/api/v1/robots/robot-1/pause", json=REASON, headers=foreign).status_code == 403
    form = {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": "k"}
    assert client.post("/api/v1/robots/robot-1/pause", content=b"reason=x", headers=form).status_code == 415
    assert client.post("/sign-out", content=b"", headers=form).status_code == 415
