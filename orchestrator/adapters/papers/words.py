"""Words for what programs name by codes: whoever reads a paper at night has no list of codes beside it."""

from __future__ import annotations

from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.delivery.custody_record import BasisKind
from orchestrator.domain.medicine.model import StorageKind
from orchestrator.domain.medicine.recall import RecallClass

INCIDENTS = {
    IncidentKind.SHORT: "counted short",
    IncidentKind.OVER: "counted over",
    IncidentKind.SEAL_DIFFERS: "another seal",
    IncidentKind.SEAL_BROKEN: "seal broken",
    IncidentKind.WRONG_CONTENTS: "wrong contents",
    IncidentKind.DRAWER_FORCED: "drawer forced",
    IncidentKind.DRAWER_NOT_EMPTY: "drawer not empty",
    IncidentKind.DRAWER_LEFT_OPEN: "drawer left open",
    IncidentKind.BREAK_GLASS: "opened in an emergency",
    IncidentKind.MECHANICAL_KEY: "opened by key",
    IncidentKind.TEMPERATURE: "temperature",
    IncidentKind.CUSTODY_WITHOUT_PERSON: "nobody accountable",
    IncidentKind.BREAKAGE: "broken or spilt",
    IncidentKind.LOST: "lost",
    IncidentKind.OTHER: "other",
}
RECALLS = {
    RecallClass.PATIENT_SAFETY_ALERT: "National Patient Safety Alert: act at once",
    RecallClass.CLASS_TWO: "class 2: act within 48 hours",
    RecallClass.CLASS_THREE: "class 3: act within 5 days",
    RecallClass.CLASS_FOUR: "class 4: caution in use",
}
BASES = {
    BasisKind.WARD_REQUISITION: "ward requisition",
    BasisKind.PRESCRIPTION: "prescription",
    BasisKind.DISCHARGE_ORDER: "discharge order",
    BasisKind.TOP_UP_LIST: "top-up list",
    BasisKind.TRANSFER_FORM: "transfer form",
    BasisKind.RETURN_NOTE: "return note",
}
KEPT = {StorageKind.ROOM.value: "room", StorageKind.FRIDGE.value: "fridge, 2\u00a0to\u00a08\u00a0\u00b0C"}
ACCOUNTS = {
    AccountKind.SUPPLIER: "from suppliers",
    AccountKind.OPENING: "opening balances",
    AccountKind.CUPBOARD: "in cupboards",
    AccountKind.TRANSIT: "on the way",
    AccountKind.QUARANTINE: "set apart",
    AccountKind.RETURNED: "came back, not restocked",
    AccountKind.PATIENT: "to patients",
    AccountKind.DESTROYED: "destroyed or wasted",
    AccountKind.BROKEN: "broken",
    AccountKind.TOLERATED: "missing, within tolerance",
    AccountKind.OVER: "over, under investigation",
    AccountKind.SHORT: "short, under investigation",
}
HELD = {
    AccountKind.CUPBOARD: "in the cupboard",
    AccountKind.QUARANTINE: "set apart: do not use",
    AccountKind.RETURNED: "came back, not restocked",
}
"""Where at a place units lie."""
