"""The public API as the demonstration's people use it: every act with a key, repeated until it is answered."""

from __future__ import annotations

import secrets
from typing import Any

import httpx2

from orchestrator.domain.errors import WardporterError

TIMEOUT_S = 10.0


class ApiRefusedError(WardporterError):
    """The service refused what the demonstration asked."""

    code = "api_refused"


class Away(Exception):  # noqa: N818 - no fault: the service is not there at this moment, and the caller tries again
    """The service does not answer now."""


class Api:
    """One service's API.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8000``.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=TIMEOUT_S)

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON at a path under ``/api/v1``; raises `Away` while nobody answers."""
        return self._asked("GET", path, params=query)

    def act(self, path: str, body: dict[str, object], *, principal: str, key: str | None = None) -> Any:
        """Do something in somebody's name; the same key never does it twice.

        Raises
        ------
        Away
            Nobody answers; whether it was done shows when it is asked again under the same key.
        ApiRefusedError
            The service refused it, with its sentence.
        """
        headers = {"Wardporter-Principal": principal, "Idempotency-Key": key or secrets.token_hex(8)}
        return self._asked("POST", path, json=body, headers=headers)

    def is_ready(self) -> bool:
        """Whether the service says that it is ready."""
        try:
            return self._client.get("/readyz").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._client.request(method, f"/api/v1{path}", **more)
        except httpx2.TransportError as error:
            raise Away from error
        if answer.is_success:
            return answer.json()
        is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        raise ApiRefusedError(
            f"{method} {path} was answered {answer.status_code}: {answer.text[:500]}",
            detail={"status": answer.status_code, "code": answer.json().get("code") if is_problem else None},
        )
