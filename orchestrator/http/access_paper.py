"""Write the table in docs/access.md from the policy and the routes, or with ``--check`` say that it has drifted.

Run as ``python -m orchestrator.http.access_paper``.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import cast

from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import who_may
from orchestrator.domain.access.policy import POLICY
from orchestrator.http.access import declared_acts
from orchestrator.http.app import build_app
from orchestrator.http.desk import Desk

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "access.md"
BEGIN, END = "<!-- made by orchestrator.http.access_paper -->\n", "<!-- end of what is made -->\n"


def table_text() -> str:
    """Return one row for each act: who may, by step-up or not, whether programs may, and where it is done."""
    routes: defaultdict[Act, list[str]] = defaultdict(list)
    # What routes there are depends on no desk; no request is served from this one.
    for path, methods, act in declared_acts(build_app(cast("Desk", None)).routes):
        if act is not None:
            routes[act] += [f"`{method} {path}`" for method in sorted(methods - {"HEAD"})]
    lines = ["| Act | Who may | Step-up | Programs | Where |", "|---|---|---|---|---|"]
    for act in Act:
        cell = POLICY[act]
        who = "everybody, without proof" if cell.is_public else who_may(act)
        where = "<br>".join(routes[act]) or "-"
        lines.append(f"| {act.words} | {who} | {_mark(cell.needs_step_up)} | {_mark(cell.for_programs)} | {where} |")
    return "\n".join(lines) + "\n"


def _mark(is_so: bool) -> str:
    return "yes" if is_so else "-"


def access_text() -> str:
    """Return the whole page with the table as it has to be."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table_text()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` compare it; return the exit code."""
    text = access_text()
    if arguments == ["--check"]:
        if DOCUMENT.read_text(encoding="utf-8") == text:
            return 0
        sys.stderr.write("docs/access.md differs from the policy: run python -m orchestrator.http.access_paper\n")
        return 1
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
