"""Policy files (``*.policy.yaml``): what a place has decided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from orchestrator.adapters.config.checked import FileModel, default_of, read_checked
from orchestrator.adapters.config.site_form import Id
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.policies import Policies, VerificationMoment

Principal = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]


class PolicyFile(FileModel):
    """The decisions of one place; see `Policies` for what each means. Left-out values are its defaults."""

    policy: Id
    verification: Annotated[VerificationMoment, Field(strict=False)] = default_of(Policies, "verification")
    wait_before_priority_s: Seconds = default_of(Policies, "wait_before_priority_s")
    receiver_wait_s: Seconds = default_of(Policies, "receiver_wait_s")
    runner_walk_s: Seconds = default_of(Policies, "runner_walk_s")
    may_end_fire: list[Principal] = Field(default_factory=list[Principal])
    may_end_crash_call: list[Principal] = Field(default_factory=list[Principal])
    silent_panel_holds: bool = default_of(Policies, "silent_panel_holds")
    own_devices: list[Principal] = Field(default_factory=list[Principal])
    ledger_mode: Annotated[LedgerMode, Field(strict=False)] = default_of(Policies, "ledger_mode")


def load_policies(path: Path) -> Policies:
    """Return the policies that a file states.

    Raises
    ------
    ConfigFileError
        The file is malformed; each complaint names its line.
    """
    entry, _ = read_checked(path, PolicyFile)
    said = entry.model_dump(exclude={"policy", "may_end_fire", "may_end_crash_call", "own_devices"})
    return Policies(
        id=entry.policy,
        may_end_fire=tuple(entry.may_end_fire),
        may_end_crash_call=tuple(entry.may_end_crash_call),
        own_devices=tuple(entry.own_devices),
        **said,
    )
