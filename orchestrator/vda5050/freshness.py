"""Is this state newer than the last one? Two weak witnesses, timestamp and header id, judged together.

Neither is trustworthy alone: a header id starts again when the robot does, and a robot's clock may be wrong or be put
right. A message that is newer by neither is old: repeated, overtaken on the way, or replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCK_TOLERANCE = timedelta(seconds=60)
"""A timestamp this near to our own time is taken for the robot's true time."""

REPEATED = "it repeats the last state"

_HALF = 2**31
_WHOLE = 2**32


@dataclass(frozen=True, slots=True)
class _Seen:
    header_id: int
    timestamp: datetime
    payload: bytes
    at_s: float
    is_credible: bool
    is_past: bool = False
    clock_at_start: datetime | None = None
    """Of the last state on the books: what the robot's clock shows, at least, when this orchestrator starts."""


class StateSequence:
    """The states of one robot in the order they count.

    Parameters
    ----------
    quiet_after_s : float
        A robot whose clock is known to be wrong may start both witnesses again once it was silent for this long.
    """

    def __init__(self, *, quiet_after_s: float) -> None:
        self._quiet_after_s = quiet_after_s
        self._last: _Seen | None = None

    def remember(
        self, *, header_id: int, timestamp: datetime, received_at: datetime, at_s: float, now: datetime
    ) -> None:
        """Go on from the last state on the books, after a restart; nothing happens once a state was heard.

        Until then a robot whose clock was right counts with what it has sent since the restart only. Its clock shows
        at least ``timestamp`` and all the time that has passed since ``received_at``, because no message comes before
        it is sent. One whose clock is put back meanwhile, within the tolerance, is heard that much later.

        Parameters
        ----------
        header_id, timestamp
            From its header.
        received_at : datetime
            Our time of day when it came; says whether the robot's clock was right then.
        at_s, now
            Our monotonic time and time of day now.
        """
        if self._last is None:
            is_credible = abs(received_at - timestamp) <= CLOCK_TOLERANCE
            clock_at_start = timestamp + (now - received_at)
            self._last = _Seen(header_id, timestamp, b"", at_s, is_credible, clock_at_start=clock_at_start)

    def objection(
        self, *, header_id: int, timestamp: datetime, payload: bytes, at_s: float, now: datetime
    ) -> str | None:
        """Return why a state does not count; when it does, None, and it is the last one from now on.

        Parameters
        ----------
        header_id, timestamp
            From its header.
        payload : bytes
            The whole message; two messages are the same only if all of it is.
        at_s : float
            Our monotonic time.
        now : datetime
            Our time of day.
        """
        is_credible = abs(now - timestamp) <= CLOCK_TOLERANCE
        is_past = now - timestamp > CLOCK_TOLERANCE
        seen = _Seen(header_id, timestamp, payload, at_s, is_credible, is_past)
        why = self._why_old(seen)
        if why is None:
            self._last = seen
        return why

    def _why_old(self, seen: _Seen) -> str | None:
        last = self._last
        if last is None:
            return None
        if last.clock_at_start is not None and last.is_credible:
            # Not every state is on the books: what lies between the last one there and the restart could be replayed.
            if seen.is_past:
                return "its timestamp is of long ago, and the robot's clock was right before"
            if seen.timestamp < last.clock_at_start:
                return "it was sent before this orchestrator started"
        is_later = seen.timestamp > last.timestamp
        is_next = 0 < (seen.header_id - last.header_id) % _WHOLE < _HALF
        if is_later:
            # Said when the robot's clock ran ahead, and sent again now that it is right: only a restart explains that.
            is_sent_again = not is_next and not seen.is_credible and last.is_credible
            is_quiet = seen.at_s - last.at_s >= self._quiet_after_s
            return "its clock ran ahead, and its number is of before" if is_sent_again and not is_quiet else None
        is_same_time = seen.timestamp == last.timestamp
        if is_next:
            # A clock put back. Without a look at our own clock a capture from before a restart would pass too.
            is_fine = is_same_time or seen.is_credible or not last.is_credible
            return None if is_fine else "its timestamp lies before the last state's and far from now"
        if is_same_time and seen.header_id == last.header_id:
            return REPEATED if seen.payload == last.payload else None
        return None if self._is_restart(seen, last) else "it is older than the last state"

    def _is_restart(self, seen: _Seen, last: _Seen) -> bool:
        """Whether the robot restarted and its clock went back too, which no network delay explains."""
        if seen.is_credible:
            return last.timestamp - seen.timestamp > CLOCK_TOLERANCE
        return not last.is_credible and seen.at_s - last.at_s >= self._quiet_after_s
