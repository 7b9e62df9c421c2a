"""Whether the service lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from orchestrator.domain.access.acts import Act
from orchestrator.http.acting import DeskOfApp, public
from orchestrator.http.problems import documented

router = APIRouter(tags=["health"])


class HealthView(BaseModel):
    """The service answers."""

    is_alive: bool


class PartView(BaseModel):
    """One part that the service depends on; ``sentence`` says what to do when it is not ready."""

    name: str
    is_ready: bool
    sentence: str


class ReadinessView(BaseModel):
    """Whether everything that the service depends on works."""

    is_ready: bool
    parts: list[PartView]


@router.get("/healthz", dependencies=[public(Act.SEE_HEALTH)], responses=documented(421))
async def get_health() -> HealthView:
    """Say that the service lives."""
    return HealthView(is_alive=True)


@router.get(
    "/readyz",
    dependencies=[public(Act.SEE_HEALTH)],
    response_model=ReadinessView,
    responses={503: {"model": ReadinessView, "description": "A part does not work now."}, **documented(421)},
)
async def get_readiness(desk: DeskOfApp) -> JSONResponse:
    """Say of each part that we depend on whether it works; 503 while one does not."""
    parts = [
        PartView(name=part.name, is_ready=part.is_ready, sentence=part.sentence) for part in desk.control.readiness()
    ]
    view = ReadinessView(is_ready=all(part.is_ready for part in parts), parts=parts)
    return JSONResponse(view.model_dump(mode="json"), 200 if view.is_ready else 503)
