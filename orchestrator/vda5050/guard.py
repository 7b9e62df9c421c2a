"""Reading a robot's JSON: bounded, unambiguous, finite; what is refused is refused in the words of this protocol."""

from __future__ import annotations

from orchestrator.bounded_json import DEPTH_MAX, PAYLOAD_BYTES_MAX, JsonObject, UnreadableJsonError
from orchestrator.bounded_json import parse_object as parse_bounded_object
from orchestrator.vda5050.wire import MessageError

__all__ = ["DEPTH_MAX", "PAYLOAD_BYTES_MAX", "JsonObject", "MalformedMessageError", "malformed", "parse_object"]


class MalformedMessageError(MessageError):
    """A payload that cannot be used at all; it changes nothing."""

    code = "malformed_message"


def malformed(what: str) -> MalformedMessageError:
    """Return the refusal of a payload, saying ``what`` is wrong with it."""
    return MalformedMessageError(
        f"A robot message was dropped: {what}. Expected a VDA 5050 2.x message; "
        "look at the sender's version and settings."
    )


def parse_object(payload: bytes) -> JsonObject:
    """Return the JSON object in ``payload``; see `orchestrator.bounded_json`.

    Raises
    ------
    MalformedMessageError
        It is not one bounded, unambiguous JSON object.
    """
    try:
        return parse_bounded_object(payload)
    except UnreadableJsonError as error:
        raise malformed(error.what) from error
