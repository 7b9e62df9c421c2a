"""The safety papers, drafted from the hazard log.

``python -m orchestrator.adapters.config.hazard_papers`` rewrites them.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from orchestrator.adapters.config.hazard_log import (
    ACCEPTABLE,
    Control,
    Hazard,
    HazardLog,
    Likelihood,
    Rating,
    Severity,
    Status,
    load_hazard_log,
)

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "safety"
SOURCE = "hazard-log.yaml"

NOT_FOR_USE = (
    "**Draft. Not for clinical use.** No clinical safety officer has signed this. It is not a medical device "
    "determination, and no statement of conformity with DCB0129 or DCB0160."
)
MADE_FROM = """Made from [hazard-log.yaml](hazard-log.yaml) by
`python -m orchestrator.adapters.config.hazard_papers`; change that file."""


def paper_texts(log: HazardLog) -> dict[str, str]:
    """Return the text of every paper by its file name."""
    return {
        "hazard-log.md": _hazard_log(log),
        "clinical-risk-management-plan.md": _plan(log),
        "clinical-safety-case.md": _safety_case(log),
    }


def _hazard_log(log: HazardLog) -> str:
    rows = [
        f"| [{one.id}](#{one.id.lower()}) | {_cell(one.hazard)} | {one.initial.risk} | {one.residual.risk} | "
        f"{one.status.value} | {one.owner} |"
        for one in log.hazards
    ]
    parts = [
        "# Hazard log",
        NOT_FOR_USE,
        MADE_FROM,
        "Risk is 1 (least) to 5, before and after controls.",
        "\n".join(("| id | hazard | before | after | status | owner |", "|---|---|---|---|---|---|", *rows)),
        *(_hazard(one) for one in log.hazards),
    ]
    return "\n\n".join(parts) + "\n"


def _hazard(one: Hazard) -> str:
    lines = [
        f"## {one.id}",
        "",
        f"**Hazard.** {_text(one.hazard)}",
        "",
        f"**Cause.** {_text(one.cause)}",
        "",
        f"**Effect.** {_text(one.effect)}",
        "",
        f"**Before controls.** {_rated(one.initial)}",
        "",
        "**Controls.**",
        "",
        *(_control(control) for control in one.controls),
        "",
        f"**After controls.** {_rated(one.residual)} Status: {one.status.value}. Owner: {one.owner}.",
    ]
    if one.open_points is not None:
        lines += ["", f"**Open.** {_text(one.open_points)}"]
    return "\n".join(lines)


def _rated(rating: Rating) -> str:
    return f"{rating.severity.value} x {rating.likelihood.value.replace('_', ' ')}: risk {rating.risk}."


def _control(control: Control) -> str:
    if control.by_hospital:
        return f"- For the hospital (DCB0160): {_text(control.what)}"
    return "\n".join((f"- {_text(control.what)}", *(f"  - `{test}`" for test in control.tests)))


def _text(said: str) -> str:
    return " ".join(said.split())


def _cell(said: str) -> str:
    return _text(said).replace("|", "/")


SCOPE = """Wardporter: the orchestrator, the programs on board of robots, and the custody of medicines between
a pharmacy and wards. Not in scope: the robot's own personnel safety (brakes, scanners, emergency
stop), prescribing, and the record of administration, which is the EPR's."""

WHO = """A manufacturer names a clinical safety officer, a registered clinician trained for it, who approves
this plan, the hazard log and the safety case. **Nobody has been named yet.** A hospital names its
own for DCB0160. Owners of hazards are roles: """

HOW = """1. A hazard is entered with cause, effect and the risk before controls when a feature is designed; each
   issue adds its own.
2. Each control of the product names the tests that fail without it. A test that is gone fails
   `tests/unit/tools/test_safety_papers.py`, so that no control is kept in name only.
3. What a hospital has to do itself is listed as such. It lowers no risk here until the hospital says that
   it is done.
4. Risk after controls is rated anew whenever a control changes. An incident or near miss of the field is
   read against this log, and the log is changed where it was wrong."""

ACCEPTED = f"""A residual risk of at most {ACCEPTABLE} may stand once a clinical safety officer has agreed; a
larger one needs their written reason, and 5 is never accepted."""

CLAIM = """None yet. This draft shows what is known, which tests stand behind it, and what is missing before a
claim could be made. Carriage of controlled drugs by robot is off until a hospital's accountable
officer has approved it; that approval confers no legal authority."""

LIMITS = """Ratings are the developers' own and have been reviewed by no clinician. Tests run on simulated wards
with simulated people; no patient, nurse or pharmacist has taken part."""


def _plan(log: HazardLog) -> str:
    matrix = [
        "| | " + " | ".join(severity.value for severity in Severity) + " |",
        "|---|" + "---|" * len(Severity),
        *(_matrix_row(likelihood) for likelihood in reversed(Likelihood)),
    ]
    owners = sorted({one.owner for one in log.hazards})
    parts = [
        "# Clinical risk management plan",
        NOT_FOR_USE,
        MADE_FROM,
        "## Scope",
        SCOPE,
        "## Who",
        WHO + ", ".join(owners) + ".",
        "## How",
        HOW,
        "## Which risks are accepted",
        ACCEPTED,
        "\n".join(matrix),
    ]
    return "\n\n".join(parts) + "\n"


def _matrix_row(likelihood: Likelihood) -> str:
    risks = [str(Rating(severity=severity, likelihood=likelihood).risk) for severity in Severity]
    return f"| {likelihood.value.replace('_', ' ')} | {' | '.join(risks)} |"


def _safety_case(log: HazardLog) -> str:
    statuses = Counter(one.status for one in log.hazards)
    tests = {test for one in log.hazards for control in one.controls for test in control.tests}
    above = [one for one in log.hazards if one.residual.risk > ACCEPTABLE]
    local = [(one, control) for one in log.hazards for control in one.controls if control.by_hospital]
    parts = [
        "# Clinical safety case",
        NOT_FOR_USE,
        MADE_FROM,
        "## Claim",
        CLAIM,
        "## What it rests on",
        f"{len(log.hazards)} hazards: {statuses[Status.CONTROLLED]} controlled by the product, "
        f"{statuses[Status.SHARED]} shared with the hospital, {statuses[Status.OPEN]} open. Controls name {len(tests)} "
        "tests; all of them exist, and run with `make test` or `make test-slow`.",
        LIMITS,
        f"## Residual risks above {ACCEPTABLE}",
        _listed([f"{_link(one)} (risk {one.residual.risk}): {_text(one.hazard)}" for one in above]),
        "## What is open",
        _listed([f"{_link(one)}: {_text(one.open_points)}" for one in log.hazards if one.open_points is not None]),
        "## What a hospital has to do",
        _listed([f"{_link(one)}: {_text(control.what)}" for one, control in local]),
        "## Signed",
        "Nobody.",
    ]
    return "\n\n".join(parts) + "\n"


def _link(one: Hazard) -> str:
    return f"[{one.id}](hazard-log.md#{one.id.lower()})"


def _listed(points: list[str]) -> str:
    return (
        "\n".join(f"- {point}" for point in points) or "Nothing is listed, which is no reason to think there is none."
    )


def main(arguments: list[str]) -> int:
    """Write the papers, or with ``--check`` compare them; return the exit code."""
    texts = paper_texts(load_hazard_log(FOLDER / SOURCE))
    stale = [
        name
        for name, text in texts.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    if arguments == ["--check"]:
        for name in stale:
            sys.stderr.write(f"docs/safety/{name} differs from the hazard log: run this without --check\n")
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(texts[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
