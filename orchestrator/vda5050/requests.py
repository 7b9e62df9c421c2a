"""A message that is wanted and not yet answered: when it goes out, again and again, and when to ask for help."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from orchestrator.domain.fleet.order import DriveOrder, RobotAction
from orchestrator.vda5050.dialect import InstantKey
from orchestrator.vda5050.rejections import ErrorMark

RESEND_MAX_S = 30.0
"""How long an unanswered message waits at most until it is sent again, once people were told of it."""

USUAL_KEY_FIRST = 2
_HEADER_IDS_KEPT = 64
_NEVER_S = float("inf")


@dataclass(slots=True, kw_only=True)
class Request:
    """The sending side of one wanted message.

    ``asked_s`` is when it was first wanted, ``answer_by_s`` when its silence is told; all in our monotonic seconds.
    ``known`` are the errors the robot reported before the message first went out, None while it never reported.
    ``backed_off_s`` is how long it rests between two sendings once its silence was told; it grows.
    """

    asked_s: float
    answer_by_s: float
    resend_after_s: float
    known: frozenset[ErrorMark] | None
    sent_s: float | None = None
    backed_off_s: float = 0.0
    is_told: bool = False
    header_ids: deque[int] = field(default_factory=lambda: deque[int](maxlen=_HEADER_IDS_KEPT))

    @property
    def send_at_s(self) -> float:
        """When it goes out next."""
        return self.asked_s if self.sent_s is None else self.sent_s + max(self.resend_after_s, self.backed_off_s)

    @property
    def tell_at_s(self) -> float:
        """When to say that it is unanswered; never a second time."""
        return _NEVER_S if self.is_told else self.answer_by_s

    def note_sent(self, *, header_id: int, at_s: float) -> None:
        """Record that it went out."""
        self.header_ids.append(header_id)
        self.sent_s = at_s
        if self.is_told:
            doubled_s = 2.0 * max(self.resend_after_s, self.backed_off_s)
            self.backed_off_s = max(self.resend_after_s, min(doubled_s, RESEND_MAX_S))

    def begin_anew(self) -> None:
        """Send it at once, and then as often as in the beginning: the robot was away and is back."""
        self.sent_s = None
        self.backed_off_s = 0.0


@dataclass(slots=True, kw_only=True)
class OrderRequest(Request):
    """An order message that the robot's state does not echo yet."""

    order: DriveOrder


@dataclass(slots=True, kw_only=True)
class ActionRequest(Request):
    """An instant action that is not over yet.

    While the robot lists it, it is not sent again, and has until ``finish_by_s`` before its silence is told.
    ``was_listed`` is whether it ever did. ``was_paused`` is whether the robot said that it was paused when this was
    asked, None when it had not reported; ``map_id`` is the robot's own name for the map that the action names.
    """

    action: RobotAction
    finish_by_s: float
    is_listed: bool = False
    was_listed: bool = False
    first_sent_s: float | None = None
    was_paused: bool | None = None
    map_id: str | None = None
    keys: list[InstantKey] = field(default_factory=list[InstantKey])

    def note_sent(self, *, header_id: int, at_s: float) -> None:
        """Record that it went out."""
        super(ActionRequest, self).note_sent(header_id=header_id, at_s=at_s)
        if self.first_sent_s is None:
            self.first_sent_s = at_s

    def may_have_been_heard(self, *, at_s: float) -> bool:
        """Whether a state of now may tell what came of it: the robot listed it once, or had the time to act on it."""
        return self.was_listed or (self.first_sent_s is not None and at_s >= self.first_sent_s + self.resend_after_s)

    def next_key(self, usual: InstantKey) -> InstantKey:
        """Return the key to send it under: the usual one twice, then each in turn, for a robot that reads the other.

        A robot that reads only the other key drops the message without a word, or says that the message is malformed.
        """
        return usual if len(self.keys) < USUAL_KEY_FIRST else self.keys[-1].other

    def try_other_key(self) -> bool:
        """Send it under the other key at once, if that was never done; returns whether it will be."""
        if len(set(self.keys)) != 1:
            return False
        self.keys += [self.keys[-1]] * (USUAL_KEY_FIRST - len(self.keys))
        self.sent_s = None
        self.header_ids.clear()
        return True

    @property
    def send_at_s(self) -> float:
        """When it goes out next; never while the robot lists it."""
        return _NEVER_S if self.is_listed else super(ActionRequest, self).send_at_s

    @property
    def tell_at_s(self) -> float:
        """When to say that it is not over; never a second time."""
        if self.is_listed and not self.is_told:
            return self.finish_by_s
        return super(ActionRequest, self).tell_at_s
