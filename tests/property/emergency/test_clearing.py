"""Wherever a robot is and whatever alarms sound: it is told where it may stand, and through nothing closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.emergency.alarm import ZONES_OF_KIND, Alarm, AlarmId, AlarmKind
from orchestrator.domain.emergency.clearing import GivesUp, Leaves, Stand, Stays, Unable, Unaffected, judge, refuges
from orchestrator.domain.emergency.reach import Reach, reach_of
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import FireScope, LaneId, WaypointId
from tests.support.wards import demo_hospital

SITE = demo_hospital()
GRAPH = next(iter(SITE.graphs.values()))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def alarms(draw: st.DrawFn) -> Alarm:
    kind = draw(st.sampled_from(AlarmKind))
    known = sorted(zone.id for zone in SITE.zones.values() if zone.kind is ZONES_OF_KIND[kind])
    least = 1 if kind is AlarmKind.CRASH_CALL else 0
    zones = tuple(draw(st.lists(st.sampled_from(known), min_size=least, max_size=3, unique=True)))
    return Alarm(AlarmId(draw(st.sampled_from("abc"))), kind, zones, "api", NOW, "porter", "A drill.")


@st.composite
def stands(draw: st.DrawFn) -> Stand:
    at = draw(st.sampled_from(sorted(GRAPH.waypoints)))
    ahead: list[LaneId] = []
    here = at
    for _ in range(draw(st.integers(0, 5))):
        onward = sorted(lane.id for lane in GRAPH.lanes.values() if lane.start == here)
        ahead.append(draw(st.sampled_from(onward)))
        here = GRAPH.lanes[ahead[-1]].end
    return Stand(RobotId("robot"), at, tuple(ahead), is_with_people=draw(st.booleans()))


def may_stay(place: WaypointId, reach: Reach) -> bool:
    waypoint = GRAPH.waypoints[place]
    return place not in reach.cleared and waypoint.may_stop and waypoint.lift is None


def offence(lane_id: LaneId, reach: Reach) -> str | None:
    """What speaks against sending a robot over a lane, said anew from the site alone."""
    lane = GRAPH.lanes[lane_id]
    for region in reach.regions:
        if lane.end in region.places and lane.start not in region.places:
            return "enters what is closed"
    if lane.door in reach.doors:
        return "needs a fire door"
    lifts = {GRAPH.waypoints[end].lift for end in (lane.start, lane.end)} & reach.lifts
    return "rides a lift" if lifts else None


@settings(max_examples=300, deadline=None)
@given(st.lists(alarms(), max_size=3, unique_by=lambda alarm: alarm.id), stands(), st.sampled_from(FireScope))
def test_what_a_robot_is_told_leads_to_a_place_where_it_may_stay_and_through_nothing_closed(
    sounding: list[Alarm], stand: Stand, scope: FireScope
) -> None:
    reach = reach_of(replace(SITE, fire_scope=scope), GRAPH, sounding)
    end = GRAPH.lanes[stand.ahead[-1]].end if stand.ahead else stand.at
    match judge(stand, reach, GRAPH):
        case Unaffected() | Stays():
            assert end not in reach.cleared
            assert [lane for lane in stand.ahead if offence(lane, reach)] == []
        case GivesUp():
            assert any(offence(lane, reach) for lane in stand.ahead) or any(
                lane in region.lanes for region in reach.regions for lane in stand.ahead
            )
        case Leaves():
            assert not stand.is_with_people
            for _, lanes in refuges(stand, [(end, 0.0)], reach, GRAPH):
                assert may_stay(GRAPH.lanes[lanes[-1]].end if lanes else end, reach)
                assert [lane for lane in lanes if offence(lane, reach)] == []
        case Unable(reason=reason):
            assert stand.is_with_people
            assert "robot" in reason.sentence


@settings(max_examples=100, deadline=None)
@given(stands())
def test_without_an_alarm_nobody_is_affected(stand: Stand) -> None:
    assert judge(stand, Reach(), GRAPH) == Unaffected()


@settings(max_examples=100, deadline=None)
@given(alarms())
def test_an_alarm_that_is_ended_reaches_nowhere(alarm: Alarm) -> None:
    ended = replace(alarm, cleared_at=NOW, ended_at=NOW)

    assert reach_of(SITE, GRAPH, [ended]) == Reach()


@settings(max_examples=100, deadline=None)
@given(alarms(), st.sampled_from(sorted(GRAPH.lanes)))
def test_at_work_nobody_is_granted_a_lane_into_what_an_alarm_closes(alarm: Alarm, lane: LaneId) -> None:
    reach = reach_of(SITE, GRAPH, [alarm])

    if offence(lane, reach):
        assert lane in reach.lanes
