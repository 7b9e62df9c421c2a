"""What custody knows of a delivery as JSON text, and back. It is written whole and never searched."""

from __future__ import annotations

from pydantic import TypeAdapter

from orchestrator.domain.custody.incident import FollowUp
from orchestrator.domain.delivery.custody_record import NOTHING_SAID, CustodyRecord

RECORD = TypeAdapter(CustodyRecord)
FOLLOW_UPS = TypeAdapter(tuple[FollowUp, ...])
NOTHING = "{}"


def record_to_json(record: CustodyRecord) -> str:
    """Return the text of a record; what was never said is left out."""
    return NOTHING if record == NOTHING_SAID else RECORD.dump_json(record, exclude_defaults=True).decode()


def record_from_json(text: str) -> CustodyRecord:
    """Return the record that `record_to_json` wrote."""
    return NOTHING_SAID if text == NOTHING else RECORD.validate_json(text)


def follow_ups_to_json(follow_ups: tuple[FollowUp, ...]) -> str:
    """Return the text of what was found out about an incident."""
    return FOLLOW_UPS.dump_json(follow_ups).decode()


def follow_ups_from_json(text: str) -> tuple[FollowUp, ...]:
    """Return what `follow_ups_to_json` wrote."""
    return FOLLOW_UPS.validate_json(text)
