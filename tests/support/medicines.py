"""Medicines for tests; codes that begin with 999 belong to nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.domain.medicine.model import Medicine, MedicineCode
from orchestrator.domain.medicine.schedule import Schedule

MORPHINE_GTIN = "05012345678900"

MORPHINE = Medicine(
    code=MedicineCode("36126511000001106"),
    name="Morphine sulfate",
    form="modified-release tablet",
    strength="10 mg",
    unit="tablet",
    drug_class="morphine",
    schedule=Schedule.TWO,
    pack_size=60,
    gtins=(MORPHINE_GTIN,),
    is_test_data=True,
)


def a_medicine(code: str = "99900000000001", **changes: Any) -> Medicine:
    """Return an ordinary medicine, made up, with some fields changed."""
    ordinary = Medicine(
        code=MedicineCode(code),
        name="Paracetamol",
        form="tablet",
        strength="500 mg",
        unit="tablet",
        drug_class="paracetamol",
        schedule=Schedule.NONE,
        is_test_data=True,
    )
    return replace(ordinary, **changes)
