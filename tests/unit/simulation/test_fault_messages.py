"""Faults of what robots say, on top of each other: two may befall one robot at once."""

from __future__ import annotations

import json
import random

import pytest

from orchestrator.vda5050.address import TopicKind
from simulation.faults.messages import SpeaksOutOfSchema

STATE = json.dumps({"operatingMode": "AUTOMATIC", "batteryState": {}, "errors": [], "actionStates": []}).encode()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_spoilt_already_is_spoilt_once_more(seed: int) -> None:
    chance = random.Random(seed)
    first, second = SpeaksOutOfSchema(chance), SpeaksOutOfSchema(chance)
    for _ in range(20):
        (once,) = first.outward(TopicKind.STATE, STATE)
        (twice,) = second.outward(TopicKind.STATE, once)
        assert json.loads(twice) != json.loads(STATE)
