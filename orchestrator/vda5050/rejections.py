"""Which error in a state refuses which of our messages.

A rejection stays among the errors until a new order is accepted, and robots name the same case differently. So an
error counts by what it refers to, never by its presence or its type, and only against what is still outstanding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from orchestrator.vda5050.bounds import words
from orchestrator.vda5050.messages import ErrorReport, State

ErrorMark = tuple[str, tuple[tuple[str, str], ...], str]


def mark_of_error(error: ErrorReport) -> ErrorMark:
    """Return what makes two reports the same error."""
    references = tuple((item.reference_key, item.reference_value) for item in error.error_references or ())
    return error.error_type, references, error.error_description or ""


def marks_of_errors(errors: Iterable[ErrorReport]) -> frozenset[ErrorMark]:
    """Return the marks of all ``errors``."""
    return frozenset(mark_of_error(error) for error in errors)


def refuses_order(
    error: ErrorReport, *, order_id: str, update_id: int, header_ids: Collection[int], known: Collection[ErrorMark]
) -> bool:
    """Whether ``error`` refuses the order message.

    A reference to the order and its update decides; for the first message of an order the orderId is enough. A
    headerId alone counts only in an error that was not ``known`` before the message went out: header ids start again
    when we do.
    """
    orders, updates = error.referenced("orderId"), error.referenced("orderUpdateId")
    if (orders and order_id not in orders) or (updates and str(update_id) not in updates):
        return False
    if orders and (updates or update_id == 0):
        return True
    if error.referenced("actionId") and not orders:
        return False
    return _names_header(error, header_ids) and mark_of_error(error) not in known


def refuses_action(
    error: ErrorReport, *, action_id: str, header_ids: Collection[int], known: Collection[ErrorMark]
) -> bool:
    """Whether ``error`` refuses the instant action; a headerId alone counts as in `refuses_order`."""
    actions = error.referenced("actionId")
    if actions:
        return action_id in actions
    if error.referenced("orderId"):
        return False
    return _names_header(error, header_ids) and mark_of_error(error) not in known


def description_of_action(state: State, action_id: str) -> str:
    """Return what the robot says about an action: its result, else the errors that refer to it, in its own words."""
    results = [item.result_description for item in state.action_states if item.action_id == action_id]
    errors = [item for item in state.errors if action_id in item.referenced("actionId")]
    told = results + [item.error_description or item.error_type for item in errors]
    return words("; ".join(text for text in told if text))


def _names_header(error: ErrorReport, header_ids: Collection[int]) -> bool:
    named = error.referenced("headerId")
    return any(str(header_id) in named for header_id in header_ids)
