"""The hazard log as data (``docs/safety/hazard-log.yaml``): what may harm, what controls it, which tests show so.

The form follows DCB0129: severity and likelihood give a risk of 1 to 5 by the matrix of NHS Digital's guidance, before
and after controls. A control of the product names the tests that fail when it is gone; what a hospital has to do itself
(DCB0160) is named as such and shows nothing. `orchestrator.adapters.config.hazard_papers` writes the papers.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from orchestrator.adapters.config.checked import FileModel, read_checked
from orchestrator.adapters.config.source import Complaint, ConfigFileError, Source


class Severity(StrEnum):
    """How bad the worst credible harm is."""

    MINOR = "minor"
    SIGNIFICANT = "significant"
    CONSIDERABLE = "considerable"
    MAJOR = "major"
    CATASTROPHIC = "catastrophic"


class Likelihood(StrEnum):
    """How often harm of that severity is to be expected."""

    VERY_LOW = "very_low"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


class Status(StrEnum):
    """How far it is with a hazard: controls are missing, or they are there, or they are there and partly elsewhere."""

    OPEN = "open"
    CONTROLLED = "controlled"
    SHARED = "shared"


_RISKS = {
    Likelihood.VERY_LOW: (1, 1, 2, 2, 3),
    Likelihood.LOW: (1, 2, 2, 3, 4),
    Likelihood.MEDIUM: (2, 2, 3, 3, 4),
    Likelihood.HIGH: (2, 3, 3, 4, 5),
    Likelihood.VERY_HIGH: (3, 4, 4, 5, 5),
}
ACCEPTABLE = 2
"""The largest risk that stands without a clinical safety officer's word on it."""

Text = Annotated[str, Field(min_length=5, max_length=1_000)]
TestId = Annotated[str, Field(pattern=r"^tests/[A-Za-z0-9_/]+\.py(::[A-Za-z0-9_]+){1,2}$")]


class Rating(FileModel):
    """Severity and likelihood of a harm."""

    severity: Annotated[Severity, Field(strict=False)]
    likelihood: Annotated[Likelihood, Field(strict=False)]

    @property
    def risk(self) -> int:
        """The risk, 1 (least) to 5."""
        return _RISKS[self.likelihood][list(Severity).index(self.severity)]


class Control(FileModel):
    """What keeps a hazard from harming. Of the product, it names its tests; of the hospital, it says what to do."""

    what: Text
    tests: list[TestId] = Field(default_factory=list[TestId])
    by_hospital: bool = False


class Hazard(FileModel):
    """One hazard, from its cause to the risk that is left."""

    id: Annotated[str, Field(pattern=r"^H[0-9]{2,3}$")]
    hazard: Text
    cause: Text
    effect: Text
    initial: Rating
    controls: Annotated[list[Control], Field(min_length=1)]
    residual: Rating
    status: Annotated[Status, Field(strict=False)]
    open_points: Text | None = None
    owner: Annotated[str, Field(min_length=3, max_length=80)]


class HazardLog(FileModel):
    """Every hazard, in the order of ids."""

    hazards: Annotated[list[Hazard], Field(min_length=1)]


def load_hazard_log(path: Path) -> HazardLog:
    """Return the hazard log of a file.

    Raises
    ------
    ConfigFileError
        It is not as expected; each complaint names its line.
    """
    log, source = read_checked(path, HazardLog)
    complaints = sorted(_complaints(log, source), key=lambda complaint: complaint.line)
    if complaints:
        raise ConfigFileError(path, complaints)
    return log


def _complaints(log: HazardLog, source: Source) -> Iterator[Complaint]:
    before = ""
    for number, hazard in enumerate(log.hazards):
        line = source.line_of(("hazards", number))
        if hazard.id <= before:
            yield Complaint(line, f"{hazard.id} does not come after {before}.", "Give ids once, and in order.")
        before = hazard.id
        for control in hazard.controls:
            if control.by_hospital == bool(control.tests):
                sentence = f"{hazard.id}: a control names tests, or is the hospital's, and never both."
                yield Complaint(line, sentence, "Name the test that fails without it.")
        if not any(control.tests for control in hazard.controls):
            yield Complaint(line, f"{hazard.id} has no control with a test.", "Name one, or build one.")
        if hazard.residual.risk > hazard.initial.risk:
            yield Complaint(line, f"{hazard.id}: the residual risk is larger than the initial one.", "Rate it anew.")
        if (hazard.status is Status.OPEN) != (hazard.open_points is not None):
            yield Complaint(line, f"{hazard.id}: open_points go with the status open.", "Say what is missing.")
