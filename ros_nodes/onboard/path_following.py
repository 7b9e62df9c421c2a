"""Follow a path with trapezoidal speed, turning in place at sharp corners; exact and analytic.

Runs in the kinematic driver and, on a virtual clock, in virtual robots: nothing here reads a clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ros_nodes.onboard.motion_profile import MotionLimits, Plan, Stand, plan_braking, plan_to_end
from ros_nodes.onboard.path_geometry import PathPoint, Piece, Pose, Straight, pieces_between


class PathFollower:
    """Drive from a pose through points, stopping exactly at the last one unless more points come in time.

    Time is handed in and only grows. Between two changes of the path everything is evaluated in closed form, so
    results do not depend on how an interval is split into steps. One owner, no threads.

    Parameters
    ----------
    limits : MotionLimits
        What the robot can do.
    pose : Pose
        Where it stands.
    time_s : float
        Present time in seconds.
    relocation_s : float
        How long it takes, in seconds, to find itself where it is told that it stands.
    """

    def __init__(self, limits: MotionLimits, pose: Pose, *, time_s: float = 0.0, relocation_s: float = 0.0) -> None:
        self._limits = limits
        self.relocation_s = relocation_s
        self._relocating: tuple[Pose, float] | None = None
        self._time_s = time_s
        self._resting = pose
        self._pieces: list[Piece] = []
        self._points = 0
        self._reached = 0
        self._is_paused = False
        self._is_stopping = False
        self._plan = Plan((), (), Stand(time_s, 0, 0.0, 0.0, 0.0))
        self._phase = 0
        self._now = self._plan.end
        self._pose = pose

    @property
    def time_s(self) -> float:
        """The time this follower has been advanced to, in seconds."""
        return self._time_s

    @property
    def pose(self) -> Pose:
        """Where the robot is."""
        return self._pose

    @property
    def speed_m_s(self) -> float:
        """Forward speed in m/s, never negative."""
        return self._now.rate if self._is_on_straight else 0.0

    @property
    def turn_speed_rad_s(self) -> float:
        """Speed of a turn in place in rad/s, counter-clockwise positive."""
        if self._now.piece >= len(self._pieces):
            return 0.0
        piece = self._pieces[self._now.piece]
        if isinstance(piece, Straight):
            return self._now.rate * piece.swing_rad / piece.length_m if piece.length_m > 0.0 else 0.0
        return self._now.rate if piece.angle_rad > 0.0 else -self._now.rate

    @property
    def distance_m(self) -> float:
        """Metres driven since this follower was made."""
        return self._now.driven_m

    @property
    def points_reached(self) -> int:
        """How many points of the present path have been reached, counted from the last `follow`."""
        return self._reached

    @property
    def points_given(self) -> int:
        """How many points the present path has."""
        return self._points

    @property
    def is_stopped(self) -> bool:
        """Whether nothing moves now and nothing will until the next call."""
        return self._phase >= len(self._plan.phases)

    @property
    def is_fresh(self) -> bool:
        """True: what moves and what says so are one."""
        return True

    @property
    def is_paused(self) -> bool:
        """Whether the robot was told to hold."""
        return self._is_paused

    @property
    def next_event_s(self) -> float | None:
        """When a point is reached, or the robot comes to rest or finds itself (seconds, absolute); None if never."""
        index = bisect_left(self._plan.reached, (self._time_s, self._points))
        coming = [time for time, _ in self._plan.reached[index : index + 1] if time > self._time_s]
        if not self.is_stopped:
            coming.append(self._plan.end.time_s)
        if self._relocating is not None:
            coming.append(self._relocating[1])
        return min(coming, default=None)

    def time_to_next_event(self) -> float | None:
        """Return the seconds until the next point is reached or the robot rests; None while standing."""
        event = self.next_event_s
        return None if event is None else event - self._time_s

    def follow(self, points: Sequence[PathPoint]) -> None:
        """Start on a new path from where the robot stands; call only while it is stopped.

        Raises
        ------
        RuntimeError
            The robot is still moving: `stop` first and wait for `is_stopped`.
        """
        if not self.is_stopped:
            raise RuntimeError("a new path was given while driving; stop first, or extend the present path")
        self._rest()
        self._points = self._reached = 0
        self.extend(points)

    def extend(self, points: Sequence[PathPoint]) -> None:
        """Append points to the path; the robot does not slow down if they come before it has to brake.

        Raises
        ------
        RuntimeError
            The path is being dropped after `stop`.
        """
        if self._is_stopping:
            raise RuntimeError("a path was extended that is being dropped; wait for is_stopped, then follow")
        start = self._end_of_path()
        if self._now.piece > 0 and not self._is_paused:
            self._forget_driven()
        self._pieces.extend(
            pieces_between(
                start,
                points,
                first_index=self._points,
                speed_max_m_s=self._limits.speed_max_m_s,
                turn_speed_max_rad_s=self._limits.turn_speed_max_rad_s,
            )
        )
        self._points += len(points)
        if not self._is_paused:
            self._replan()

    def stop(self) -> None:
        """Brake at the limit and drop the rest of the path."""
        self._plan = plan_braking(self._pieces, self._now, self._limits)
        self._phase = 0
        self._is_stopping = True
        self._settle()

    def pause(self) -> None:
        """Brake at the limit and hold, keeping the path."""
        if self._is_paused:
            return
        self._is_paused = True
        if not self._is_stopping:
            self._plan = plan_braking(self._pieces, self._now, self._limits)
            self._phase = 0
            self._settle()

    def relocate(self, pose: Pose) -> None:
        """Stand at another pose, as where a lift has brought it, from now on or when it has found itself there.

        Raises
        ------
        RuntimeError
            The robot is still moving.
        """
        if not self.is_stopped:
            raise RuntimeError("a pose was given while driving; stop first")
        self._relocating = (pose, self._time_s + self.relocation_s)
        self._take_up_pose()

    def _take_up_pose(self) -> None:
        if self._relocating is not None and self._time_s >= self._relocating[1]:
            self._rest()
            self._resting = self._pose = self._relocating[0]
            self._relocating = None

    def resume(self) -> None:
        """Drive on after `pause`."""
        if not self._is_paused:
            return
        self._is_paused = False
        if not self._is_stopping:
            self._replan()

    def step(self, dt_s: float) -> None:
        """Advance by ``dt_s`` seconds."""
        self.advance_to(self._time_s + dt_s)

    def advance_to(self, time_s: float) -> None:
        """Move on to ``time_s`` (seconds); earlier times change nothing."""
        if time_s <= self._time_s:
            return
        self._time_s = time_s
        if self.is_stopped and not self._is_stopping:
            self._now = Stand(time_s, self._now.piece, self._now.at, 0.0, self._now.driven_m)
        else:
            self._settle()
        self._take_up_pose()

    @property
    def _is_on_straight(self) -> bool:
        return self._now.piece < len(self._pieces) and isinstance(self._pieces[self._now.piece], Straight)

    def _settle(self) -> None:
        """Evaluate the plan at the present time."""
        phases = self._plan.phases
        self._phase = min(self._phase, len(phases))
        while self._phase < len(phases) and phases[self._phase].ends_s <= self._time_s:
            self._phase += 1
        for time_s, point in self._plan.reached:
            if time_s > self._time_s:
                break
            self._reached = max(self._reached, point + 1)
        if self._phase == len(phases):
            end = self._plan.end
            self._now = Stand(self._time_s, end.piece, end.at, 0.0, end.driven_m)
        else:
            phase = phases[self._phase]
            at, rate = phase.at_time(self._time_s)
            drives = isinstance(self._pieces[phase.piece], Straight)
            driven = phase.driven_m + (at - phase.at if drives else 0.0)
            self._now = Stand(self._time_s, phase.piece, at, rate, driven)
        if self._pieces:
            self._pose = self._pieces[self._now.piece].pose_at(self._now.at)
        if self._is_stopping and self.is_stopped:
            self._rest()

    def _replan(self) -> None:
        if self._pieces:
            self._plan = plan_to_end(self._pieces, self._now, self._limits)
            self._phase = 0
            self._settle()

    def _rest(self) -> None:
        """Keep only the place: drop what was driven and what is left."""
        self._resting = self._pose
        self._pieces = []
        self._now = Stand(self._time_s, 0, 0.0, 0.0, self._now.driven_m)
        self._plan = Plan((), (), self._now)
        self._phase = 0
        self._is_stopping = False

    def _forget_driven(self) -> None:
        """Drop pieces that lie behind, so that a long order does not grow without end."""
        del self._pieces[: self._now.piece]
        self._now = Stand(self._now.time_s, 0, self._now.at, self._now.rate, self._now.driven_m)

    def _end_of_path(self) -> Pose:
        if not self._pieces:
            return self._resting
        last = self._pieces[-1]
        return last.pose_at(last.length_m if isinstance(last, Straight) else abs(last.angle_rad))
