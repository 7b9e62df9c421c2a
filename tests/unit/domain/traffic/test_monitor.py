from __future__ import annotations

import itertools

import pytest

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import LaneGraph, LaneId, WaypointId
from orchestrator.domain.traffic.answers import Granted, Refused
from orchestrator.domain.traffic.errors import BrokenRouteError, UnknownTravellerError
from orchestrator.domain.traffic.monitor import Monitor
from tests.support.traffic_world import TOY, a_graph, a_monitor

A, B, C = RobotId("a"), RobotId("b"), RobotId("c")


def lanes(*waypoints: str) -> tuple[LaneId, ...]:
    return tuple(LaneId(f"{a}>{b}") for a, b in itertools.pairwise(waypoints))


def a_street(*, no_stopping: tuple[str, ...] = ()) -> LaneGraph:
    """Homes at both ends of a street and one in the middle, beside it."""
    places = {"west": (0, 0), "w": (2, 0), "mid": (4, 0), "e": (6, 0), "east": (8, 0), "bay": (4, 2)}
    return a_graph(places, ["west-w", "w-mid", "mid-e", "e-east", "mid-bay"], no_stopping=no_stopping)


def test_a_free_hop_is_granted_with_its_lane_and_its_end() -> None:
    monitor = a_monitor(a_street(), a="west")

    assert monitor.grant(A, lanes("west", "w")) == Granted(frozenset({"lane:w>west@toy", "waypoint:w@toy"}))
    assert monitor.held(A) == {"waypoint:west@toy", "lane:w>west@toy", "waypoint:w@toy"}
    assert monitor.tip(A) == "w"


def test_asking_changes_nothing() -> None:
    monitor = a_monitor(a_street(), a="west")

    assert isinstance(monitor.may_grant(A, lanes("west", "w")), Granted)
    assert monitor.held(A) == {"waypoint:west@toy"}


def test_a_hop_onto_what_another_holds_is_refused_and_names_it() -> None:
    monitor = a_monitor(a_street(), a="west", b="mid/east")

    answer = monitor.grant(A, lanes("west", "w", "mid"))

    assert isinstance(answer, Refused)
    assert (answer.blockers, answer.reason.code) == ((B,), "held_by_other")
    assert "b" in answer.reason.sentence
    assert monitor.held(A) == {"waypoint:west@toy"}


def test_a_hop_through_anothers_endpoint_is_refused_even_when_it_is_away() -> None:
    monitor = a_monitor(a_street(), a="w/west", b="bay/mid")

    answer = monitor.grant(A, lanes("w", "mid"))

    assert isinstance(answer, Refused)
    assert (answer.blockers, answer.reason.code) == ((B,), "reserved_for_other")


def test_two_robots_do_not_enter_a_street_from_which_neither_can_leave() -> None:
    graph = a_graph(
        {"hb": (0, 0), "x": (2, 0), "y": (4, 0), "z": (6, 0), "ha": (8, 0), "p": (2, 2), "q": (6, 2)},
        ["hb-x", "x-y", "y-z", "z-ha", "x-p", "z-q"],
    )
    monitor = a_monitor(graph, a="p/ha", b="q/hb")

    assert isinstance(monitor.grant(A, lanes("p", "x")), Granted)
    answer = monitor.grant(B, lanes("q", "z"))

    assert isinstance(answer, Refused)
    assert (answer.blockers, answer.reason.code) == ((A,), "no_way_home")
    assert monitor.cut_off() == ()


def test_all_lanes_of_a_request_are_granted_or_none() -> None:
    monitor = a_monitor(a_street(), a="west", b="e/east")

    assert isinstance(monitor.grant(A, lanes("west", "w", "mid", "e")), Refused)
    assert monitor.tip(A) == "west"


def test_a_stretch_ends_at_the_first_place_to_stop() -> None:
    monitor = a_monitor(a_street(no_stopping=("w", "mid")), a="west")
    route = lanes("west", "w", "mid", "e", "east")

    assert monitor.stretch(A, route) == route[:3]
    answer = monitor.grant(A, route[:2])
    assert isinstance(answer, Refused)
    assert answer.reason.code == "no_stopping_place"


