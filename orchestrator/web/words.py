"""What states are called on a page: one place for the plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from orchestrator.domain.delivery.model import Delivery, DeliveryState, StopKind
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import Site, StationId

S = DeliveryState

DELIVERY_WORDS: Mapping[DeliveryState, str] = {
    S.QUEUED: "queued, to be verified",
    S.VERIFIED: "waits for a robot",
    S.ASSIGNED: "robot is coming to {start}",
    S.LOADING: "to be loaded at {start}",
    S.SEALED: "sealed, about to leave",
    S.IN_TRANSIT: "on its way to {end}",
    S.ARRIVED: "to be received at {end}",
    S.RECEIVED: "received",
    S.HELD: "on hold",
    S.RETURNING: "coming back to {back}",
    S.RETURNED: "came back unopened",
    S.CANCELLED: "cancelled",
    S.HANDED_TO_RUNNER: "carried by a person",
    S.INCIDENT: "incident: look into it now",
}

TASK_WORDS: Mapping[StopKind, str] = {
    StopKind.LOAD: "Load",
    StopKind.HAND_OVER: "Receive from",
    StopKind.TAKE_BACK: "Take back from",
}

AT_STOP_WORDS: Mapping[StopKind, str] = {
    StopKind.LOAD: "to be loaded at {station}",
    StopKind.HAND_OVER: "to be emptied at {station}",
    StopKind.TAKE_BACK: "brings back to {station}, to be emptied",
}

SHORT_ID_LENGTH = 8

_NAME_LIKE = re.compile(r"[\w-]+")

SHARED_REASONS: Mapping[str, str] = {
    "robot_busy": "Every robot is on a trip; it waits for one to come free.",
    "robot_not_reported": "No robot has reported yet; it waits for the first one.",
    "robot_lost": "Every robot is silent; a person has to look after them.",
    "battery_below_reserve": "Every robot has to charge first; it waits until one is ready.",
    "no_free_drawer": "No robot has a free drawer; it waits until one is emptied.",
}
"""What to say when the same holds for every robot, so that a fleet does not make a list of sentences."""


def delivery_words(delivery: Delivery, *, start: str, end: str, back: str) -> str:
    """Return the state of a delivery in words; ``start``, ``end`` and ``back`` are the names of its stations."""
    return DELIVERY_WORDS[delivery.state].format(start=start, end=end, back=back)


def short_id(whole: str) -> str:
    """Return as much of an id as people need to tell things apart: the end of it, without its kind."""
    bare = whole.rpartition("-")[2] or whole
    return bare[-SHORT_ID_LENGTH:]


def station_name(site: Site, station: StationId) -> str:
    """Return what people call a station; its id when the site no longer has it."""
    found = site.stations.get(station)
    return found.name or found.id if found is not None else station


def span_words(seconds: float) -> str:
    """Return a span in the largest unit that it is two of or more: "90 s", "2 min", "119 min", "3 h", "810 days"."""
    spans = (("days", 86_400), ("h", 3_600), ("min", 60))
    unit, size = next(((unit, size) for unit, size in spans if seconds >= 2 * size), ("s", 1))
    return f"{seconds / size:.0f} {unit}"


def in_names(sentence: str, site: Site) -> str:
    """Return a sentence with the ids of stations, doors, lifts and floors in it replaced by what people call them."""
    parts = (*site.stations.values(), *site.doors.values(), *site.lifts.values(), *site.levels.values())
    names = {str(part.id): part.name for part in parts if part.name}
    return _NAME_LIKE.sub(lambda word: names.get(word[0], word[0]), sentence)


def reason_sentence(reasons: Sequence[Reason], *, site: Site) -> str:
    """Return why something waits in one or two sentences; further reasons are counted, not told."""
    if not reasons:
        return ""
    codes = {reason.code for reason in reasons}
    if len(reasons) > 1 and len(codes) == 1 and reasons[0].code in SHARED_REASONS:
        return SHARED_REASONS[reasons[0].code]
    more = len(reasons) - 1
    if more == 0:
        return in_names(reasons[0].sentence, site)
    return f"{in_names(reasons[0].sentence, site)} ({more} more {'reason' if more == 1 else 'reasons'}.)"
