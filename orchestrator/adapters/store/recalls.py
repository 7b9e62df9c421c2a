"""Recalls in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, desc, select

from orchestrator.adapters.store.columns import moment_of_text, text_of_moment
from orchestrator.adapters.store.fleet_json import texts_from_json, texts_to_json
from orchestrator.adapters.store.rows import RecallRow
from orchestrator.adapters.store.tables import changed_values, insert_rows, select_rows, table_of, update_row
from orchestrator.application.errors import AlreadyKeptError
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.medicine.recall import (
    Acknowledgement,
    Recall,
    RecallClass,
    RecallId,
    UnknownRecallError,
)
from orchestrator.domain.site.model import PlaceId

RECALL = table_of(RecallRow)


class SqlRecalls:
    """Recalls; what places said of them only grows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, recall: RecallId) -> Recall:
        """Return the recall; raises `UnknownRecallError`."""
        found = select_rows(self._connection, RecallRow, select(RECALL).where(RECALL.c.id == recall))
        if not found:
            raise UnknownRecallError(
                "No recall has this id; expected one of those that GET /api/v1/recalls lists.",
                detail={"recall": recall},
            )
        return _recall_from_row(found[0])

    def add(self, recall: Recall) -> None:
        """Keep a new recall."""
        if select_rows(self._connection, RecallRow, select(RECALL).where(RECALL.c.id == recall.id)):
            raise AlreadyKeptError(
                f"The recall was refused: {recall.id} is kept already; expected a new id.", detail={"id": recall.id}
            )
        insert_rows(self._connection, [_recall_to_row(recall)])

    def save(self, recall: Recall) -> None:
        """Keep the next version; acknowledgements only grow."""
        before = self.get(recall.id)
        assert recall.acknowledgements[: len(before.acknowledgements)] == before.acknowledgements, "only grow"
        changed = changed_values(_recall_to_row(before), _recall_to_row(recall))
        update_row(self._connection, RecallRow, RECALL.c.id == recall.id, changed)

    def standing(self) -> Sequence[Recall]:
        """Return the recalls in force, oldest first."""
        statement = select(RECALL).where(RECALL.c.ended_at.is_(None)).order_by(RECALL.c.raised_at, RECALL.c.id)
        return [_recall_from_row(row) for row in select_rows(self._connection, RecallRow, statement)]

    def newest(self, limit: int) -> Sequence[Recall]:
        """Return up to ``limit`` recalls, in force or not, newest first."""
        statement = select(RECALL).order_by(desc(RECALL.c.raised_at), desc(RECALL.c.id)).limit(limit)
        return [_recall_from_row(row) for row in select_rows(self._connection, RecallRow, statement)]

    def is_recalled(self, medicine: str, batch: str | None) -> bool:
        """Whether a batch of a medicine is recalled now."""
        statement = select(RECALL).where(RECALL.c.medicine == medicine, RECALL.c.ended_at.is_(None))
        rows = select_rows(self._connection, RecallRow, statement)
        return any(_recall_from_row(row).covers(medicine, batch) for row in rows)


def _recall_to_row(recall: Recall) -> RecallRow:
    said = [
        {"place": one.place, "by": one.by, "at": text_of_moment(one.at), "set_apart": one.set_apart}
        for one in recall.acknowledgements
    ]
    return RecallRow(
        id=recall.id,
        medicine=recall.medicine,
        batches=texts_to_json(sorted(recall.batches)),
        recall_class=recall.recall_class.value,
        reference=recall.reference,
        reason=recall.reason,
        raised_by=recall.raised_by,
        raised_at=recall.raised_at,
        places=texts_to_json(recall.places),
        acknowledgements=json.dumps(said, ensure_ascii=False),
        ended_at=recall.ended_at,
        ended_by=recall.ended_by,
    )


def _recall_from_row(row: RecallRow) -> Recall:
    return Recall(
        id=RecallId(row.id),
        medicine=MedicineCode(row.medicine),
        batches=frozenset(texts_from_json(row.batches)),
        recall_class=RecallClass(row.recall_class),
        reference=row.reference,
        reason=row.reason,
        raised_by=row.raised_by,
        raised_at=row.raised_at,
        places=tuple(PlaceId(place) for place in texts_from_json(row.places)),
        acknowledgements=tuple(
            Acknowledgement(PlaceId(one["place"]), one["by"], moment_of_text(one["at"]), one["set_apart"])
            for one in json.loads(row.acknowledgements)
        ),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