def test_what_lies_behind_is_given_back_and_what_lies_ahead_is_kept() -> None:
    monitor = a_monitor(a_street(), a="west")
    monitor.grant(A, lanes("west", "w", "mid", "e"))

    still_held = monitor.release_behind(A, at=WaypointId("mid"), ahead=lanes("mid", "e"))

    assert still_held == {"waypoint:mid@toy", "lane:e>mid@toy", "waypoint:e@toy"}


def test_a_robot_keeps_its_tip_whatever_is_released() -> None:
    monitor = a_monitor(a_street(), a="west")

    monitor.release(A, ["waypoint:west@toy", "waypoint:east@toy"])

    assert monitor.held(A) == {"waypoint:west@toy"}


def test_the_safe_order_lets_the_one_at_the_mouth_out_first() -> None:
    graph = a_graph({"a1": (0, 2), "m": (0, 0), "d": (2, 0), "b1": (-2, 0)}, ["a1-m", "m-d", "m-b1"])
    monitor = a_monitor(graph, b="d/b1", c="m/a1")

    assert monitor.safe_order() == (C, B)
    assert monitor.way_home(B) == lanes("d", "m", "b1")


def test_lanes_must_follow_from_the_tip() -> None:
    monitor = a_monitor(a_street(), a="west")

    with pytest.raises(BrokenRouteError, match=r"does not start at west"):
        monitor.grant(A, lanes("mid", "e"))
    with pytest.raises(BrokenRouteError):
        monitor.grant(A, (LaneId("west>w"), LaneId("mid>e")))


def test_an_unknown_robot_is_refused() -> None:
    with pytest.raises(UnknownTravellerError, match="does not know robot a"):
        a_monitor(a_street()).grant(A, ())


def test_freezing_names_who_is_cut_off_and_thawing_frees_them() -> None:
    monitor = a_monitor(a_street(), a="e/west", b="mid/bay")

    assert monitor.freeze(B) == (A,)
    assert monitor.thaw(B) == ()
    assert monitor.safe_order() == (B, A)


def test_those_not_cut_off_go_on_beside_a_frozen_robot() -> None:
    monitor = a_monitor(a_street(), a="w/west", b="mid/bay", c="e/east")
    monitor.freeze(B)

    assert isinstance(monitor.grant(A, lanes("w", "west")), Granted)
    assert isinstance(monitor.grant(C, lanes("e", "mid")), Refused)
    assert isinstance(monitor.grant(C, lanes("e", "east")), Granted)
    refused = monitor.grant(B, lanes("mid", "e"))
    assert isinstance(refused, Refused)
    assert refused.reason.code == "robot_frozen"


def test_nobody_drives_where_a_robot_that_comes_back_would_find_no_way_home() -> None:
    # b is frozen in the street, so a, which lives beyond it, is cut off whatever it does; but out on the street it
    # would stand between b and b's home, and b between a and a's.
    places = {"ha": (0, 0), "w": (2, 0), "e": (4, 0), "hb": (6, 0), "bay": (4, 2)}
    graph = a_graph(places, ["ha-w", "w-e", "e-hb", "e-bay"])
    monitor = a_monitor(graph, a="bay/ha", b="w/hb")
    assert monitor.freeze(B) == (A,)

    answer = monitor.grant(A, lanes("bay", "e"))

    assert isinstance(answer, Refused)
    assert answer.reason.code == "no_way_home"
    assert monitor.thaw(B) == ()


def test_routes_avoid_others_endpoints_and_what_a_frozen_robot_holds() -> None:
    monitor = a_monitor(a_street(), a="w/west", b="mid/east")

    assert monitor.barred(A).waypoints == {"east"}
    monitor.freeze(B)
    assert monitor.barred(A).waypoints == {"east", "mid"}
    assert set(lanes("w", "mid")) <= monitor.barred(A).lanes


