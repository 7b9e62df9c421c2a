"""What every request passes before anything reads it: right host, own origin, a body of the right size.

A page on the internet may make a browser on this machine send requests here: by DNS rebinding (then the Host header
is foreign) or by a form or script (then the Origin header is). Both are refused.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.http.problems import internal_problem, problem_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
BODY_BYTES_MAX = 256 * 1024
LENGTH_DIGITS_MAX = 12
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger(__name__)


class Gate:
    """ASGI middleware, the outermost one.

    Parameters
    ----------
    app : ASGIApp
        What lies behind.
    host_names : collection of str
        The names this server may be asked for, without ports.
    """

    def __init__(self, app: ASGIApp, host_names: Collection[str] = LOOPBACK_NAMES) -> None:
        self._app = app
        self._host_names = frozenset(host_names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def noting_send(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, _limited(receive), noting_send)
        except Exception:
            # The edge of the process: whatever went wrong in there, the client gets an answer and the log the cause.
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if has_started:
                raise
            await internal_problem()(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name_of(host) not in self._host_names:
            return problem_response(
                421,
                code="host_refused",
                detail="The request was refused: its Host header names another machine; "
                f"expected {' or '.join(sorted(self._host_names))}. Open this server under one of these names.",
            )
        if scope["method"] in READING_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return problem_response(
                403,
                code="origin_refused",
                detail="The request was refused: a page from elsewhere sent it; expected an Origin header that names "
                "this server, or none. Send it from this server's own pages.",
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > LENGTH_DIGITS_MAX or int(length) > BODY_BYTES_MAX:
            return problem_response(413, code="body_too_large", detail=_TOO_LARGE, headers={"Connection": "close"})
        return None


def _name_of(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


_TOO_LARGE = f"The request was refused: its body is larger than {BODY_BYTES_MAX} bytes. Split it."


class BodyTooLargeError(HTTPException):
    """A body without a declared length went on for too long."""

    def __init__(self) -> None:
        super().__init__(413, _TOO_LARGE, {"Connection": "close"})


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def counting_receive() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > BODY_BYTES_MAX:
            raise BodyTooLargeError
        return message

    return counting_receive
