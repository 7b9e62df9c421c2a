"""Reading JSON from a stranger: bounded, unambiguous, finite.

What is refused here would be read differently by different parsers (duplicate keys, NaN), or is built to hurt
(depth, size, numbers of thousands of digits).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isfinite
from typing import NoReturn

from orchestrator.vda5050.wire import MessageError

PAYLOAD_BYTES_MAX = 256 * 1024
DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1

JsonObject = dict[str, object]


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
    """Return the JSON object in ``payload``.

    Raises
    ------
    MalformedMessageError
        More than 256 KiB, deeper than 32 levels, not UTF-8, not JSON, not an object, a duplicate key, a number
        that is not finite or does not fit 64 bits, or half of a surrogate pair.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise malformed(f"{len(payload)} bytes, at most {PAYLOAD_BYTES_MAX} are read")
    try:
        text = payload.decode("utf-8")
        tree: object = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(tree, ensure_ascii=False).encode("utf-8")
    except MalformedMessageError:
        raise
    except UnicodeError as error:
        raise malformed("it is not UTF-8 text") from error
    except RecursionError as error:
        raise malformed(f"it is nested deeper than {DEPTH_MAX} levels") from error
    except ValueError as error:
        raise malformed(f"it is not JSON ({error})") from error
    if not isinstance(tree, dict):
        raise malformed("it is not a JSON object")
    _check_depth(tree)  # pyright: ignore[reportUnknownArgumentType]  # json gives str keys
    return tree  # pyright: ignore[reportUnknownVariableType]  # json gives str keys


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> JsonObject:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise malformed("a key appears twice in one object")
    return made


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) > INTEGER_MAX:
        raise malformed("it holds an integer beyond 64 bits")
    return value


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise malformed("it holds a number too large to read")
    return value


def _no_constant(name: str) -> NoReturn:
    raise malformed(f"it holds {name}, which is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates,
    parse_int=_bounded_int,
    parse_float=_finite_float,
    parse_constant=_no_constant,
)


def _check_depth(tree: JsonObject) -> None:
    layer: list[object] = [tree]
    for _ in range(DEPTH_MAX):
        below: list[object] = []
        for container in layer:
            values: Iterable[object] = container.values() if isinstance(container, dict) else container  # type: ignore[assignment]
            below += [value for value in values if type(value) is dict or type(value) is list]
        if not below:
            return
        layer = below
    raise malformed(f"it is nested deeper than {DEPTH_MAX} levels")
