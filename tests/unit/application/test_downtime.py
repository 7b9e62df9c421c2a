"""The downtime pack: everything that is somewhere, and who answers for it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.papers import written_pack
from orchestrator.adapters.papers.downtime import downtime_csv, downtime_pdf
from orchestrator.adapters.papers.files import write_whole
from orchestrator.application.downtime import DowntimePack, downtime_pack
from orchestrator.application.views import RobotPicture
from orchestrator.domain.custody.incident import FollowUp, Incident, IncidentId, IncidentKind
from orchestrator.domain.custody.model import Stock
from orchestrator.domain.custody.movements import set_apart, supplier_receipt
from orchestrator.domain.delivery.model import DeliveryState, Priority
from orchestrator.domain.medicine.recall import Recall, RecallClass, RecallId
from orchestrator.domain.people.model import PersonId
from orchestrator.domain.site.model import PlaceId
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON, CountingIds
from tests.support.desk import HATCH, LEVEL, a_picture, a_site
from tests.support.drawn_pages import said_on
from tests.support.ledgers import occasion
from tests.support.medicines import MORPHINE
from tests.support.recalled import coded

RECALL = Recall(
    RecallId("recall-1"),
    MORPHINE.code,
    frozenset({"B-1"}),
    RecallClass.CLASS_TWO,
    "MDR 1",
    "Wrong leaflet.",
    "pharmacist-1",
    NOON,
    (PlaceId("ward-a"),),
)


def a_pack(*, is_simulation: bool = True) -> DowntimePack:
    store, ids = MemoryStore(), CountingIds()
    incident = Incident(
        IncidentId("incident-1"), IncidentKind.SHORT, NOON, PlaceId("ward-a"), True, "One line was counted short."
    )
    closed = replace(
        incident,
        id=IncidentId("incident-2"),
        sentence="Found again.",
        follow_ups=(FollowUp(PersonId("officer-1"), NOON, "Found.", closes=True),),
    )
    with store.transaction() as uow:
        uow.medicines.save([MORPHINE])
        uow.ledger.append(supplier_receipt(Stock(MORPHINE.code, "B-1"), 90, occasion()), NOON)
        riding = coded(uow, 1, ids=ids, code=MORPHINE.code, state=DeliveryState.IN_TRANSIT)
        custody = replace(riding.custody, accountable=PersonId("pharmacist-1"), patient="local-7")
        uow.deliveries.save(replace(riding, custody=custody))
        coded(uow, 2, ids=ids, code=MORPHINE.code)
        coded(uow, 3, ids=ids, code=MORPHINE.code, state=DeliveryState.RECEIVED)
        coded(uow, 4, ids=ids, code=MORPHINE.code, state=DeliveryState.HANDED_TO_RUNNER)
        uow.incidents.add(incident)
        for number in range(600):
            # However many were closed since, one that is open stays in it.
            newer = replace(closed, id=IncidentId(f"{closed.id}-{number}"), at=NOON + timedelta(minutes=number))
            uow.incidents.add(newer)
        uow.recalls.add(RECALL)
    robots: tuple[RobotPicture, ...] = a_picture().robots
    with store.reading() as uow:
        return downtime_pack(uow, a_site(), robots, at=NOON, is_simulation=is_simulation)


def test_it_says_where_everything_is_and_who_answers_for_it() -> None:
    pack = a_pack()
    # Every delivery that was queued on the way to these stands at its hatch too.
    where = {row.delivery: (row.where, row.accountable) for row in pack.rows if row.delivery.startswith("delivery-c")}
    assert where == {
        "delivery-c1": ("robot robot-1, drawer top", "pharmacist-1"),
        "delivery-c2": ("at pharmacy-hatch-1, not loaded", ""),
        "delivery-c4": ("carried by a person to ward-a-handover", ""),
    }
    assert [(row.place, row.units) for row in pack.stock] == [("pharmacy", 90)]
    assert [row.robot for row in pack.robots] == ["robot-1", "robot-2"]
    assert pack.robots[1].remark == "silent for too long"
    assert [incident.id for incident in pack.incidents] == ["incident-1"]


def test_it_is_printed_with_blank_forms_and_names_no_patient() -> None:
    pages = said_on(downtime_pdf(a_pack()))
    whole = " ".join(" ".join(pages).split())
    for words in (
        "robot robot-1",
        "pharmacist-1",
        "One line was counted",
        "Morphine sulfate 10 mg modified-release tablet (36126511000001106)",
        "Paper form: handover",
        "Paper form: register",
        "Paper form: count",
        "Count before anybody tells you",
    ):
        assert words in whole, words
    assert "local-7" not in whole
    assert "local-7" not in downtime_csv(a_pack())
    assert all("SIMULATION" in page for page in pages)
    assert not any("SIMULATION" in page for page in said_on(downtime_pdf(a_pack(is_simulation=False))))


def test_its_table_says_the_same_and_marks_every_row() -> None:
    rows = list(csv.DictReader(io.StringIO(downtime_csv(a_pack()))))
    assert {row["simulation"] for row in rows} == {"SIMULATION"}
    riding = next(row for row in rows if row["delivery"] == "delivery-c1")
    assert (riding["where"], riding["accountable"], riding["batch"]) == (
        "robot robot-1, drawer top",
        "pharmacist-1",
        "B-1",
    )
    assert [row["where"].split(":")[0] for row in rows if row["kind"] == "robot"] == ["robot-1", "robot-2"]
    (held,) = [row for row in rows if row["kind"] == "held"]
    assert (held["where"], held["quantity"], held["batch"]) == ("pharmacy", "90", "B-1")


def test_what_has_to_be_carried_first_stands_first_with_when_it_is_due() -> None:
    store, ids, due = MemoryStore(), CountingIds(), NOON + timedelta(minutes=40)
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("routine", {}),
        ("later", {"priority": Priority.STAT, "due_by": due + timedelta(minutes=5)}),
        ("soon", {"priority": Priority.STAT, "due_by": due}),
        ("critical", {"is_critical": True}),
    )
    with store.transaction() as uow:
        for number, (batch, changes) in enumerate(asked):
            made = coded(uow, number, ids=ids, code=MORPHINE.code, batch=batch)
            uow.deliveries.save(replace(made, **changes))
    with store.reading() as uow:
        pack = downtime_pack(uow, a_site(), (), at=NOON, is_simulation=True)
    assert [row.batch for row in pack.rows if row.batch] == ["critical", "soon", "later", "routine"]
    whole = " ".join(" ".join(said_on(downtime_pdf(pack))).split())
    assert "STAT; due by 2026-01-31 12:40 GMT" in whole
    assert "routine; a late dose harms" in whole
    rows = list(csv.DictReader(io.StringIO(downtime_csv(pack))))
    (soon,) = [row for row in rows if row["batch"] == "soon"]
    assert (soon["priority"], soon["due_by"], soon["critical"]) == ("stat", due.isoformat(), "")


def test_what_places_hold_is_said_with_its_unit_and_in_words() -> None:
    store = MemoryStore()
    with store.transaction() as uow:
        uow.medicines.save([replace(MORPHINE, unit="ml")])
        uow.ledger.append(supplier_receipt(Stock(MORPHINE.code, "B-1"), 90, occasion()), NOON)
        uow.ledger.append(set_apart(Stock(MORPHINE.code, "B-1"), 20, occasion(reason="Recalled.")), NOON)
    with store.reading() as uow:
        pack = downtime_pack(uow, a_site(), (), at=NOON, is_simulation=True)
    whole = " ".join(" ".join(said_on(downtime_pdf(pack))).split())
    assert "in the cupboard Morphine" in whole
    assert "70 ml" in whole
    assert "set apart: do not use Morphine" in whole
    assert "20 ml" in whole
    held = [row for row in csv.DictReader(io.StringIO(downtime_csv(pack))) if row["kind"] == "held"]
    assert [(row["quantity"], row["unit"]) for row in held] == [("70", "ml"), ("20", "ml")]


def test_no_code_of_a_program_stands_in_it() -> None:
    pack = a_pack()
    (incident,) = pack.incidents
    every = replace(
        pack,
        incidents=tuple(replace(incident, kind=kind) for kind in IncidentKind),
        recalls=tuple(replace(RECALL, recall_class=recall_class) for recall_class in RecallClass),
    )
    whole = " ".join(said_on(downtime_pdf(every))).replace("_" * 36, "")
    assert re.findall(r"\w*_\w*", whole) == []


def test_a_robot_is_where_people_call_it_so() -> None:
    site = a_site()
    hatch = next(id for id, station in site.stations.items() if HATCH in station.waypoints.values())
    stations = {**site.stations, hatch: replace(site.stations[hatch], name="Main hatch")}
    levels = {LEVEL: replace(site.levels[LEVEL], name="Ground floor")}
    named = replace(site, stations=stations, levels=levels)
    with MemoryStore().reading() as uow:
        pack = downtime_pack(uow, named, a_picture().robots, at=NOON, is_simulation=True)
    assert pack.robots[0].where == "last at Main hatch; level Ground floor, x 1.0 m, y 2.0 m"


def test_a_list_of_nothing_says_so() -> None:
    with MemoryStore().reading() as uow:
        pack = downtime_pack(uow, a_site(), (), at=NOON, is_simulation=True)
    pages = said_on(downtime_pdf(pack))
    # What is on its way, robots, stock, incidents, recalls.
    assert [page.count("None.") for page in pages[:4]] == [1, 1, 1, 2]


def test_it_takes_the_place_of_the_last_one_whole(tmp_path: Path) -> None:
    written_pack(tmp_path / "downtime", a_pack())
    pdf, table = written_pack(tmp_path / "downtime", a_pack())
    assert pdf.read_bytes().startswith(b"%PDF")
    assert table.read_text(encoding="utf-8").startswith("simulation,as_of")
    assert sorted(path.name for path in pdf.parent.iterdir()) == ["downtime.csv", "downtime.pdf"]


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pack"
    write_whole(path, b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["pack"]
