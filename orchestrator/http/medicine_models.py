"""What is asked and answered about medicines."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from orchestrator.application.medicine_catalogue import ClassificationRequest
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.medicine.model import (
    TEXT_LENGTH_MAX,
    Medicine,
    NeverByRobot,
    StorageKind,
)
from orchestrator.domain.medicine.schedule import Schedule
from orchestrator.domain.reason import REASON_LENGTH_MAX
from orchestrator.http.request_models import ID_LENGTH_MAX, PAGE_MAX, Strict

Words = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]


class ClassifyAsked(Strict):
    """What a pharmacist says of a medicine; the words are needed where no catalogue has it."""

    category: Annotated[Schedule, Field(strict=False, description="dm+d category code, such as 0002")]
    handle_as: Annotated[HandlingClass, Field(strict=False)] | None = None
    reason: str = Field(min_length=1, max_length=REASON_LENGTH_MAX)
    name: Words | None = None
    form: Words | None = None
    strength: Words | None = None
    unit: Words | None = None
    drug_class: Words | None = None

    def to_request(self, code: str) -> ClassificationRequest:
        """Return it as the use case takes it."""
        said = self.model_dump(exclude={"category"})
        return ClassificationRequest(code=code, schedule=self.category, **said)


class MedicinesQuery(Strict):
    """Which page of the catalogue."""

    after: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)
    limit: Annotated[int, Field(strict=False, ge=1, le=PAGE_MAX)] = 50


class MedicineView(BaseModel):
    """A medicine. ``category`` is null while nobody has said its schedule; it is handled as controlled then."""

    code: str
    name: str
    form: str
    strength: str
    unit: str
    drug_class: str
    category: Schedule | None
    schedule: str | None
    handling_class: HandlingClass
    pack_size: int | None
    storage: StorageKind
    out_of_fridge_min: int | None
    never_by_robot: NeverByRobot | None
    gtins: list[str]
    is_test_data: bool


class MedicinesView(BaseModel):
    """A page of the catalogue, by code; ``next`` is the ``after`` of the next page, null at the end."""

    medicines: list[MedicineView]
    next: str | None


def medicine_view(medicine: Medicine) -> MedicineView:
    """Return a medicine as shown."""
    return MedicineView(
        code=medicine.code,
        name=medicine.name,
        form=medicine.form,
        strength=medicine.strength,
        unit=medicine.unit,
        drug_class=medicine.drug_class,
        category=medicine.schedule,
        schedule=None if medicine.schedule is None else medicine.schedule.label,
        handling_class=medicine.handling_class,
        pack_size=medicine.pack_size,
        storage=medicine.storage.kind,
        out_of_fridge_min=medicine.storage.out_of_fridge_min,
        never_by_robot=medicine.why_never_by_robot,
        gtins=list(medicine.gtins),
        is_test_data=medicine.is_test_data,
    )
