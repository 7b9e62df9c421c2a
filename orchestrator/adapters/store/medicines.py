"""The catalogue of medicines in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, func, select

from orchestrator.adapters.store.rows import ClassificationRow, MedicineGtinRow, MedicineRow
from orchestrator.adapters.store.tables import insert_rows, rows_by, select_rows, table_of
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import (
    Classification,
    Medicine,
    MedicineCode,
    NeverByRobot,
    Storage,
    StorageKind,
    unknown_medicine,
)
from orchestrator.domain.medicine.schedule import Schedule

MEDICINE = table_of(MedicineRow)
GTIN = table_of(MedicineGtinRow)
CLASSIFICATION = table_of(ClassificationRow)

CODES_AT_ONCE = 500
"""How many codes one statement names; SQLite counts the parameters of a statement."""


class SqlMedicines:
    """Medicines, their trade item numbers, and what pharmacists said of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, code: MedicineCode) -> Medicine:
        """Return the medicine; one that nobody knows is returned as unclassified."""
        return self.find(code) or unknown_medicine(code)

    def find(self, code: MedicineCode) -> Medicine | None:
        """Return the medicine if it is known."""
        rows = rows_by(self._connection, MedicineRow, code=code)
        if not rows:
            return None
        gtins = rows_by(self._connection, MedicineGtinRow, code=code)
        return _medicine_from_row(rows[0], tuple(sorted(row.gtin for row in gtins)))

    def by_gtin(self, gtin: str) -> Medicine | None:
        """Return the medicine whose pack has a trade item number."""
        code = self._connection.execute(select(GTIN.c.code).where(GTIN.c.gtin == gtin)).scalar()
        return None if code is None else self.find(MedicineCode(code))

    def save(self, medicines: Collection[Medicine]) -> None:
        """Keep medicines, each in place of what was known of its code."""
        codes = [medicine.code for medicine in medicines]
        for start in range(0, len(codes), CODES_AT_ONCE):
            some = codes[start : start + CODES_AT_ONCE]
            self._connection.execute(delete(GTIN).where(GTIN.c.code.in_(some)))
            self._connection.execute(delete(MEDICINE).where(MEDICINE.c.code.in_(some)))
        insert_rows(self._connection, [_medicine_to_row(medicine) for medicine in medicines])
        insert_rows(
            self._connection,
            [MedicineGtinRow(gtin=gtin, code=medicine.code) for medicine in medicines for gtin in medicine.gtins],
        )

    def page(self, *, after: MedicineCode | None, limit: int) -> Sequence[Medicine]:
        """Return up to ``limit`` medicines by code, beyond ``after``."""
        statement = select(MEDICINE).order_by(MEDICINE.c.code).limit(limit)
        if after is not None:
            statement = statement.where(MEDICINE.c.code > after)
        return self._medicines(select_rows(self._connection, MedicineRow, statement))

    def add_classification(self, classification: Classification) -> None:
        """Keep what a person said of a medicine."""
        newest = self._connection.execute(select(func.max(CLASSIFICATION.c.number))).scalar() or 0
        row = ClassificationRow(
            number=newest + 1,
            code=classification.code,
            at=classification.at,
            by=classification.by,
            category=classification.schedule.value,
            handle_as=None if classification.handle_as is None else classification.handle_as.value,
            reason=classification.reason,
        )
        insert_rows(self._connection, [row])

    def classifications(self, code: MedicineCode) -> Sequence[Classification]:
        """Return what was said of a medicine, oldest first."""
        statement = select(CLASSIFICATION).where(CLASSIFICATION.c.code == code).order_by(CLASSIFICATION.c.number)
        return [
            Classification(
                MedicineCode(row.code), row.at, row.by, Schedule(row.category), _class_of(row.handle_as), row.reason
            )
            for row in select_rows(self._connection, ClassificationRow, statement)
        ]

    def _medicines(self, rows: Sequence[MedicineRow]) -> list[Medicine]:
        gtins: dict[str, list[str]] = {row.code: [] for row in rows}
        statement = select(GTIN).where(GTIN.c.code.in_(list(gtins))).order_by(GTIN.c.gtin)
        for row in select_rows(self._connection, MedicineGtinRow, statement):
            gtins[row.code].append(row.gtin)
        return [_medicine_from_row(row, tuple(gtins[row.code])) for row in rows]


def _class_of(value: str | None) -> HandlingClass | None:
    return None if value is None else HandlingClass(value)


def _medicine_to_row(medicine: Medicine) -> MedicineRow:
    return MedicineRow(
        code=medicine.code,
        name=medicine.name,
        form=medicine.form,
        strength=medicine.strength,
        unit=medicine.unit,
        drug_class=medicine.drug_class,
        category=None if medicine.schedule is None else medicine.schedule.value,
        pack_size=medicine.pack_size,
        handle_as=None if medicine.handle_as is None else medicine.handle_as.value,
        storage=medicine.storage.kind.value,
        out_of_fridge_min=medicine.storage.out_of_fridge_min,
        never_by_robot=None if medicine.never_by_robot is None else medicine.never_by_robot.value,
        is_test_data=medicine.is_test_data,
    )


def _medicine_from_row(row: MedicineRow, gtins: tuple[str, ...]) -> Medicine:
    return Medicine(
        code=MedicineCode(row.code),
        name=row.name,
        form=row.form,
        strength=row.strength,
        unit=row.unit,
        drug_class=row.drug_class,
        schedule=None if row.category is None else Schedule(row.category),
        pack_size=row.pack_size,
        handle_as=_class_of(row.handle_as),
        storage=Storage(StorageKind(row.storage), row.out_of_fridge_min),
        never_by_robot=None if row.never_by_robot is None else NeverByRobot(row.never_by_robot),
        gtins=gtins,
        is_test_data=row.is_test_data,
    )
