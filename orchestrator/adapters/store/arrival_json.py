"""When a delivery is expected as JSON text, and back. It is written whole and never searched."""

from __future__ import annotations

from pydantic import TypeAdapter

from orchestrator.domain.delivery.arrival import NOT_FORECAST, Arrival

ARRIVAL = TypeAdapter(Arrival)
NOTHING = "{}"


def arrival_to_json(arrival: Arrival) -> str:
    """Return the text of an arrival; what was never said is left out."""
    return NOTHING if arrival == NOT_FORECAST else ARRIVAL.dump_json(arrival, exclude_defaults=True).decode()


def arrival_from_json(text: str) -> Arrival:
    """Return the arrival that `arrival_to_json` wrote."""
    return NOT_FORECAST if text == NOTHING else ARRIVAL.validate_json(text)
