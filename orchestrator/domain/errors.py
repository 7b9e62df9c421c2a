"""The one base of every refusal, and the rule its codes follow."""

from __future__ import annotations

from collections.abc import Mapping


class WardporterError(Exception):
    """Something was refused, with a stable code and a sentence that helps.

    A subclass sets ``code`` once. The message says what was refused, what was expected and what to do
    next; it never holds a patient's name or number, nor a count of a drug, because it is logged.

    Parameters
    ----------
    message : str
        The sentence for people.
    detail : mapping, optional
        Ids, expected and found values, safe to log.
    """

    code: str = "refused"

    def __init__(self, message: str, *, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail: dict[str, object] = dict(detail or {})


class NotFoundError(WardporterError):
    """The id names nothing we keep."""

    code = "not_found"


class InvalidInputError(WardporterError):
    """A value is outside what the field allows."""

    code = "invalid_input"


class ConflictError(WardporterError):
    """The act is allowed in general, but not in the state things are in now."""

    code = "conflict"
