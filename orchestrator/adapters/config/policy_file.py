"""Policy files (``*.policy.yaml``): what a place has decided."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from orchestrator.adapters.config.checked import FileModel, default_of, read_checked
from orchestrator.adapters.config.site_form import Id
from orchestrator.domain.custody.contacts import Function
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.custody.policy import CustodyPolicy
from orchestrator.domain.custody.tolerance import PERCENT_MAX, Tolerance
from orchestrator.domain.dispatch.policy import DispatchPolicy
from orchestrator.domain.medicine.handling import RULES, HandlingClass
from orchestrator.domain.policies import Policies, SharingLifts, VerificationMoment
from orchestrator.domain.retention.schedule import RecordType
from orchestrator.domain.site.model import PlaceId

Principal = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Contact = Annotated[str, Field(min_length=1, max_length=120)]
Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]
Minutes = Annotated[float, Field(ge=0.0, le=1_440.0)]


class ClassEntry(FileModel):
    """What a handling class asks for beyond what it has to; see `HandlingRule`."""

    loaders: Annotated[int, Field(ge=1, le=2)] | None = None
    receivers: Annotated[int, Field(ge=1, le=2)] | None = None
    is_count_blind: bool | None = None
    needs_check: bool | None = None
    needs_acceptance: bool | None = None
    needs_carriage_approval: bool | None = None


class ToleranceEntry(FileModel):
    """How far the count of a liquid may be from the register: units, and per cent of what the place had; both hold."""

    units: Annotated[int, Field(ge=0, le=10_000)]
    percent: Annotated[int, Field(ge=0, le=PERCENT_MAX)] = default_of(Tolerance, "percent")

    def to_tolerance(self) -> Tolerance:
        """Return it as the domain has it."""
        return Tolerance(self.units, self.percent)


class CustodyEntry(FileModel):
    """The decisions of one place about custody; see `CustodyPolicy`. ``classes`` may only tighten.

    ``tolerances`` are by the smallest unit of liquids; ``tolerances_at`` those of wards and pharmacies that tolerate
    less.
    """

    classes: dict[Annotated[HandlingClass, Field(strict=False)], ClassEntry] = Field(default_factory=dict)
    basis_from: Annotated[HandlingClass, Field(strict=False)] = default_of(CustodyPolicy, "basis_from")
    may_agency_handle_controlled: bool = default_of(CustodyPolicy, "may_agency_handle_controlled")
    may_break_glass: bool = default_of(CustodyPolicy, "may_break_glass")
    controlled_quantity_max: Annotated[int, Field(ge=1)] = default_of(CustodyPolicy, "controlled_quantity_max")
    nobody_answers_s: Annotated[float, Field(ge=1.0, le=86_400.0)] = default_of(CustodyPolicy, "nobody_answers_s")
    return_after_s: Annotated[float, Field(ge=1.0, le=86_400.0)] = default_of(CustodyPolicy, "return_after_s")
    place_unknown_after_s: Annotated[float, Field(ge=1.0, le=86_400.0)] = default_of(
        CustodyPolicy, "place_unknown_after_s"
    )
    retention_years: dict[Annotated[RecordType, Field(strict=False)], Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict[RecordType, int]
    )
    tolerances: dict[str, ToleranceEntry] = Field(default_factory=dict[str, ToleranceEntry])
    tolerances_at: dict[Id, dict[str, ToleranceEntry]] = Field(default_factory=dict[Id, dict[str, ToleranceEntry]])


class DispatchEntry(FileModel):
    """The decisions of one place about late arrivals and runners; see `DispatchPolicy`."""

    has_runners: bool = default_of(DispatchPolicy, "has_runners")
    runner_minutes: Minutes = default_of(DispatchPolicy, "runner_minutes")
    eta_change_minutes: Minutes = default_of(DispatchPolicy, "eta_change_minutes")
    reroute_minutes: Minutes = default_of(DispatchPolicy, "reroute_minutes")
    stop_minutes: Minutes = default_of(DispatchPolicy, "stop_minutes")
    stop_late_minutes: Minutes = default_of(DispatchPolicy, "stop_late_minutes")
    withdrawn_rest_minutes: Minutes = default_of(DispatchPolicy, "withdrawn_rest_minutes")


class PolicyFile(FileModel):
    """The decisions of one place; see `Policies` for what each means. Left-out values are its defaults."""

    policy: Id
    verification: Annotated[VerificationMoment, Field(strict=False)] = default_of(Policies, "verification")
    wait_before_priority_s: Seconds = default_of(Policies, "wait_before_priority_s")
    receiver_wait_s: Seconds = default_of(Policies, "receiver_wait_s")
    may_end_fire: list[Principal] = Field(default_factory=list[Principal])
    may_end_crash_call: list[Principal] = Field(default_factory=list[Principal])
    silent_panel_holds: bool = default_of(Policies, "silent_panel_holds")
    share_lift: Annotated[SharingLifts, Field(strict=False)] = default_of(Policies, "share_lift")
    clock_skew_max_s: Annotated[float, Field(ge=2.0, le=86_400.0)] = default_of(Policies, "clock_skew_max_s")
    own_devices: list[Principal] = Field(default_factory=list[Principal])
    ledger_mode: Annotated[LedgerMode, Field(strict=False)] = default_of(Policies, "ledger_mode")
    custody: CustodyEntry = Field(default_factory=CustodyEntry)
    contacts: dict[Annotated[Function, Field(strict=False)], Contact] = Field(default_factory=dict[Function, Contact])
    dispatch: DispatchEntry = Field(default_factory=DispatchEntry)


def load_policies(path: Path) -> Policies:
    """Return the policies that a file states.

    Raises
    ------
    ConfigFileError
        The file is malformed; each complaint names its line.
    LooserThanAllowedError
        It asks for less than a handling class has to, or a place tolerates more than the house.
    ToleranceError
        It tolerates differences of what is no volume.
    """
    entry, _ = read_checked(path, PolicyFile)
    said = entry.model_dump(
        exclude={"policy", "may_end_fire", "may_end_crash_call", "own_devices", "custody", "contacts", "dispatch"}
    )
    return Policies(
        id=entry.policy,
        may_end_fire=tuple(entry.may_end_fire),
        may_end_crash_call=tuple(entry.may_end_crash_call),
        own_devices=tuple(entry.own_devices),
        custody=replace(_custody(entry.custody), contacts=entry.contacts),
        dispatch=DispatchPolicy(**entry.dispatch.model_dump()),
        **said,
    )


def _custody(entry: CustodyEntry) -> CustodyPolicy:
    rules = dict(RULES)
    for handling_class, said in entry.classes.items():
        rules[handling_class] = replace(rules[handling_class], **said.model_dump(exclude_none=True))
    return CustodyPolicy(
        rules=rules,
        tolerances=_tolerances(entry.tolerances),
        tolerances_at={PlaceId(place): _tolerances(said) for place, said in entry.tolerances_at.items()},
        **entry.model_dump(exclude={"classes", "tolerances", "tolerances_at"}),
    )


def _tolerances(said: dict[str, ToleranceEntry]) -> dict[str, Tolerance]:
    return {unit: tolerance.to_tolerance() for unit, tolerance in said.items()}
