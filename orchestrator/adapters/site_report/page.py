"""The verdict on a site as a page in Markdown: what an engineer signs, with tables and drawings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.domain.site.findings import Finding, Severity
from orchestrator.domain.site.model import LevelId
from orchestrator.domain.site.survey.facts import HANDOVER_S, GraphFacts
from orchestrator.domain.site.survey.overlaps import Overlaps, Used
from orchestrator.domain.site.survey.verdict import NOT_CHECKED, Survey, Verdict

ROWS = 8
"""So many corridors, doors and lifts stand in a table, the busiest."""

_MEANING = {
    Verdict.FIT: "Robots may be brought here as far as the map can tell.",
    Verdict.FIT_WITH_CONDITIONS: "Robots may be brought here once each condition is met or accepted by name.",
    Verdict.REFUSED: "No robot may be brought here until each error is repaired.",
}


def page_text(survey: Survey, *, source: str, command: str, drawings: Mapping[LevelId, str], report: str) -> str:
    """Return the page.

    Parameters
    ----------
    survey : Survey
        What was found.
    source : str
        Name of the file that was checked.
    command : str
        The command that makes the page.
    drawings : mapping
        Path of the drawing of each level, seen from the page.
    report : str
        Path of the machine-readable report, seen from the page.
    """
    return "\n".join(
        [
            f"# Site check: {survey.site.id}",
            "",
            f"**Verdict: {survey.verdict.value}, for at most {_robots(len(survey.places))}.**",
            _MEANING[survey.verdict],
            "",
            f"Made from `{source}`, site revision `{survey.site.revision[:12]}`, by `{command}`.",
            f"For machines the same is in [{report}]({report}). Numbers are those of the marks on the drawings.",
            *_closed(survey),
            "",
            *_robots_table(survey),
            *_findings("Errors", survey, Severity.ERROR),
            *_findings("Conditions", survey, Severity.WARNING),
            *_drawings(survey, drawings),
            *_figures(survey),
            *_overlaps(survey),
            *_findings("Worth knowing", survey, Severity.NOTE),
            "## Not checked",
            "",
            "Reading a map cannot tell these: they belong to rehearsal, to clearance in simulation, to work on site.",
            "",
            *(f"- {what}" for what in NOT_CHECKED.values()),
            "",
        ]
    )


def _robots(number: int) -> str:
    return f"{number} robot" if number == 1 else f"{number} robots"


def _closed(survey: Survey) -> Iterator[str]:
    if survey.closed:
        yield ""
        yield f"With these lanes closed: {', '.join(f'`{lane}`' for lane in survey.closed)}."


def _robots_table(survey: Survey) -> Iterator[str]:
    if not survey.facts:
        return
    yield "## For how many robots"
    yield ""
    yield "| lane graph | robot model | footprint | robots | where they live | mostly waiting from about | bottleneck |"
    yield "|---|---|---|---|---|---|---|"
    for facts in survey.facts.values():
        places = survey.robots[facts.graph]
        busy = "-" if facts.robots_busy_max is None else _robots(facts.robots_busy_max)
        yield (
            f"| {facts.graph} | {', '.join(facts.models)} | {2 * facts.radius_m:.2f} m | "
            f"{'' if survey.is_largest else 'at least '}{len(places)} | {', '.join(places) or 'nowhere'} | {busy} | "
            f"{facts.bottleneck or '-'} |"
        )
    yield ""
    yield (
        f"On all graphs together {_robots(len(survey.places))}, one for each resting place: with a robot parked on "
        "every one of them, each of them still drives from its place to every station and back. Where the number from "
        "which robots mostly wait is lower, more robots bring little. It takes traffic at the bottleneck to alternate, "
        f"and people to need {HANDOVER_S:g} s to load and again to receive; both are to be rehearsed."
    )
    if len(survey.facts) > 1:
        yield (
            "Robots of different lane graphs share lifts, doors and floor, so the numbers from which they mostly wait "
            "do not add up: where both graphs have the same bottleneck, take the smaller for all together."
        )
    yield ""


def _findings(title: str, survey: Survey, severity: Severity) -> Iterator[str]:
    found = [(n, finding) for n, finding in enumerate(survey.findings, start=1) if finding.severity is severity]
    if not found:
        return
    yield f"## {title}"
    yield ""
    yield "| no. | code | what | what to do |"
    yield "|---|---|---|---|"
    for number, finding in found:
        yield f"| {number} | `{finding.code}` | {_cell(finding.sentence)} | {_cell(_advice(finding))} |"
    yield ""


def _advice(finding: Finding) -> str:
    return f"{finding.remedy} (tried on the map)" if finding.remedies else finding.remedy


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("~", "\\~").replace("\n", " ")


def _drawings(survey: Survey, drawings: Mapping[LevelId, str]) -> Iterator[str]:
    yield "## Drawings"
    yield ""
    for level, path in drawings.items():
        yield f"![{survey.site.name}, level {level}: {survey.verdict.value}]({path})"
        yield ""


def _figures(survey: Survey) -> Iterator[str]:
    for facts in survey.facts.values():
        yield f"## Figures of lane graph {facts.graph}"
        yield ""
        yield from _table([("what", "figure"), *_rows(facts)])
        yield from _corridors(facts)
        yield from _passages(facts)


def _overlaps(survey: Survey) -> Iterator[str]:
    if not survey.facts:
        return
    overlaps = survey.overlaps
    yield "## What robots may not use at once"
    yield ""
    yield sentence_of_overlaps(overlaps)
    yield ""
    if overlaps.pairs:
        rows = [("one", "other", "level", "free width between")]
        rows += [
            (_used(pair.first), _used(pair.second), pair.level, f"{pair.gap_m:.2f} m") for pair in overlaps.pairs[:ROWS]
        ]
        yield from _table(rows)
        if overlaps.total > ROWS:
            yield f"The other {overlaps.total - ROWS} are in the report for machines."
            yield ""


def _used(used: Used) -> str:
    return f"{used.kind} {_cell(used.id)} ({used.model} on graph {used.graph})"


def sentence_of_overlaps(overlaps: Overlaps) -> str:
    """Return how many pairs of waypoints and lanes are kept apart, and what several lane graphs share."""
    counts = ", ".join(f"{number} of {kinds.replace('_', ' and ')}" for kinds, number in overlaps.counts)
    shared = ", ".join(each.id for each in overlaps.shared[:ROWS])
    more = f" and {len(overlaps.shared) - ROWS} more" if len(overlaps.shared) > ROWS else ""
    return (
        f"Pairs that two robots may not have at once, beyond those that meet at a waypoint: {overlaps.total}"
        f"{f' ({counts}; {overlaps.across_graphs} across lane graphs)' if overlaps.total else ''}. "
        f"Doors and lifts of several models or lane graphs: {shared or 'none'}{more}."
    )


def _rows(facts: GraphFacts) -> Iterator[tuple[str, str]]:
    narrowest = facts.narrowest
    yield "waypoints, directed lanes", f"{facts.waypoints}, {facts.lanes}"
    yield "length of lanes, two-way ones once", f"{facts.length_m:.0f} m"
    yield "one-way lanes", str(facts.one_way)
    yield "groups of waypoints that all reach each other", str(facts.groups)
    yield "stations", str(len(facts.stations))
    yield "lanes whose width is estimated, unknown", f"{facts.estimated_widths}, {facts.unknown_widths}"
    if narrowest is not None and narrowest.width_m is not None:
        yield "narrowest lane", f"{narrowest.width_m:.2f} m ({_cell(narrowest.id)})"
    yield "lanes without speed limit", str(facts.without_limit)
    yield "waypoints where nobody may stop, lift cabins included", str(len(facts.no_stopping))
    yield "dead ends without a station", str(len(facts.dead_ends))
    if facts.trip_s:
        yield "mean round from a hatch to a ward and back, driving only", f"{facts.trip_s:.0f} s"
    yield "two robots pass each other at", f"{facts.apart_m:.2f} m between centres"


def _corridors(facts: GraphFacts) -> Iterator[str]:
    yield "Busiest single tracks:"
    yield ""
    rows = [("from", "to", "level", "length", "width", "share of routes", "can wait at", "stations lost", "through")]
    for corridor in facts.corridors[:ROWS]:
        width = "unknown" if corridor.width_m is None else f"{corridor.width_m:.2f} m"
        rows.append(
            (
                corridor.waypoints[0],
                "round and back" if corridor.is_ring else corridor.waypoints[-1],
                corridor.level,
                f"{corridor.length_m:.1f} m",
                f"{width}, estimated" if corridor.is_width_estimated else width,
                f"{corridor.share:.0%}",
                ("neither end", "one end", "both ends")[len(corridor.passing_at)],
                str(len(corridor.lost)),
                f"{corridor.cross_s:.0f} s",
            )
        )
    yield from _table(rows)


def _passages(facts: GraphFacts) -> Iterator[str]:
    if not facts.passages:
        return
    yield "Busiest doors and lifts:"
    yield ""
    rows = [("door or lift", "what", "motor", "share of routes", "stations lost when shut")]
    for passage in facts.passages[:ROWS]:
        what, motor = "lift" if passage.is_lift else "door", "yes" if passage.is_motorised else "no"
        rows.append((passage.id, what, motor, f"{passage.share:.0%}", ", ".join(passage.lost) or "none"))
    yield from _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in body)
    yield ""
