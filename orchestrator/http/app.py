"""The app: every router behind the gate, every refusal a problem."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse

from orchestrator.domain.access.acts import Act
from orchestrator.http import (
    alarms,
    approvals,
    custody,
    deliveries,
    drawers,
    events,
    fleet,
    health,
    lanes,
    ledger,
    medicines,
    recalls,
    register_acts,
    registers,
    retention,
    robots,
    scan,
    sessions,
    staff,
    step_ups,
)
from orchestrator.http.access import require_cells
from orchestrator.http.acting import may
from orchestrator.http.desk import Desk
from orchestrator.http.gate import LOOPBACK_NAMES, Gate
from orchestrator.http.problems import ProblemView, answer_with_problems

TITLE = "Wardporter"
API_VERSION = "1"
ROUTERS = (
    deliveries.router,
    deliveries.one,
    custody.router,
    approvals.router,
    drawers.router,
    fleet.router,
    robots.router,
    lanes.router,
    alarms.router,
    medicines.router,
    scan.router,
    registers.router,
    retention.router,
    recalls.router,
    events.router,
    health.router,
    ledger.router,
    register_acts.router,
    sessions.router,
    step_ups.router,
    staff.router,
)


def build_app(
    desk: Desk, *, extra_routers: Sequence[APIRouter] = (), host_names: Collection[str] = LOOPBACK_NAMES
) -> FastAPI:
    """Return the ASGI app.

    Parameters
    ----------
    desk : Desk
        What requests are served from; handlers find it with `desk_of`.
    extra_routers : sequence of APIRouter
        Further routers, such as the web pages; they are left out of the OpenAPI document.
    host_names : collection of str
        The names this server may be asked for.
    """
    app = FastAPI(
        title=TITLE,
        version=API_VERSION,
        openapi_url=None,  # served below, to those who may
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = desk
    for router in ROUTERS:
        app.include_router(router)
    for router in extra_routers:
        app.include_router(router, include_in_schema=False)

    @app.get("/api/v1/openapi.json", include_in_schema=False, dependencies=[may(Act.WATCH)])
    async def get_openapi_document() -> JSONResponse:
        """Show the OpenAPI document."""
        return JSONResponse(app.openapi())

    _ = get_openapi_document
    require_cells(app.routes)
    answer_with_problems(app)
    app.add_middleware(Gate, host_names=host_names)
    app.openapi = functools.cache(lambda: openapi_document(app))
    return app


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document: what FastAPI knows, with our problem details as the one form of a refusal."""
    document = get_openapi(title=TITLE, version=API_VERSION, routes=app.routes)
    for path in document["paths"].values():
        for operation in path.values():
            # Added by FastAPI wherever a path holds a parameter; ours are texts, which always fit.
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = ProblemView.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemView"] = problem
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document
