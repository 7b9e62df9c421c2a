"""The life of a delivery: which change may follow which, and how each is recorded (design §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from orchestrator.domain.delivery.errors import WrongStateError
from orchestrator.domain.delivery.model import Delivery, DeliveryState, Transition
from orchestrator.domain.reason import Reason

S = DeliveryState

ALLOWED: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    S.QUEUED: frozenset({S.VERIFIED, S.HELD, S.CANCELLED}),
    S.VERIFIED: frozenset({S.ASSIGNED, S.HELD, S.CANCELLED, S.HANDED_TO_RUNNER, S.INCIDENT}),
    S.ASSIGNED: frozenset({S.LOADING, S.VERIFIED, S.HELD, S.CANCELLED, S.HANDED_TO_RUNNER, S.INCIDENT}),
    S.LOADING: frozenset({S.SEALED, S.VERIFIED, S.HELD, S.CANCELLED, S.HANDED_TO_RUNNER, S.INCIDENT}),
    S.SEALED: frozenset({S.IN_TRANSIT, S.RETURNING, S.RETURNED, S.INCIDENT, S.HANDED_TO_RUNNER}),
    S.IN_TRANSIT: frozenset({S.ARRIVED, S.RETURNING, S.INCIDENT, S.HANDED_TO_RUNNER}),
    S.ARRIVED: frozenset({S.RECEIVED, S.RETURNING, S.INCIDENT, S.HANDED_TO_RUNNER}),
    S.HELD: frozenset({S.VERIFIED, S.CANCELLED, S.HANDED_TO_RUNNER, S.INCIDENT}),
    S.RETURNING: frozenset({S.RETURNED, S.INCIDENT, S.HANDED_TO_RUNNER, S.SEALED, S.IN_TRANSIT}),
    # Cancelled only while nothing is sealed.
    S.HANDED_TO_RUNNER: frozenset({S.RECEIVED, S.RETURNED, S.INCIDENT, S.CANCELLED}),
    S.INCIDENT: frozenset({S.RETURNING, S.RETURNED, S.RECEIVED, S.HANDED_TO_RUNNER, S.CANCELLED}),
    S.RECEIVED: frozenset(),
    S.RETURNED: frozenset(),
    S.CANCELLED: frozenset(),
}


def moved(delivery: Delivery, to: DeliveryState, *, at: datetime, cause: str, reason: Reason | None = None) -> Delivery:
    """Return the delivery in its next state, with the change recorded and nothing left to wait for.

    Parameters
    ----------
    delivery : Delivery
        The delivery as it is.
    to : DeliveryState
        The next state.
    at : datetime
        When it happened; aware.
    cause : str
        Who or what caused it: a principal's id, a robot's id, or the part of the orchestrator.
    reason : Reason, optional
        Why, where the change does not speak for itself.

    Raises
    ------
    WrongStateError
        The change may not follow the present state.
    """
    assert at.tzinfo is not None, "datetimes are aware"
    if to not in ALLOWED[delivery.state]:
        raise WrongStateError(
            f"Delivery {delivery.id} is {delivery.state.value} and cannot become {to.value}; "
            f"from here it may become {_listed(ALLOWED[delivery.state])}.",
            detail={"delivery": delivery.id, "state": delivery.state.value, "refused": to.value},
        )
    change = Transition(at=at, before=delivery.state, after=to, cause=cause, reason=reason)
    return replace(delivery, state=to, waiting=(), history=(*delivery.history, change))


def require_state(delivery: Delivery, *states: DeliveryState, act: str, next_step: str) -> None:
    """Refuse ``act`` unless the delivery is in one of ``states``.

    Raises
    ------
    WrongStateError
        Says what was refused, which state was expected and what to do next.
    """
    if delivery.state in states:
        return
    raise WrongStateError(
        f"{act} was refused: delivery {delivery.id} is {delivery.state.value}; "
        f"expected {_listed(frozenset(states))}. {next_step}",
        detail={"delivery": delivery.id, "state": delivery.state.value, "expected": sorted(s.value for s in states)},
    )


def _listed(states: frozenset[DeliveryState]) -> str:
    return " or ".join(sorted(state.value for state in states)) or "nothing: it is closed"
