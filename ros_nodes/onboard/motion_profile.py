"""Trapezoidal motion in closed form: phases of constant acceleration over the pieces of a path.

A plan is computed once, when the path changes; asking where the robot is at some time only evaluates it. So the
answer does not depend on how often anybody asks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ros_nodes.onboard.path_geometry import Piece, Straight

_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class MotionLimits:
    """How fast a robot may drive and turn: m/s, m/s², rad/s, rad/s². Braking uses the same acceleration."""

    speed_max_m_s: float
    acceleration_m_s2: float
    turn_speed_max_rad_s: float
    turn_acceleration_rad_s2: float


@dataclass(frozen=True, slots=True)
class Phase:
    """Constant acceleration on one piece.

    ``at`` and ``rate`` are distance and speed at the start (metres on a straight, radians in a turn); ``driven_m``
    is the distance driven before the phase.
    """

    starts_s: float
    ends_s: float
    piece: int
    at: float
    rate: float
    acceleration: float
    driven_m: float

    def at_time(self, time_s: float) -> tuple[float, float]:
        """Return distance on the piece and speed at ``time_s``."""
        elapsed = time_s - self.starts_s
        return (
            self.at + self.rate * elapsed + 0.5 * self.acceleration * elapsed * elapsed,
            max(0.0, self.rate + self.acceleration * elapsed),
        )


@dataclass(frozen=True, slots=True)
class Stand:
    """A state between phases: time, piece, distance on it, speed, metres driven so far."""

    time_s: float
    piece: int
    at: float
    rate: float
    driven_m: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Phases in time order, when each path point is reached, and the state after the last phase."""

    phases: tuple[Phase, ...]
    reached: tuple[tuple[float, int], ...]
    end: Stand


def plan_to_end(pieces: Sequence[Piece], start: Stand, limits: MotionLimits) -> Plan:
    """Plan the fastest motion within the limits from ``start`` to a standstill at the end of the last piece.

    Parameters
    ----------
    pieces : sequence of Straight or Turn
        The whole path.
    start : Stand
        Present state; its speed must allow to stop in time, which holds when the path only ever grew.
    limits : MotionLimits
        Limits of the robot; each straight has its own speed cap.
    """
    exits = _exit_speeds(pieces, start.piece, limits.acceleration_m_s2)
    phases: list[Phase] = []
    reached: list[tuple[float, int]] = []
    state = start
    for index in range(start.piece, len(pieces)):
        piece = pieces[index]
        if isinstance(piece, Straight):
            cap, acceleration, length = piece.cap_m_s, limits.acceleration_m_s2, piece.length_m
        else:
            cap, acceleration = limits.turn_speed_max_rad_s, limits.turn_acceleration_rad_s2
            length = abs(piece.angle_rad)
        state = _cover(
            phases, state, length, cap, exits[index - start.piece], acceleration, isinstance(piece, Straight)
        )
        if piece.point is not None:
            reached.append((state.time_s, piece.point))
        if index + 1 < len(pieces):
            state = Stand(state.time_s, index + 1, 0.0, state.rate, state.driven_m)
    return Plan(tuple(phases), tuple(reached), state)


def plan_braking(pieces: Sequence[Piece], start: Stand, limits: MotionLimits) -> Plan:
    """Plan the shortest stop within the limits, along the path; it never needs more path than there is."""
    phases: list[Phase] = []
    reached: list[tuple[float, int]] = []
    state = start
    while state.rate > _NOTHING:
        piece = pieces[state.piece]
        is_straight = isinstance(piece, Straight)
        deceleration = limits.acceleration_m_s2 if is_straight else limits.turn_acceleration_rad_s2
        length = piece.length_m if isinstance(piece, Straight) else abs(piece.angle_rad)
        rest = max(0.0, length - state.at)
        needed = state.rate * state.rate / (2.0 * deceleration)
        leaves = needed > rest + _NOTHING and isinstance(piece, Straight) and state.piece + 1 < len(pieces)
        way = rest if leaves else min(needed, rest)
        exit_rate = math.sqrt(max(0.0, state.rate * state.rate - 2.0 * deceleration * way)) if leaves else 0.0
        state = _ramp(phases, state, way, exit_rate, is_straight)
        if piece.point is not None and way >= rest - _NOTHING:
            reached.append((state.time_s, piece.point))
            leaves = leaves or state.piece + 1 < len(pieces)
        if leaves:
            state = Stand(state.time_s, state.piece + 1, 0.0, state.rate, state.driven_m)
    return Plan(tuple(phases), tuple(reached), state)


def _exit_speeds(pieces: Sequence[Piece], first: int, acceleration: float) -> list[float]:
    """Highest speed at the end of each piece from ``first`` on that still lets every later cap and stop be met."""
    exits = [0.0]
    following = [*pieces[first:]]
    for before, after in reversed([*pairwise(following)]):
        if not isinstance(before, Straight) or not isinstance(after, Straight):
            exits.append(0.0)
            continue
        braking = math.sqrt(exits[-1] ** 2 + 2.0 * acceleration * after.length_m)
        exits.append(min(before.cap_m_s, after.cap_m_s, braking))
    exits.reverse()
    return exits


def _cover(
    phases: list[Phase], state: Stand, length: float, cap: float, exit_rate: float, acceleration: float, drives: bool
) -> Stand:
    """Append the phases that cover the rest of one piece and return the state at its end."""
    rest = max(0.0, length - state.at)
    leaving = min(exit_rate, cap, math.sqrt(state.rate * state.rate + 2.0 * acceleration * rest))
    peak = math.sqrt(max(0.0, 0.5 * (2.0 * acceleration * rest + state.rate**2 + leaving**2)))
    peak = max(min(peak, cap), state.rate, leaving)
    speeding_up = min(rest, (peak * peak - state.rate * state.rate) / (2.0 * acceleration))
    slowing_down = min(rest - speeding_up, max(0.0, (peak * peak - leaving * leaving) / (2.0 * acceleration)))
    state = _ramp(phases, state, speeding_up, peak, drives)
    state = _ramp(phases, state, rest - speeding_up - slowing_down, peak, drives)
    state = _ramp(phases, state, slowing_down, leaving, drives)
    # Snap to the exact end, so that rounding never adds up along a path.
    return Stand(state.time_s, state.piece, length, leaving, state.driven_m)


def _ramp(phases: list[Phase], state: Stand, way: float, exit_rate: float, drives: bool) -> Stand:
    """Append one phase of constant acceleration over ``way`` and return the state after it."""
    mean = 0.5 * (state.rate + exit_rate)
    if way <= _NOTHING or mean <= _NOTHING:
        return Stand(state.time_s, state.piece, state.at, exit_rate, state.driven_m)
    duration = way / mean
    ends = state.time_s + duration
    driven = state.driven_m + (way if drives else 0.0)
    change = (exit_rate - state.rate) / duration
    phases.append(Phase(state.time_s, ends, state.piece, state.at, state.rate, change, state.driven_m))
    return Stand(ends, state.piece, state.at + way, exit_rate, driven)
