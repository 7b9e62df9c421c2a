from __future__ import annotations

import pytest

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.application.scanning import Scanner
from orchestrator.domain.custody.errors import PatientMissingError
from orchestrator.http.presence import reference_said
from tests.support.deliveries import NOON

SCANNER = Scanner(GsBarcodes(), is_simulation=True)


def test_a_patient_is_named_alike_however_a_register_is_told() -> None:
    assert reference_said(SCANNER, "999 054 8609", at=NOON) == "nhs:9990548609"
    assert reference_said(SCANNER, "local:ED/26 4", at=NOON) == reference_said(SCANNER, "ED/26 4", at=NOON)


@pytest.mark.parametrize("said", [" ", "local:", "local: ", "ED-4 ", "local:ED-4\n", "Ж-4"])
def test_a_local_number_that_nobody_can_tell_from_another_is_refused(said: str) -> None:
    with pytest.raises(PatientMissingError):
        reference_said(SCANNER, said, at=NOON)
