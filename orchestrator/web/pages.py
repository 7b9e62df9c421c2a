"""The page at `/`: floors, what waits for people, deliveries and robots; whole without a script, live with it.

The page and the script's `/board` are made from the same rows, so there is one place for every word.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Why, judge
from orchestrator.domain.people.model import Principal, PrincipalKind
from orchestrator.domain.site.model import LevelId
from orchestrator.http.acting import Who, may, public
from orchestrator.http.desk import Desk
from orchestrator.web.board import Board, board_of, read_books
from orchestrator.web.hold_words import ACT_WORDS
from orchestrator.web.security import EVERYWHERE, page_headers
from orchestrator.web.sign_in import SIGN_IN, sign_in_routes
from orchestrator.web.static_files import read_static_files

TEMPLATES = Path(__file__).parent / "templates"


def router_for(desk: Desk, *, floor_plans: Mapping[LevelId, str], is_simulation: bool = True) -> APIRouter:
    """Return the pages as a router.

    Parameters
    ----------
    desk : Desk
        What they are served from.
    floor_plans : mapping of LevelId to str
        The drawing of each floor as an ``<svg>`` element, trusted, in metres with y negated; live things are placed in
        its group ``level-L-live``, and its doors and lifts are found by id.
    is_simulation : bool
        Whether every robot is simulated; the page says so in capitals. Must be False once one of them is real.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["acts"] = list(ACT_WORDS.items())
    template = environment.get_template("board.html")
    headers = page_headers(floor_plans.values())
    plans = [(desk.site.levels[level], plan) for level, plan in floor_plans.items()]
    files = read_static_files()
    router = APIRouter()

    async def read_board(who: Principal) -> Board:
        books = await desk.control.read(read_books)
        homes = {robot.id: robot.home for robot in desk.fleet.robots.values()}
        return board_of(
            books,
            desk.control.live(),
            site=desk.site,
            at=desk.clock.now(),
            homes=homes,
            may_do=lambda act: judge(who, act, None) is Why.ALLOWED,
        )

    sign_in_routes(router, desk, environment, is_simulation=is_simulation)

    @router.get("/", response_class=HTMLResponse, dependencies=[may(Act.WATCH, otherwise=SIGN_IN)])
    async def get_page(who: Who) -> HTMLResponse:
        """Show the page."""
        html = template.render(
            site=desk.site,
            plans=plans,
            board=await read_board(who),
            is_simulation=is_simulation,
            who=None if who.kind is PrincipalKind.DEVELOPMENT else who.id,
        )
        return HTMLResponse(html, headers=headers)

    @router.get("/board", dependencies=[may(Act.WATCH)])
    async def get_board(who: Who) -> Response:
        """Show what the page's script puts into the page."""
        answer = (await read_board(who)).model_dump_json()
        return Response(answer, media_type="application/json", headers={**EVERYWHERE, "Cache-Control": "no-store"})

    @router.get("/static/{name}", dependencies=[public(Act.SIGN_IN)])
    async def get_static(name: str, request: Request) -> Response:
        """Serve one of our own files."""
        file = files.get(name)
        if file is None:
            raise HTTPException(404)
        kept = {**EVERYWHERE, "Cache-Control": "no-cache", "ETag": file.tag}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=kept)
        return Response(file.content, media_type=file.media_type, headers=kept)

    _ = (get_page, get_board, get_static)
    return router
