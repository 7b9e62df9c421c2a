"""Files that were mangled end in a named complaint or in a site, never in a traceback."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.config.built_in import DEMO_SITE, built_in
from orchestrator.adapters.config.rmf.building import building_of_source
from orchestrator.adapters.config.rmf.importer import site_of_building
from orchestrator.adapters.config.site_file import site_of_source
from orchestrator.adapters.config.site_writing import site_file_text
from orchestrator.adapters.config.source import ConfigFileError, parse_source
from orchestrator.domain.site.linter import check_site
from tests.property.config.test_site_import import Drawing, Plan, building_text

SITE = built_in(DEMO_SITE).read_text()
BUILDING = yaml.safe_dump(
    yaml.safe_load(
        building_text(
            Plan(([(0, 0), (4, 0), (4, 4)], [(0, 0), (4, 0)]), ([(0, 1), (1, 2)], [(0, 1)]), [(0, 0), (9, 9)]),
            (Drawing(20, 0, (0, 0)), Drawing(30, 1, (5, 5))),
        )
    )
    | {"lifts": {"lift": {"x": 1, "y": 1, "yaw": 0, "width": 2, "depth": 2, "level_doors": {"L1": ["door"]}}}},
    sort_keys=False,
)

WORDS = (
    *("", "{}", "[]", "null", "true", "-1", "1e400", ".nan", "lobby", "ground", "x: 1", "{", "]", ":", "&a", "*a"),
    *("!!set", "2024-13-45", "'", '"', "\t", "0x_", "<<: *a", "- -", "999999999999", "☃", "main", "level"),
)
words = st.sampled_from(WORDS) | st.text(max_size=5)


@st.composite
def mangled(draw: st.DrawFn, text: str) -> str:
    """Return ``text`` with a few words replaced, lines dropped, doubled or cut."""
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["word", "drop", "double", "cut", "swap"])):
            case "word":
                pieces = lines[number].split(" ")
                pieces[draw(st.integers(0, len(pieces) - 1))] = draw(words)
                lines[number] = " ".join(pieces)
            case "drop":
                lines[number] = ""
            case "double":
                lines.insert(number, lines[number])
            case "cut":
                lines[number] = lines[number][: draw(st.integers(0, len(lines[number])))]
            case _:
                other = draw(st.integers(0, len(lines) - 1))
                lines[number], lines[other] = lines[other], lines[number]
    return "\n".join(lines)


def check_complaints(refused: ConfigFileError) -> None:
    assert refused.complaints
    assert all(complaint.sentence and complaint.line >= 1 for complaint in refused.complaints)


@settings(max_examples=60, deadline=None)
@given(mangled(SITE))
def test_a_mangled_site_file_is_read_or_complained_about(text: str) -> None:
    try:
        read = site_of_source(parse_source(text, Path("mangled.site.yaml")))
    except ConfigFileError as refused:
        check_complaints(refused)
        return
    findings = check_site(read.site)
    assert all(1 <= read.line_of(finding) <= text.count("\n") + 1 for finding in findings)
    if not any(finding.is_error for finding in findings):
        assert site_file_text(read.site)


@settings(max_examples=60, deadline=None)
@given(mangled(BUILDING))
def test_a_mangled_building_file_is_imported_or_complained_about(text: str) -> None:
    try:
        site, _ = site_of_building(building_of_source(parse_source(text, Path("mangled.building.yaml"))))
    except ConfigFileError as refused:
        check_complaints(refused)
        return
    check_site(site)
