"""A route that says not which act it is keeps the service from starting."""

from __future__ import annotations

import pytest
from fastapi import APIRouter

from orchestrator.domain.access.acts import Act
from orchestrator.http.access import May, Public, UndeclaredRouteError
from orchestrator.http.acting import may, public
from orchestrator.http.app import build_app
from tests.support.desk import a_desk


async def page() -> str:
    return "a page"


def test_a_route_without_an_act_is_not_served() -> None:
    extra = APIRouter()
    extra.get("/left-open")(page)
    with pytest.raises(UndeclaredRouteError, match="/left-open"):
        build_app(a_desk(), extra_routers=[extra])


def test_neither_is_one_with_two() -> None:
    extra = APIRouter()
    extra.get("/both", dependencies=[may(Act.WATCH), public(Act.SEE_HEALTH)])(page)
    with pytest.raises(UndeclaredRouteError, match="/both"):
        build_app(a_desk(), extra_routers=[extra])


def test_a_declaration_agrees_with_its_cell() -> None:
    with pytest.raises(AssertionError):
        May(Act.SIGN_IN)
    with pytest.raises(AssertionError):
        Public(Act.WATCH)
