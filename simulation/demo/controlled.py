"""A controlled drug on its way: two people at each end, a nurse of another ward, a short count, and the ledger's proof.

Played through the public API, by people who prove themselves with badge and PIN for every act. At the end an entry of a
copy of the ledger is changed by hand, as somebody with the database could, and the verification names it.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestrator.domain.people.model import Role
from orchestrator.domain.site.model import PlaceId, StationId
from simulation.demo.api import ApiRefusedError, Away
from simulation.demo.staff import DemoStaff
from simulation.demo.staff_api import StaffApi
from simulation.demo.stage import Stage

MORPHINE = "36126511000001106"
PACK = "]d201050123456789001728123110DEMO1\x1d21SN0001"
QUANTITY = 10
SHORT_BY = 1
SEAL = "CD-0001"
VERIFY_LIMIT_S = 120


@dataclass(slots=True)
class ControlledScene:
    """One controlled delivery from the pharmacy to a ward, step by step.

    Parameters
    ----------
    api : SignedApi
        Where everybody acts.
    staff : DemoStaff
        Who acts.
    stage : Stage
        The site and the folder of the books.
    console : Console
        Where it is told what happens.
    start, end : StationId
        The hatch and the ward's station.
    """

    api: StaffApi
    staff: DemoStaff
    stage: Stage
    console: Console
    start: StationId
    end: StationId
    delivery: str = ""
    is_over: bool = False
    _done: set[str] = field(default_factory=set[str])

    # -- before it rides ---------------------------------------------------------------------------------------------

    def begin(self) -> str:
        """Approve the route, queue, verify, pick, check and accept; return the delivery's id."""
        officer = self._one(Role.ACCOUNTABLE_OFFICER)
        self._refused_without_approval()
        self.api.act_together(
            "/carriage-approvals",
            {
                "handling_class": "controlled",
                "from_place": self._from,
                "to_place": self._to,
                "model": str(self.stage.cast.model.id),
                "reference": "demonstration, no legal authority",
            },
            (officer,),
            key="demo-approval",
        )
        self._tell(f"{officer} approves robots of this model for {self._from} to {self._to}.")
        pharmacist, technician = self._pharmacist, self._technician
        nurse, other = self._nurses
        queued = self.api.act_together("/deliveries", self._asked(), (pharmacist,), key="demo-cd-queue")
        self.delivery = str(queued["id"])
        line = str(queued["lines"][0]["id"])
        picked: dict[str, object] = {"lines": [{"line": line, "quantity": QUANTITY, "code": PACK}]}
        counts: dict[str, object] = {"counts": [{"line": line, "quantity": QUANTITY}]}
        self._sign("dispense", picked, technician)
        self._sign("check", counts, self._second_pharmacist)
        self._sign("accept", {"named": [nurse, other]}, nurse)
        self._tell(
            f"{technician} picks and scans it, {self._second_pharmacist} checks it, "
            f"{nurse} accepts it for {self._to} and names {nurse} and {other}."
        )
        return self.delivery

    def _refused_without_approval(self) -> None:
        with contextlib.suppress(Away):
            try:
                self.api.act_together("/deliveries", self._asked(), (self._pharmacist,))
            except ApiRefusedError as refused:
                code = refused.detail["code"]
                self._tell(f"Without the accountable officer's approval: {code}; a messenger is offered.")

    # -- at the hatch and at the ward --------------------------------------------------------------------------------

    def look(self, shown: dict[str, Any]) -> None:
        """Do what is to be done at the moment, if anything."""
        state = str(shown["state"])
        with contextlib.suppress(Away):
            if state == "loading" and self._is_open("load", (self._pharmacist, self._technician)):
                self._load()
            elif state == "arrived":
                self._refuse_the_wrong_nurse()
                if self._is_open("receipt", self._nurses):
                    self._receive()
            elif state in ("received", "returned", "cancelled", "incident"):
                self.is_over = True

    def _load(self) -> None:
        shown = self.api.get(f"/deliveries/{self.delivery}")
        body: dict[str, object] = {"seal_number": SEAL, "counts": self._counts(shown, 0)}
        self._sign("load", body, self._pharmacist, self._technician)
        who = self._pharmacist
        self._tell(f"{who} and {self._technician} load and seal it; {who} answers for it.")

    def _refuse_the_wrong_nurse(self) -> None:
        foreign = self._foreign_nurse
        if foreign is None or "refused" in self._done:
            return
        self._done.add("refused")
        try:
            self.api.act_together(f"/deliveries/{self.delivery}/open-drawer", {}, (foreign, self._nurses[1]))
        except ApiRefusedError as refused:
            self._tell(f"{foreign}, of another ward, asks for the drawer: {refused.detail['code']}.")

    def _receive(self) -> None:
        shown = self.api.get(f"/deliveries/{self.delivery}")
        body: dict[str, object] = {"seal_number": SEAL, "counts": self._counts(shown, -SHORT_BY)}
        first = self._sign("receipt", body, *self._nurses, key="demo-cd-receipt-1")
        if first["state"] == "arrived":
            self._tell(f"{self._nurses[0]} and {self._nurses[1]} count blind; they are asked to count once more.")
            self._sign("receipt", body, *self._nurses, key="demo-cd-receipt-2")
        self._tell("The second count stands: it is short, the line is set apart, and the accountable officer is told.")

    def _is_open(self, act: str, people: tuple[str, ...]) -> bool:
        """Have the drawer opened, and return whether it was and is locked again."""
        openings = self.api.get(f"/deliveries/{self.delivery}/openings")["openings"]
        mine = [each for each in openings if (each["purpose"] == "load") == (act == "load")]
        if any(each["closed_at"] is not None for each in mine):
            return True
        if not any(each["outcome"] in ("issued", "opened") for each in mine):
            with contextlib.suppress(ApiRefusedError):
                self.api.act_together(
                    f"/deliveries/{self.delivery}/open-drawer", {}, people, key=f"demo-cd-open-{act}-{len(mine)}"
                )
        return False

    # -- what is on record -------------------------------------------------------------------------------------------

    def tell_record(self) -> bool:
        """Print the register page and the incident, verify the ledger, and show that an edited row is found.

        Returns
        -------
        bool
            Whether the ledger is good and the edited copy is not.
        """
        nurse = self._nurses[0]
        register = self.api.read(f"/registers/{self._to}", nurse)
        self.console.print(_page(register))
        incidents = self.api.read("/incidents", self._one(Role.ACCOUNTABLE_OFFICER))["incidents"]
        for incident in incidents:
            self.console.print(f"Incident {incident['kind']}: {incident['sentence']}", highlight=False)
        data = self.stage.folder / "data"
        self.console.print("wardporter ledger verify", style="bold")
        is_good = self._verify(data) == 0
        edited = self._edited_copy(data)
        self.console.print(
            "A copy of the books, one posting changed by hand with SQL; wardporter ledger verify", style="bold"
        )
        is_found = self._verify(edited) == 1
        return is_good and is_found

    def _verify(self, data: Path) -> int:
        command = [sys.executable, "-m", "orchestrator.cli", "ledger", "verify", "--data", str(data)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=VERIFY_LIMIT_S, check=False)
        self.console.print((ended.stdout + ended.stderr).strip(), highlight=False)
        return ended.returncode

    def _edited_copy(self, data: Path) -> Path:
        """Return a copy of the books in which the quantity of one entry was changed, triggers or not."""
        folder = data.parent / "edited"
        shutil.copytree(data, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sqlite*", "broker"))
        with (
            contextlib.closing(sqlite3.connect(data / "wardporter.sqlite")) as real,
            contextlib.closing(sqlite3.connect(folder / "wardporter.sqlite")) as copy,
        ):
            real.backup(copy)
            change_by_hand(copy)
        return folder

    # -- who ---------------------------------------------------------------------------------------------------------

    @property
    def _from(self) -> PlaceId:
        return self.stage.site.stations[self.start].place

    @property
    def _to(self) -> PlaceId:
        return self.stage.site.stations[self.end].place

    @property
    def _pharmacist(self) -> str:
        return self._of(Role.PHARMACIST, self._from)[0]

    @property
    def _second_pharmacist(self) -> str:
        return self._of(Role.PHARMACIST, self._from)[1]

    @property
    def _technician(self) -> str:
        return self._of(Role.PHARMACY_TECHNICIAN, self._from)[0]

    @property
    def _nurses(self) -> tuple[str, str]:
        first, second, *_ = self._of(Role.NURSE, self._to)
        return first, second

    @property
    def _foreign_nurse(self) -> str | None:
        nurses = (one.person for one in self.staff.members if one.person.has(Role.NURSE))
        return next((str(nurse.id) for nurse in nurses if not nurse.belongs_to(self._to)), None)

    def _one(self, role: Role) -> str:
        return self.staff.first(role)

    def _of(self, role: Role, place: PlaceId) -> list[str]:
        return [
            str(one.person.id) for one in self.staff.members if one.person.has(role) and one.person.belongs_to(place)
        ]

    def _asked(self) -> dict[str, object]:
        return {
            "from_station": self.start,
            "to_station": self.end,
            "priority": "urgent",
            "lines": [{"medicine": "Morphine sulfate", "quantity": QUANTITY, "unit": "tablet", "code": MORPHINE}],
            "supply": {
                "kind": "ward_stock",
                "basis": {
                    "kind": "ward_requisition",
                    "reference": "DEMO-REQ-1",
                    "requested_by": self._nurses[0],
                },
            },
        }

    def _counts(self, shown: dict[str, Any], off_by: int) -> list[dict[str, object]]:
        return [{"line": line["id"], "quantity": QUANTITY + off_by} for line in shown["lines"]]

    def _sign(self, act: str, body: dict[str, object], *people: str, key: str | None = None) -> Any:
        return self.api.act_together(f"/deliveries/{self.delivery}/{act}", body, people, key=key or f"demo-cd-{act}")

    def _tell(self, sentence: str) -> None:
        self.console.print(f"Controlled: {sentence}", highlight=False)


def change_by_hand(books: sqlite3.Connection) -> None:
    """Change one entry of a ledger as somebody with the database could: past the triggers that refuse it."""
    triggers: Sequence[tuple[str]] = books.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        books.execute(f'DROP TRIGGER "{name}"')
    found = "SELECT number, body FROM ledger_entry WHERE kind = 'received_different' ORDER BY number DESC LIMIT 1"
    number, body = books.execute(found).fetchone()
    changed = str(body).replace(f'"{QUANTITY - SHORT_BY}"', f'"{QUANTITY}"')
    assert changed != body, "the entry says how many were counted"
    books.execute("UPDATE ledger_entry SET body = ? WHERE number = ?", (changed, number))
    books.commit()


def _page(register: dict[str, Any]) -> Table:
    table = Table(title=f"SIMULATION · register of {register['place']}")
    for heading in ("entry", "when", "what", "in", "out", "balance", "signed by"):
        table.add_column(heading)
    for page in register["pages"]:
        table.add_section()
        for line in page["lines"]:
            signed = ", ".join(str(sign["person"]) for sign in line["signatures"])
            when = str(line["occurred_at"])[:16].replace("T", " ")
            table.add_row(str(line["entry"]), when, str(line["kind"]), *_units(line), signed)
    return table


def _units(line: dict[str, Any]) -> tuple[str, str, str]:
    return (str(line["obtained"] or ""), str(line["supplied"] or ""), str(line["balance"]))