def test_another_endpoint_is_reserved_only_if_everybody_keeps_a_way_home() -> None:
    monitor = a_monitor(a_street(), a="w/west", b="mid/east")

    assert not monitor.retarget(A, WaypointId("east")), "it is b's"
    assert not monitor.retarget(A, WaypointId("mid")), "b stands there"
    assert not monitor.retarget(A, WaypointId("e")), "b could not get home"
    assert monitor.retarget(A, WaypointId("bay"))
    assert monitor.endpoint(A) == "bay"
    assert monitor.safe_order() == (B, A)


def test_a_robot_taken_off_the_lanes_holds_nothing() -> None:
    monitor = a_monitor(a_street(), a="west", b="mid/east")

    monitor.remove(B)

    assert monitor.robots == (A,)
    assert isinstance(monitor.grant(A, lanes("west", "w", "mid")), Granted)


def test_keeping_the_order_refuses_what_would_change_an_earlier_way_home() -> None:
    graph = a_graph({"ha": (0, 2), "m": (0, 0), "d": (2, 0), "hb": (-2, 0)}, ["ha-m", "m-d", "m-hb"])
    monitor = a_monitor(graph, a="ha", b="d/hb")
    assert monitor.bring_forward([B]) == (B,)

    answer = monitor.may_grant(A, lanes("ha", "m"), keeps_order=True)

    assert isinstance(answer, Refused)
    assert (answer.blockers, answer.reason.code) == ((B,), "gives_way")
    assert isinstance(monitor.may_grant(A, lanes("ha", "m")), Granted)


def test_a_closed_lane_is_granted_to_nobody_and_is_on_nobodys_way_home() -> None:
    monitor = a_monitor(a_street(), a="east/west", b="bay")
    closed = Reason("lane_closed", "Closed for cleaning.")

    monitor.close({lanes("mid", "w")[0]: closed})

    assert monitor.cut_off() == (A,)
    assert monitor.grant(A, lanes("east", "e", "mid", "w")) == Refused((), closed)
    monitor.close({})
    assert monitor.cut_off() == ()
    assert isinstance(monitor.grant(A, lanes("east", "e", "mid", "w")), Granted)


def test_lanes_are_taken_back_up_to_where_the_robot_may_stop() -> None:
    monitor = a_monitor(a_street(no_stopping=("w",)), a="west")
    monitor.grant(A, lanes("west", "w", "mid"))
    before = monitor.held(A)

    assert not monitor.retract(A, to=WaypointId("w"), keeping=before)
    assert (monitor.tip(A), monitor.held(A)) == ("mid", before)
    assert monitor.retract(A, to=WaypointId("west"), keeping=())
    assert (monitor.tip(A), monitor.held(A)) == ("west", {"waypoint:west@toy"})


def test_lanes_are_not_taken_back_from_a_robot_that_would_have_no_way_home_then() -> None:
    ring = a_graph({"home": (0, 0), "a": (3, 0), "b": (3, 3), "c": (0, 3)}, ["home>a", "a>b", "b>c", "c>home"])
    monitor = a_monitor(ring, a="home")
    monitor.grant(A, lanes("home", "a", "b", "c"))
    monitor.release_behind(A, at=WaypointId("a"), ahead=lanes("a", "b", "c"))
    before = monitor.held(A)
    monitor.close({lanes("b", "c")[0]: Reason("lane_closed", "Closed for cleaning.")})

    assert not monitor.retract(A, to=WaypointId("a"), keeping=monitor.relation.of_waypoint(TOY, WaypointId("a")))

    assert (monitor.tip(A), monitor.held(A), monitor.cut_off()) == ("c", before, ())


# Out of a cabin by another way ----------------------------------------------------------------------------------------


def a_shaft() -> LaneGraph:
    """A house of its own upstairs; the way up leads through ``cab``, where nobody stops, from ``low`` downstairs."""
    return a_graph(
        {"home": (0, 3), "low": (3, 0), "side": (3, -3), "cab": (3, 3), "up": (6, 3), "bay": (6, -3), "far": (9, -3)},
        ["low-cab", "cab-up", "up-home", "low-side", "far-bay", "bay-side"],
        no_stopping=("cab",),
    )


