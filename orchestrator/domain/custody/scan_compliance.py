"""How often packs were scanned, and why they were not: by the place that picked them.

A line that is picked is one look at a pack: its code was read, or batch and expiry were entered by hand with the
reason. Rates that fall, and reasons that come again, show a scanner that is broken or a habit that is forming.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from orchestrator.domain.delivery.custody_record import Dispensed
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.london import LONDON
from orchestrator.domain.site.model import PlaceId, StationId

DAYS_MAX = 366
NO_REASON = "no reason given"
"""What is ordinary may be entered by hand without one."""


class PeriodInvalidError(InvalidInputError):
    """Two days are no period that is reported."""

    code = "period_invalid"


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days in the hospital's time, the last included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 0 <= (self.last - self.first).days < DAYS_MAX:
            raise PeriodInvalidError(
                f"The report was refused: its days are no period; expected from the first to the last, {DAYS_MAX} at "
                "most. Correct from or to.",
                detail={"field": "to"},
            )

    @property
    def starts_at(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time(), LONDON)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), LONDON)


@dataclass(frozen=True, slots=True)
class PlaceScans:
    """What one place picked: lines scanned, lines entered by hand, and how often for which reason."""

    place: PlaceId
    scanned: int
    by_hand: int
    reasons: Mapping[str, int]

    @property
    def share_scanned(self) -> float:
        """The part that was scanned, 0 to 1; 1 where nothing was picked."""
        picked = self.scanned + self.by_hand
        return self.scanned / picked if picked else 1.0


@dataclass(frozen=True, slots=True)
class ScanReport:
    """The report of a period, by place in the order of their ids."""

    period: Period
    places: tuple[PlaceScans, ...]
    is_simulation: bool

    @property
    def whole(self) -> PlaceScans:
        """All places together."""
        reasons: Counter[str] = Counter()
        for one in self.places:
            reasons.update(one.reasons)
        scanned, by_hand = (sum(one.scanned for one in self.places), sum(one.by_hand for one in self.places))
        return PlaceScans(PlaceId("all places"), scanned, by_hand, _in_order(reasons))


def scan_report(
    period: Period,
    deliveries: Iterable[Delivery],
    *,
    place_of: Callable[[StationId], PlaceId],
    is_simulation: bool,
) -> ScanReport:
    """Return the report of a period.

    Parameters
    ----------
    period : Period
        A line belongs to it by when it was picked; one that was picked anew counts as it was picked last.
    deliveries : iterable of Delivery
        At least those that were picked in it, each once.
    place_of : callable
        Returns the place of a station.
    is_simulation : bool
        Whether what was picked is simulated.
    """
    scanned: Counter[PlaceId] = Counter()
    reasons: defaultdict[PlaceId, Counter[str]] = defaultdict(Counter)
    for delivery in deliveries:
        by = delivery.custody.dispensed_by
        if by is None or not period.starts_at <= by.at < period.ends_at:
            continue
        place = place_of(delivery.from_station)
        for line in delivery.custody.dispensed:
            if is_scanned(line):
                scanned[place] += 1
            else:
                reasons[place][_reason(line)] += 1
    places = tuple(
        PlaceScans(place, scanned[place], reasons[place].total(), _in_order(reasons[place]))
        for place in sorted({*scanned, *reasons})
    )
    return ScanReport(period, places, is_simulation=is_simulation)


def is_scanned(line: Dispensed) -> bool:
    """Whether a scanner read all that is asked for: nobody entered anything by hand, nor said why."""
    return line.gtin is not None and line.unread_because is None


def _reason(line: Dispensed) -> str:
    # Different hands write one reason differently.
    said = " ".join((line.unread_because or "").split()).casefold().rstrip(".")
    return said or NO_REASON


def _in_order(reasons: Counter[str]) -> Mapping[str, int]:
    return dict(sorted(reasons.items(), key=lambda found: (-found[1], found[0])))
