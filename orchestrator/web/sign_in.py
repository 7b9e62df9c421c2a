"""Signing in and out on our pages: the session's token goes into a cookie that no script can read.

A page from elsewhere cannot use it: the browser sends a strict same-site cookie to our own pages' requests alone, what
changes something asks for JSON, and the gate refuses foreign origins.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

from orchestrator.application.identity import SESSION_COOKIE
from orchestrator.domain.access.acts import Act
from orchestrator.domain.people.proofs import ABSOLUTE
from orchestrator.http.acting import may, public, require_json
from orchestrator.http.desk import Desk
from orchestrator.http.sessions import NO_STORE, BadgeAndPin, end_session, start_session
from orchestrator.web.security import page_headers

SIGN_IN = "/sign-in"


def sign_in_routes(router: APIRouter, desk: Desk, environment: Environment, *, is_simulation: bool) -> None:
    """Add the page to sign in, and what its script asks for, to the pages' router."""
    template = environment.get_template("sign_in.html")
    headers = page_headers(())

    @router.get(SIGN_IN, response_class=HTMLResponse, dependencies=[public(Act.SIGN_IN)])
    async def get_sign_in() -> HTMLResponse:
        """Show the page to sign in."""
        return HTMLResponse(template.render(site=desk.site, is_simulation=is_simulation), headers=headers)

    @router.post(SIGN_IN, dependencies=[public(Act.SIGN_IN), Depends(require_json)])
    async def post_sign_in(asked: BadgeAndPin, request: Request) -> Response:
        """Sign in and put the session into a cookie."""
        session = await start_session(desk, asked)
        answer = Response(status_code=204, headers=NO_STORE)
        answer.set_cookie(
            SESSION_COOKIE,
            session.token,
            max_age=int(ABSOLUTE.total_seconds()),
            httponly=True,
            samesite="strict",
            # Over plain HTTP, which is on loopback alone, browsers would drop a secure cookie.
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/sign-out", dependencies=[may(Act.SIGN_OUT), Depends(require_json)])
    async def post_sign_out(request: Request) -> Response:
        """Sign out and take the cookie back."""
        await end_session(request, desk)
        answer = Response(status_code=204, headers=NO_STORE)
        answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return answer

    _ = (get_sign_in, post_sign_in, post_sign_out)
