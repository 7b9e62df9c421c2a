"""Ids of what a delivery is made of."""

from __future__ import annotations

from typing import NewType

JobId = NewType("JobId", str)
DeliveryId = NewType("DeliveryId", str)
LineId = NewType("LineId", str)
ToteId = NewType("ToteId", str)
TripId = NewType("TripId", str)