def a_boarded_robot(**others: str) -> Monitor:
    monitor = a_monitor(a_shaft(), a="low/home", **others)
    assert isinstance(monitor.grant(A, lanes("low", "cab", "up")), Granted)
    monitor.release_behind(A, at=WaypointId("cab"), ahead=lanes("cab", "up"))
    return monitor


def at_cab(monitor: Monitor) -> frozenset[str]:
    return monitor.relation.of_waypoint(TOY, WaypointId("cab"))


def test_a_robot_in_a_cabin_gives_back_the_ride_for_the_way_out_in_one_step() -> None:
    monitor = a_boarded_robot()
    assert not monitor.retract(A, to=WaypointId("cab"), keeping=at_cab(monitor)), "nobody may stop in a cabin"

    answer = monitor.redirect(A, lanes("cab", "low"), to=WaypointId("cab"), keeping=at_cab(monitor))

    assert isinstance(answer, Granted)
    assert monitor.tip(A) == "low"
    assert monitor.held(A) == monitor.relation.of_route(TOY, WaypointId("cab"), lanes("cab", "low"))


def test_it_is_let_out_also_where_it_has_no_way_home_while_the_lift_is_shut() -> None:
    monitor = a_boarded_robot()
    shut = Reason("lift_fire", "Lift cab is on fire duty.")
    monitor.close(dict.fromkeys([lanes("low", "cab")[0], lanes("cab", "up")[0]], shut))

    answer = monitor.redirect(A, lanes("cab", "low"), to=WaypointId("cab"), keeping=at_cab(monitor))

    assert isinstance(answer, Granted)
    assert monitor.cut_off() == (A,)
    monitor.close({})
    assert monitor.cut_off() == ()


def test_it_is_let_out_where_the_cabin_was_taken_to_though_the_graph_has_a_way_home_from_where_it_boarded() -> None:
    monitor = a_monitor(a_shaft(), a="low/side")
    assert isinstance(monitor.grant(A, lanes("low", "cab", "up")), Granted)
    monitor.release_behind(A, at=WaypointId("cab"), ahead=lanes("cab", "up"))
    monitor.close({lanes("up", "cab")[0]: Reason("lift_fire", "Lift cab is on fire duty.")})

    answer = monitor.redirect(A, lanes("cab", "up"), to=WaypointId("cab"), keeping=at_cab(monitor))

    assert isinstance(answer, Granted)
    assert monitor.cut_off() == (A,)
    monitor.close({})
    assert monitor.cut_off() == ()


def test_the_way_out_is_refused_where_another_stands_and_then_nothing_changes() -> None:
    monitor = a_boarded_robot(b="side/far")
    before = (monitor.tip(A), monitor.held(A), monitor.safe_order())

    answer = monitor.redirect(A, lanes("cab", "low", "side"), to=WaypointId("cab"), keeping=at_cab(monitor))

    assert isinstance(answer, Refused)
    assert (answer.blockers, answer.reason.code) == ((B,), "held_by_other")
    assert (monitor.tip(A), monitor.held(A), monitor.safe_order()) == before


def test_a_robot_is_not_let_out_to_where_another_would_lose_its_way_home() -> None:
    graph = a_graph(
        {"home": (0, 3), "cab": (3, 3), "low": (3, 0), "end": (3, -3), "back": (6, 0)},
        ["home-cab", "low-cab", "low-end", "low-back"],
        no_stopping=("cab",),
    )
    monitor = a_monitor(graph, a="cab/home", b="end/back")
    monitor.grant(A, lanes("cab", "home"))
    monitor.close({lanes("cab", "home")[0]: Reason("lift_fire", "Lift cab is on fire duty.")})

    answer = monitor.redirect(A, lanes("cab", "low"), to=WaypointId("cab"), keeping=at_cab(monitor))

    assert isinstance(answer, Refused)
    assert (answer.blockers, answer.reason.code) == ((B,), "no_way_home")
