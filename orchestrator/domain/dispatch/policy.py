"""What a place has decided about dispatch: whether people may run with what a robot would bring too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class DispatchPolicy:
    """Decisions of one place about arrivals. Times in minutes, of people's time.

    Parameters
    ----------
    has_runners : bool
        Whether somebody can be asked to carry what a robot would bring too late; else the nurse in charge is told.
    runner_minutes : float
        What a person needs from the call to the nurse's hand, from the pharmacy to any ward.
    eta_change_minutes : float
        By how much an expected arrival has to change until people are told, where the delivery is critical.
    reroute_minutes : float
        How long another ward has to accept what goes to a patient who has moved there, until it goes back for good.
    stop_minutes, stop_late_minutes : float
        What people need at a stop to load or receive: as a rule, and at most in 95 of 100 cases. A place measures its
        own; as shipped they are assumed.
    withdrawn_rest_minutes : float
        For how long a robot that people withdrew from a delivery is not given it again while another one can fetch it.
    """

    has_runners: bool = True
    runner_minutes: float = 5.0
    eta_change_minutes: float = 3.0
    reroute_minutes: float = 15.0
    stop_minutes: float = 2.0
    stop_late_minutes: float = 8.0
    withdrawn_rest_minutes: float = 10.0

    @property
    def runner_time(self) -> timedelta:
        """What a runner needs."""
        return timedelta(minutes=self.runner_minutes)

    @property
    def withdrawn_rest(self) -> timedelta:
        """How long a withdrawn robot keeps off what it was withdrawn from."""
        return timedelta(minutes=self.withdrawn_rest_minutes)

    @property
    def eta_change(self) -> timedelta:
        """The change of an expected arrival from which on people are told."""
        return timedelta(minutes=self.eta_change_minutes)
