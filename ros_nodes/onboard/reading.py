"""Reading what came over the link: a usable message, a refusal to report, or nothing at all.

A message for another robot is none of our business and leaves no trace; one that cannot be read is reported.
"""

from __future__ import annotations

from orchestrator.vda5050.address import RobotAddress
from orchestrator.vda5050.codec import MalformedMessageError, decode_instant_actions, decode_order
from orchestrator.vda5050.messages import InstantActions, Message, Order
from ros_nodes.onboard.order_acceptance import Acceptance, Rejection, Verdict


def read_order(payload: bytes, address: RobotAddress) -> Order | Verdict | None:
    """Return the order, the refusal of a malformed one, or None when it is not for this robot.

    An order that departs from the schema is not repaired: a robot does not drive on a guess.
    """
    try:
        decoded = decode_order(payload)
    except MalformedMessageError as error:
        return _unreadable(error)
    order = decoded.message
    if not _is_for(order, address):
        return None
    if decoded.faults:
        fault = decoded.faults[0]
        references = {"orderId": order.order_id, "orderUpdateId": str(order.order_update_id)}
        return Verdict(
            Acceptance.REJECTED,
            Rejection.VALIDATION,
            f"{fault.path}: {fault.problem}",
            "Correct the order.",
            references,
        )
    return order


def read_instant_actions(payload: bytes, address: RobotAddress) -> InstantActions | Verdict | None:
    """Return the instant actions, the refusal of malformed ones, or None when they are not for this robot."""
    try:
        message = decode_instant_actions(payload).message
    except MalformedMessageError as error:
        return _unreadable(error)
    return message if _is_for(message, address) else None


def _is_for(message: Message, address: RobotAddress) -> bool:
    return (message.manufacturer, message.serial_number) == (address.manufacturer, address.serial_number)


def _unreadable(error: MalformedMessageError) -> Verdict:
    return Verdict(Acceptance.REJECTED, Rejection.VALIDATION, error.message, "Correct the message.", {})
