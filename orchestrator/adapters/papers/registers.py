"""Registers on paper and as tables, with the headings that the rules of the place ask for.

Regulation 19 of the Misuse of Drugs Regulations 2001 for pharmacies: from whom obtained, to whom supplied, by what
authority, who collected and on what proof of identity. Wards: patient, given, wasted, given by and witness.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from reportlab.lib.units import mm

from orchestrator.adapters.papers.sheet import SIMULATION, Section, clock, day, moment, pdf_of, table
from orchestrator.application.registers import Register
from orchestrator.domain.custody.model import Signing
from orchestrator.domain.custody.register import RegisterLine, RegisterPage

Cell = Callable[[RegisterLine], str]


def _obtained_from(line: RegisterLine) -> str:
    return line.obtained_from


def _units(units: int) -> str:
    return str(units) if units else ""


def _counted_off(line: RegisterLine) -> str:
    if not line.counted_off:
        return ""
    return f"{line.counted_off} over" if line.counted_off > 0 else f"{-line.counted_off} short"


def _note(line: RegisterLine) -> str:
    parts = [line.note]
    if line.is_late:
        parts.append(f"LATE ENTRY, recorded {moment(line.recorded_at)}")
    if line.corrected_by:
        parts.append("CORRECTED by entry " + ", ".join(str(entry) for entry in line.corrected_by))
    return "; ".join(parts)


def _balance(line: RegisterLine) -> str:
    return f"{line.balance} ({line.set_apart} set apart)" if line.set_apart else str(line.balance)


def _identity(line: RegisterLine) -> str:
    said = (line.identity_requested, line.identity_given)
    return " / ".join(one or "-" for one in said) if any(said) else ""


def _signed(line: RegisterLine) -> str:
    return " / ".join(who for part in (Signing.ACTOR, Signing.WITNESS) if (who := line.signed(part)))


_FIRST: Sequence[tuple[str, float, Cell]] = (
    ("Entry", 13, lambda line: str(line.entry)),
    ("Date and time", 22, lambda line: f"{day(line.occurred_at)} {clock(line.occurred_at)}"),
)
_LAST: Sequence[tuple[str, float, Cell]] = (
    ("Count differs (not supplied)", 19, _counted_off),
    ("Balance", 19, _balance),
    ("Batch", 20, lambda line: line.batch),
)
PHARMACY: Sequence[tuple[str, float, Cell]] = (
    *_FIRST,
    ("Obtained from (name and address)", 32, _obtained_from),
    ("Quantity obtained", 19, lambda line: _units(line.obtained)),
    ("Supplied to (name and address)", 32, lambda line: line.supplied_to),
    ("Authority to possess", 26, lambda line: line.authority),
    ("Person collecting", 20, lambda line: line.collected_by),
    ("Proof of identity requested / given", 21, _identity),
    ("Quantity supplied", 18, lambda line: _units(line.supplied)),
    *_LAST,
    ("Signed / witness", 42, _signed),
    ("Note", 44, _note),
)
WARD: Sequence[tuple[str, float, Cell]] = (
    *_FIRST,
    ("Received from", 28, _obtained_from),
    ("Requisition", 26, lambda line: line.authority),
    ("Quantity received", 17, lambda line: _units(line.obtained)),
    ("Patient, or gone to", 30, lambda line: line.supplied_to),
    ("Quantity given or gone", 18, lambda line: _units(line.supplied)),
    ("Wasted", 15, lambda line: line.wasted),
    *_LAST,
    ("Given or received by / witness", 46, _signed),
    ("Note", 50, _note),
)
PRINTED_WIDTH_MM = 273.0


def register_pdf(register: Register) -> bytes:
    """Return a register as it is printed, each drug class, strength and form on pages of its own."""
    columns = PHARMACY if register.is_pharmacy else WARD
    scale = PRINTED_WIDTH_MM / sum(width for _, width, _ in columns)
    widths = [width * scale * mm for _, width, _ in columns]
    sections = [
        Section(
            _head(register, page),
            [
                table(
                    [heading for heading, _, _ in columns],
                    [[cell(line) for _, _, cell in columns] for line in page.lines],
                    widths,
                )
            ],
        )
        for page in register.pages
    ]
    return pdf_of(
        sections,
        title=f"Controlled drugs register of {register.place}",
        foot=f"{register.place}; printed {moment(register.taken_at)}; ledger of {register.size} entries",
        is_simulation=register.is_simulation,
    )


def _head(register: Register, page: RegisterPage) -> list[str]:
    key, heading = page.heading.key, page.heading
    whose = f"; patient's own of {key.own_of}" if key.own_of else ""
    law = "register required by law" if heading.is_required_by_law else "register by local policy"
    head = [
        f"{key.drug_class}, {key.strength or 'strength not known'}, {key.form or 'form not known'}{whose}",
        f"Register of {register.place}. {', '.join(heading.names)}; counted in {heading.unit or 'units'}; "
        f"{heading.schedule}, {law}. Times are London's.",
    ]
    if register.since is not None:
        head.append(f"Entered from {day(register.since)} on; brought forward: {page.brought_forward or 0}.")
    return [*head, *([register.warning] if register.warning else [])]


_TABLE: Sequence[tuple[str, Cell]] = (
    ("entry", lambda line: str(line.entry)),
    ("kind", lambda line: line.kind.value),
    ("occurred_at", lambda line: line.occurred_at.isoformat()),
    ("recorded_at", lambda line: line.recorded_at.isoformat()),
    ("late_entry", lambda line: "late" if line.is_late else ""),
    ("batch", lambda line: line.batch),
    ("obtained_from", _obtained_from),
    ("quantity_obtained", lambda line: str(line.obtained)),
    ("supplied_to", lambda line: line.supplied_to),
    ("authority", lambda line: line.authority),
    ("collected_by", lambda line: line.collected_by),
    ("identity_requested", lambda line: line.identity_requested),
    ("identity_given", lambda line: line.identity_given),
    ("quantity_supplied", lambda line: str(line.supplied)),
    ("count_differs", _counted_off),
    ("wasted", lambda line: line.wasted),
    ("balance", lambda line: str(line.balance)),
    ("set_apart", lambda line: str(line.set_apart)),
    ("signed_by", lambda line: line.signed(Signing.ACTOR)),
    ("witness", lambda line: line.signed(Signing.WITNESS)),
    ("corrects", lambda line: "" if line.corrects is None else str(line.corrects)),
    ("corrected_by", lambda line: " ".join(str(entry) for entry in line.corrected_by)),
    ("note", lambda line: line.note),
)
_NUMBERS = frozenset({"entry", "quantity_obtained", "quantity_supplied", "balance", "set_apart", "corrects"})
"""Columns that hold numbers and nothing else: a balance may be below zero in a transit record, and stays a number."""
_HEAD = ("simulation", "place", "drug_class", "strength", "form", "own_of", "medicine", "unit", "schedule", "warning")


def register_csv(register: Register) -> str:
    """Return a register as a table, one row for each line; a simulated one says so in every row.

    Where lines are left out, each page begins with a row of the balance that is brought forward.
    """
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow([*_HEAD, *(name for name, _ in _TABLE)])
    for page in register.pages:
        key, heading = page.heading.key, page.heading
        head = (
            SIMULATION if register.is_simulation else "",
            register.place,
            key.drug_class,
            key.strength,
            key.form,
            key.own_of,
            "; ".join(heading.names),
            heading.unit,
            heading.schedule,
            register.warning,
        )
        shown = [harmless(cell) for cell in head]
        if register.since is not None:
            brought = {"kind": "brought_forward", "balance": str(page.brought_forward or 0)}
            rows.writerow([*shown, *(brought.get(name, "") for name, _ in _TABLE)])
        for line in page.lines:
            cells = ((name, cell(line)) for name, cell in _TABLE)
            rows.writerow([*shown, *(text if name in _NUMBERS else harmless(text) for name, text in cells)])
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: texts come from people and from scanners."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
