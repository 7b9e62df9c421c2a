from __future__ import annotations

from itertools import pairwise

from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import LaneGraph, LaneId, WaypointId
from orchestrator.domain.traffic.coordination import Advance, Divert, Resume, Traveller, Wait, decide
from tests.support.traffic_world import a_graph, a_monitor, enter

A, B, C = RobotId("a"), RobotId("b"), RobotId("c")


def a_street() -> LaneGraph:
    """A street of five places, a home beside each of the outer two, and an island that no lane leads to."""
    places = {f"s{i}": (2.0 * i, 0.0) for i in range(5)} | {"ha": (0.0, 2.0), "hb": (8.0, 2.0), "island": (20.0, 20.0)}
    return a_graph(places, ["s0-s1", "s1-s2", "s2-s3", "s3-s4", "s0-ha", "s4-hb"])


def lanes(*waypoints: str) -> tuple[LaneId, ...]:
    return tuple(LaneId(f"{start}>{end}") for start, end in pairwise(waypoints))


def a_traveller(
    robot: RobotId,
    *waypoints: str,
    target: str | None = None,
    lookahead_m: float = 1.0,
    since_s: float = 0.0,
    waiting_since_s: float | None = None,
    is_standing_for_people: bool = False,
    is_frozen: bool = False,
    is_diverted: bool = False,
) -> Traveller:
    return Traveller(
        robot=robot,
        route=lanes(*waypoints),
        target=WaypointId(target or waypoints[-1]),
        lookahead_m=lookahead_m,
        wanted_since_s=since_s,
        waiting_since_s=waiting_since_s,
        is_standing_for_people=is_standing_for_people,
        is_frozen=is_frozen,
        is_diverted=is_diverted,
    )


def test_a_robot_is_granted_as_far_as_it_looks_ahead() -> None:
    monitor = a_monitor(a_street(), a="ha/ha")

    decisions = decide(monitor, [a_traveller(A, "ha", "s0", "s1", "s2", lookahead_m=3.0)], at_s=0.0, patience_s=10.0)

    assert decisions == [Advance(A, lanes("ha", "s0", "s1"))]
    assert monitor.tip(A) == "s1"


def test_nothing_is_granted_to_one_that_wants_nothing_now() -> None:
    monitor = a_monitor(a_street(), a="ha/ha")

    assert decide(monitor, [a_traveller(A, "ha", "s0", lookahead_m=0.0)], at_s=0.0, patience_s=10.0) == []
    assert decide(monitor, [a_traveller(A, target="ha")], at_s=0.0, patience_s=10.0) == []


def test_a_robot_without_a_route_is_told_so() -> None:
    monitor = a_monitor(a_street(), a="ha/ha")

    (decision,) = decide(monitor, [a_traveller(A, target="s4")], at_s=0.0, patience_s=10.0)

    assert isinstance(decision, Wait)
    assert [reason.code for reason in decision.reasons] == ["no_route"]
    assert "s4" in decision.reasons[0].sentence


def test_who_has_wanted_its_target_longest_is_served_first() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s3/hb")
    travellers = [a_traveller(A, "s1", "s2", since_s=5.0), a_traveller(B, "s3", "s2", since_s=1.0)]

    decisions = decide(monitor, travellers, at_s=9.0, patience_s=10.0)

    assert decisions[0] == Advance(B, lanes("s3", "s2"))
    assert isinstance(decisions[1], Wait)


def head_on(*, waiting_since_s: float | None) -> list[Traveller]:
    return [
        a_traveller(A, "s1", "s2", "s3", "s4", since_s=1.0, waiting_since_s=waiting_since_s),
        a_traveller(B, "s2", "s1", "s0", since_s=2.0, waiting_since_s=waiting_since_s),
    ]


def test_two_that_meet_wait_at_first() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s2/hb")

    decisions = decide(monitor, head_on(waiting_since_s=10.0), at_s=15.0, patience_s=10.0)

    assert [type(decision) for decision in decisions] == [Wait, Wait]
    assert monitor.precedence is None


def test_after_the_patience_the_younger_one_goes_home_and_the_older_one_follows() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s2/hb")

    first = decide(monitor, head_on(waiting_since_s=10.0), at_s=21.0, patience_s=10.0)

    diverted = [decision for decision in first if isinstance(decision, Divert)]
    assert [(d.robot, d.towards, d.lanes) for d in diverted] == [(B, "hb", lanes("s2", "s3", "s4", "hb"))]
    assert A in diverted[0].reason.sentence
    home = a_traveller(
        B, "s2", "s3", "s4", "hb", target="s0", since_s=2.0, waiting_since_s=10.0, is_diverted=True, lookahead_m=9.0
    )
    then = decide(monitor, [head_on(waiting_since_s=10.0)[0], home], at_s=21.0, patience_s=10.0)
    assert then[0] == Advance(B, lanes("s2", "s3", "s4", "hb"))


