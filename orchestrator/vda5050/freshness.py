"""Is this state newer than the last one? Two weak witnesses, timestamp and header id, judged together.

Neither is trustworthy alone: a header id starts again when the robot does, and a robot's clock may be wrong or be put
right. A message that is newer by neither is old: repeated, overtaken on the way, or replayed.

A robot whose clock was right and starts in the past after a reboot looks just like a replay, so no message of its own
makes it count again. A person who stands at it may let its clock count as it stands: by how far it is off. Then what
lies by that much off our time counts, in its order, and what is right by our own clock; all else stays refused, above
all what the robot sent while its clock was right, though it is newer by both witnesses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.vda5050.repair import NO_TIMESTAMP

CLOCK_TOLERANCE = timedelta(seconds=60)
"""A timestamp this near to our own time is taken for the robot's true time."""

REPEATED = "it repeats the last state"

OFF_STEADY = timedelta(seconds=5)
"""A clock that is wrong is as far off from one state to the next, within this, or it is no clock but a replay."""

_MOMENT = "%Y-%m-%d %H:%M:%S"
_NEVER = datetime.fromisoformat(NO_TIMESTAMP)
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


@dataclass(frozen=True, slots=True)
class _OffClock:
    """A clock that a person let count though it is off.

    ``said_s`` is by how far in the person's act, in seconds, ``off`` by how far of late. ``begun`` is what it showed
    when it began to count; ``last`` is the last state that it dated.
    """

    said_s: float
    off: timedelta
    begun: datetime
    last: _Seen | None = None


@dataclass(frozen=True, slots=True)
class _Refused:
    """A state that did not count while its clock was off by ``off``; ``count`` of them in a row agreed on that."""

    off: timedelta
    timestamp: datetime
    count: int = 1


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
        self._own: _OffClock | None = None
        self._refused: _Refused | None = None

    @property
    def clock_off_s(self) -> float | None:
        """By how many seconds the robot's clock is ahead, as a person let it count; None while it is judged by ours."""
        return None if self._own is None else self._own.said_s

    @property
    def refused_clock_off_s(self) -> float | None:
        """By how far the clock of a robot is ahead whose states do not count for it; None while none is known.

        Two states that agree at least: a single message that somebody repeats is no clock.
        """
        refused = self._refused
        return None if refused is None or refused.count < 2 else float(round(refused.off.total_seconds()))

    def let_count(self, clock_off_s: float, *, now: datetime) -> None:
        """Let the robot's clock count from now on though it is off by so much: a person stands at it and says so.

        What was sent before does not count, nor does what the robot sent while its clock was right.
        """
        off, begun = timedelta(seconds=clock_off_s), now + timedelta(seconds=clock_off_s)
        if self._refused is not None and abs(self._refused.off - off) <= CLOCK_TOLERANCE:
            begun = max(begun, self._refused.timestamp)
        self._own, self._refused = _OffClock(clock_off_s, off=off, begun=begun), None

    def remember(
        self,
        *,
        header_id: int,
        timestamp: datetime,
        received_at: datetime,
        at_s: float,
        now: datetime,
        clock_off_s: float | None = None,
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
        clock_off_s : float, optional
            By how far its clock is off, where a person let that count.
        """
        if self._last is not None:
            return
        off = timestamp - received_at
        if clock_off_s is not None:
            self.let_count(clock_off_s, now=now)
            if self._own is not None and abs(off - self._own.off) < abs(off):
                # Said on that clock, which may have drifted since. By ours nothing of before now counts then.
                self._own = replace(self._own, off=off, begun=now + off)
                timestamp = received_at
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
        if self._own is not None and abs(now + self._own.off - timestamp) <= CLOCK_TOLERANCE:
            return self._objection_by_own_clock(
                self._own, _Seen(header_id, timestamp, payload, at_s, is_credible=True), now=now
            )
        is_credible = abs(now - timestamp) <= CLOCK_TOLERANCE
        is_past = now - timestamp > CLOCK_TOLERANCE
        seen = _Seen(header_id, timestamp, payload, at_s, is_credible, is_past)
        if self._own is not None and not is_credible:
            why = "its clock is neither right nor off by as much as a person let count"
        else:
            why = self._why_old(seen, self._last)
        if why is None:
            self._last, self._own, self._refused = seen, None, None
        elif not is_credible:
            self._note_refused(now, seen)
        return why

    @staticmethod
    def in_words(why: str, *, timestamp: datetime, now: datetime) -> str:
        """Return an objection for people: with what the robot's clock shows, where that is the cause."""
        if abs(now - timestamp) <= CLOCK_TOLERANCE or timestamp == _NEVER:
            return why
        return (
            f"{why} (its clock stands at {timestamp:{_MOMENT}} UTC, ours at {now:{_MOMENT}} UTC). Set its clock; or "
            "see that it is this robot which sends, and resume it here with its clock as it stands"
        )

    def _objection_by_own_clock(self, own: _OffClock, seen: _Seen, *, now: datetime) -> str | None:
        why = self._why_old(seen, own.last) if seen.timestamp > own.begun else "it was sent before its clock counted"
        if why is None:
            self._own, self._refused = replace(own, off=seen.timestamp - now, last=seen), None
        return why

    def _note_refused(self, now: datetime, seen: _Seen) -> None:
        if seen.timestamp == _NEVER:
            return  # it has no clock that could count
        before, off = self._refused, seen.timestamp - now
        if before is None or seen.timestamp <= before.timestamp or abs(off - before.off) > OFF_STEADY:
            self._refused = _Refused(off, seen.timestamp)
        else:
            self._refused = _Refused(off, seen.timestamp, before.count + 1)

    def _why_old(self, seen: _Seen, last: _Seen | None) -> str | None:
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
