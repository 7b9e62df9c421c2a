"""Problem details (RFC 9457): the one table from error to status, and the answer of everything that is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from orchestrator.application.errors import UnavailableError
from orchestrator.application.identity import PrincipalMissingError
from orchestrator.application.sign_in import AccountEndedError, PinLockedError
from orchestrator.application.step_up import StepUpMissingError, StepUpRefusedError
from orchestrator.domain.access.decision import NotAllowedError
from orchestrator.domain.custody.errors import NotEligibleError
from orchestrator.domain.emergency.alarm import NotAuthorisedError
from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError, WardporterError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

STATUS_OF_ERROR: Mapping[type[WardporterError], HTTPStatus] = {
    PrincipalMissingError: HTTPStatus.UNAUTHORIZED,
    NotAuthorisedError: HTTPStatus.FORBIDDEN,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    StepUpMissingError: HTTPStatus.FORBIDDEN,
    StepUpRefusedError: HTTPStatus.FORBIDDEN,
    PinLockedError: HTTPStatus.FORBIDDEN,
    AccountEndedError: HTTPStatus.FORBIDDEN,
    NotEligibleError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The nearest base class of an error decides; an error outside every row is a fault of ours."""


class FieldProblem(BaseModel):
    """One field that is not what was expected."""

    field: str
    expected: str


class ProblemView(BaseModel):
    """What was refused, why, and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = Field(default_factory=list[FieldProblem])
    context: dict[str, Any] = Field(default_factory=dict[str, Any])


TITLE_OF_STATUS: Mapping[int, str] = {
    400: "The request cannot be read",
    401: "Who acts is not known",
    403: "Not from here, or not for you",
    404: "There is no such thing",
    405: "The method is not for this address",
    409: "Not in the present state",
    413: "The request is too large",
    415: "The content type is not understood",
    421: "The request is for another host",
    422: "The request does not fit",
    500: "A fault of ours",
    503: "Something we need does not work now",
}


def status_of(error: type[WardporterError]) -> HTTPStatus:
    """Return the HTTP status of an error class: that of its nearest base class in the table, else 500."""
    for base in error.__mro__:
        if base in STATUS_OF_ERROR:
            return STATUS_OF_ERROR[base]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_response(
    status: int,
    *,
    code: str,
    detail: str,
    errors: Sequence[FieldProblem] = (),
    context: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that says what was refused."""
    view = ProblemView(
        type=f"urn:wardporter:error:{code}",
        title=TITLE_OF_STATUS.get(status, HTTPStatus(status).phrase),
        status=status,
        detail=detail,
        code=code,
        errors=list(errors),
        context=dict(context or {}),
    )
    return Response(view.model_dump_json(), status, dict(headers or {}), MEDIA_TYPE)


def response_of_error(error: WardporterError) -> Response:
    """Return the answer to an error of the house."""
    status = status_of(type(error))
    field = error.detail.get("field")
    headers: dict[str, str] = {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="wardporter"'
    return problem_response(
        status,
        code=error.code,
        detail=error.message,
        errors=[FieldProblem(field=field, expected=error.message)] if isinstance(field, str) else (),
        context={name: value for name, value in error.detail.items() if name != "field"},
        headers=headers,
    )


def response_of_validation(error: RequestValidationError) -> Response:
    """Return the answer to a request that is not what the models say."""
    found: Sequence[Mapping[str, Any]] = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return unreadable_body()
    keys = [one for one in found if tuple(one["loc"])[:2] == ("header", "Idempotency-Key")]
    if keys:
        return _key_problem(is_missing=keys[0]["type"] == "missing")
    fields = [FieldProblem(field=_field_name(one["loc"]), expected=str(one["msg"])) for one in found]
    named = ", ".join(sorted({one.field for one in fields}))
    return problem_response(
        422,
        code="request_invalid",
        detail=f"The request was refused: {named} not as expected; errors says what was expected of each. "
        "Correct it and send it again.",
        errors=fields,
    )


def unreadable_body() -> Response:
    """Return the answer to a body that is not JSON."""
    return problem_response(
        400,
        code="body_unreadable",
        detail="The request was refused: its body is not JSON; expected one JSON object in UTF-8. Correct it.",
    )


def _key_problem(*, is_missing: bool) -> Response:
    state = "is missing" if is_missing else "is not usable"
    return problem_response(
        400,
        code="idempotency_key_missing" if is_missing else "idempotency_key_invalid",
        detail=f"The request was refused: its header Idempotency-Key {state}; expected 1 to 128 printable ASCII "
        "characters, new for every new request. Add one, such as a random UUID, and send the request again.",
        errors=[FieldProblem(field="Idempotency-Key", expected="1 to 128 printable ASCII characters")],
    )


def _field_name(location: Sequence[str | int]) -> str:
    # The first part says where the field is (body, query, path, header); a body as a whole keeps it as its name.
    parts = list(location[1:]) or list(location)
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return name.removeprefix(".")


def response_of_http_exception(error: HTTPException) -> Response:
    """Return the answer to what the framework refused: an unknown address, a wrong method, a body too large."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        code, detail = "address_unknown", "Nothing is at this address; expected one that /api/v1/openapi.json lists."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        code = "method_not_allowed"
        detail = "The method is not for this address; the header Allow lists those that are."
    elif error.status_code == HTTPStatus.BAD_REQUEST:
        return unreadable_body()
    elif error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        code, detail = "body_too_large", str(error.detail)
    elif error.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        code = "content_type_refused"
        detail = "The request was refused: its Content-Type is not JSON; expected application/json. Send JSON."
    else:
        code, detail = "refused", str(error.detail)
    return problem_response(error.status_code, code=code, detail=detail, headers=error.headers)


def internal_problem() -> Response:
    """Return the answer when we failed; what happened is in the log, not here."""
    return problem_response(
        500,
        code="internal",
        detail="The request ended in a fault of the program, which is logged; whether it was done is not certain. "
        "Try again under the same Idempotency-Key, which does nothing twice, and tell whoever looks after Wardporter.",
    )


async def _on_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, WardporterError)
    return response_of_error(error)


async def _on_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response_of_validation(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = response_of_http_exception(error)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return response


def _methods_at(request: Request) -> set[str]:
    # The framework names the methods of one route only, and an address may have several.
    return {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.path is not None and compile_path(route.path)[0].fullmatch(request.url.path)
        for method in route.methods or ()
    }


def answer_with_problems(app: FastAPI) -> None:
    """Make an app answer every refusal with problem details."""
    app.add_exception_handler(WardporterError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http_exception)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems that a route answers with."""
    return {
        status: {
            "description": TITLE_OF_STATUS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemView"}}},
        }
        for status in statuses
    }
