"""What has come in and waits for the control: by sender, bounded, taken in turns.

paho's thread puts in, the control's thread takes out. Whoever floods waits behind itself: one message of each sender
is taken before a second one of any, and a sender that has too many waiting loses its oldest, since its newest state
says all that the older ones did.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable

from orchestrator.application.admission import Admission, Verdict, sender_of

Message = tuple[str, bytes, bool]
"""Topic, payload, and whether the broker had kept it."""

WAITING_MAX = 64
"""Messages of one sender that may wait."""


class Inbox:
    """Messages let in by `Admission`; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._admission = Admission()
        self._waiting: OrderedDict[str, deque[Message]] = OrderedDict()

    def put(self, message: Message, *, at_s: float) -> Verdict:
        """Take a message in, or say why not; a verdict that mutes is given once."""
        topic, payload, _ = message
        sender = sender_of(topic)
        with self._lock:
            verdict = self._admission.judge(sender, len(payload), at_s=at_s)
            if verdict.drop is None:
                queue = self._waiting.setdefault(sender, deque())
                if len(queue) >= WAITING_MAX:
                    queue.popleft()
                    self._admission.note_overtaken()
                queue.append(message)
            return verdict

    def take(self) -> Message | None:
        """Return the next message, of the sender whose turn it is; None when nothing waits."""
        with self._lock:
            if not self._waiting:
                return None
            sender, queue = self._waiting.popitem(last=False)
            message = queue.popleft()
            if queue:
                self._waiting[sender] = queue
            return message

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def heard_again(self, *, at_s: float) -> list[str]:
        """Return the senders whose mute is over by now."""
        with self._lock:
            return self._admission.heard_again(at_s=at_s)

    def take_flooding(self) -> frozenset[str]:
        """Return the senders that are to be quarantined, each once."""
        with self._lock:
            return self._admission.take_flooding()

    def confine(self, senders: Iterable[str]) -> None:
        """Set who is in quarantine."""
        with self._lock:
            self._admission.confine(senders)

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages were dropped unread, by why."""
        with self._lock:
            return {drop.value: count for drop, count in self._admission.dropped.items()}