def test_precedence_lasts_while_it_drives_and_keeps_younger_robots_off_its_claim() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s2/hb")
    decide(monitor, head_on(waiting_since_s=10.0), at_s=21.0, patience_s=10.0)
    enter(monitor, B, "hb")
    moving = a_traveller(A, "s1", "s2", "s3", "s4", since_s=1.0)
    newcomer = a_traveller(B, "hb", "s4", "s3", since_s=2.0)

    decisions = decide(monitor, [moving, newcomer], at_s=22.0, patience_s=10.0)

    assert decisions[0] == Advance(A, lanes("s1", "s2"))
    assert isinstance(decisions[1], Wait)
    assert decisions[1].reasons[0].code == "gives_way"


def test_one_that_diverted_resumes_when_precedence_is_over() -> None:
    monitor = a_monitor(a_street(), b="hb/hb")
    waiting = a_traveller(B, target="s0", since_s=2.0, is_diverted=True)

    assert decide(monitor, [waiting], at_s=50.0, patience_s=10.0) == [Resume(B, None)]


def test_a_robot_that_people_see_to_is_left_alone_and_waited_for() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s2/hb")
    travellers = [
        a_traveller(A, "s1", "s2", since_s=1.0, waiting_since_s=10.0),
        a_traveller(B, target="s2", since_s=2.0, is_standing_for_people=True),
    ]

    decisions = decide(monitor, travellers, at_s=100.0, patience_s=10.0)

    assert [decision.robot for decision in decisions] == [A]
    assert isinstance(decisions[0], Wait)


def test_one_that_encloses_another_backs_up_itself() -> None:
    # b stands in the dead end that a wants to, and lives where a comes from.
    graph = a_graph(
        {"ha": (0, 2), "hb": (0, -2), "m": (0, 0), "d": (2, 0), "end": (4, 0)}, ["ha-m", "hb-m", "m-d", "d-end"]
    )
    monitor = a_monitor(graph, a="d/ha", b="end/hb")
    travellers = [
        a_traveller(A, "d", "end", since_s=1.0, waiting_since_s=10.0),
        a_traveller(B, "end", "d", "m", since_s=2.0, waiting_since_s=10.0),
    ]

    decisions = decide(monitor, travellers, at_s=21.0, patience_s=10.0)

    assert [(type(d), d.robot) for d in decisions] == [(Divert, A), (Divert, B)]
    assert isinstance(decisions[0], Divert)
    assert decisions[0].reason.code == "backs_up"


def test_a_route_barred_by_a_frozen_robot_gives_no_precedence() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s2/hb")
    monitor.freeze(B)
    travellers = [
        a_traveller(A, "s1", "s2", "s3", since_s=1.0, waiting_since_s=10.0),
        a_traveller(B, "s2", "s1", since_s=2.0, is_frozen=True),
    ]

    decisions = decide(monitor, travellers, at_s=100.0, patience_s=10.0)

    assert [decision.robot for decision in decisions] == [A]
    assert isinstance(decisions[0], Wait)
    assert decisions[0].reasons[0].code == "held_by_other"
    assert monitor.precedence is None


def test_a_robot_without_a_route_does_not_keep_others_from_precedence() -> None:
    monitor = a_monitor(a_street(), a="s1/ha", b="s2/hb", c="island/island")
    lost = a_traveller(C, target="ha", since_s=0.0, waiting_since_s=10.0)

    decisions = decide(monitor, [*head_on(waiting_since_s=10.0), lost], at_s=100.0, patience_s=10.0)

    assert monitor.precedence is not None
    assert monitor.precedence.robot == A
    assert [decision.robot for decision in decisions if isinstance(decision, Wait)] == [C, A]


def test_the_order_in_which_travellers_are_handed_in_does_not_matter() -> None:
    one = a_monitor(a_street(), a="s1/ha", b="s2/hb")
    other = a_monitor(a_street(), b="s2/hb", a="s1/ha")
    travellers = head_on(waiting_since_s=10.0)

    forward = decide(one, travellers, at_s=21.0, patience_s=10.0)
    backward = decide(other, travellers[::-1], at_s=21.0, patience_s=10.0)

    assert forward == backward
