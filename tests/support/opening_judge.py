"""Whether a drawer that was let go might have been: what promise 9 asks, worked out anew and not by the code it judges.

Each opening was

- for a grant on our books, of this robot, drawer, delivery and purpose, and the only one for it;
- granted to as many different people as its class asks for, of the place it opens at, none of them barred, who signed
  that in the ledger;
- of a robot that had stood for a second at least, at the station of the delivery, or anywhere for a retrieval;
- of a drawer with the delivery's load in it, or with nothing where it was to be loaded;
- within a minute of when the robot showed the number that the grant names.
"""

from __future__ import annotations

from collections import Counter

from orchestrator.application.openings import DRAWER_GRANTED
from orchestrator.domain.custody.grant import LIFETIME_MAX_S, Purpose
from orchestrator.domain.custody.issued_grant import IssuedGrant
from orchestrator.domain.custody.model import Entry
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.people.model import Person, Role
from orchestrator.domain.site.model import StationId, WaypointId
from ros_nodes.onboard.drawer_lock import STANDING_FOR_S
from tests.support.boarded_robots import Opening
from tests.support.custody import HATCH, WARD_A, House
from tests.support.deliveries import STATIONS

ON_WARD = frozenset({Role.NURSE, Role.NURSE_IN_CHARGE, Role.MIDWIFE})
IN_PHARMACY = frozenset({Role.PHARMACIST, Role.PHARMACY_TECHNICIAN})


class Judge:
    """Looks at openings of controlled deliveries, each once. ``used`` counts them by grant."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self._put_in: dict[RobotId, str] = {}

    def look_at(self, house: House, opening: Opening) -> None:
        """Fail unless a drawer might open as it did."""
        grant = opening.grant
        with house.store.reading() as uow:
            issued = uow.grants.of_nonce(opening.robot, grant.nonce)
            assert issued is not None, "nobody granted what opened"
            delivery = uow.deliveries.get(issued.delivery)
            entries = uow.ledger.entries(limit=100_000, delivery=issued.delivery)
        self.used[issued.id] += 1
        assert self.used[issued.id] == 1, f"grant {issued.id} opened twice"
        said = (grant.serial_number, grant.drawer, grant.delivery, grant.load, grant.purpose)
        assert said == (issued.robot, issued.drawer, issued.delivery, delivery.load, issued.purpose)
        assert not opening.is_moving, "it opened while it moved"
        assert opening.stood_s >= STANDING_FOR_S, f"it opened after {opening.stood_s} s"
        assert 0.0 <= opening.shown_s <= LIFETIME_MAX_S, f"it opened {opening.shown_s} s after it showed the number"
        station = station_of(delivery, issued.purpose)
        assert station is None or opening.node == place_of(station), f"it opened at {opening.node} for {station}"
        if issued.purpose is Purpose.LOAD:
            assert opening.load is None, "it was opened to load what was full"
            self._put_in[opening.robot] = delivery.load
        else:
            # Until the robot has left, what was put in is not in its list yet.
            assert delivery.load == (opening.load or self._put_in.get(opening.robot))
        require_people(house, issued, station)
        signed = [e.draft.signatures for e in entries if e.draft.facts.get("grant") == issued.id and _is_granting(e)]
        assert [[one.person for one in signatures] for signatures in signed] == [list(issued.people)]


def require_people(house: House, issued: IssuedGrant, station: StationId | None) -> None:
    people = [house.people[person] for person in issued.people]
    assert len({person.id for person in people}) >= 2, f"it opened for {issued.people}"
    for person in people:
        assert may_open(person, station), f"it opened for {person.id} at {station}"


def may_open(person: Person, station: StationId | None) -> bool:
    """Whether somebody may have a drawer with something controlled opened at a station, or where its robot stands."""
    if person.has(Role.ACCOUNTABLE_OFFICER):
        return False
    is_of_ward = bool(person.roles & ON_WARD) and WARD_A in person.places
    is_of_pharmacy = bool(person.roles & IN_PHARMACY) and HATCH in person.places
    if station is None:
        return is_of_ward or is_of_pharmacy or person.has(Role.SITE_MANAGER)
    return is_of_pharmacy if station == HATCH else is_of_ward


def station_of(delivery: Delivery, purpose: Purpose) -> StationId | None:
    """Return where a drawer opens for that; None for wherever the robot stands."""
    return {
        Purpose.LOAD: delivery.from_station,
        Purpose.HAND_OVER: delivery.to_station,
        Purpose.RECOUNT: delivery.to_station,
        Purpose.TAKE_BACK: delivery.returns_to,
    }.get(purpose)


def place_of(station: StationId) -> WaypointId:
    (place,) = STATIONS[station].waypoints.values()
    return place


def _is_granting(entry: Entry) -> bool:
    return entry.draft.facts.get("event") == DRAWER_GRANTED
