"""What is shown of a robot's messages: decoded, compared, and what is wrong with each, by clause."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from orchestrator.domain.fleet.order import ActionKind
from orchestrator.vda5050.address import TopicKind, address_of_robot
from orchestrator.vda5050.clock_skew import MESSAGES
from orchestrator.vda5050.codec import encode
from orchestrator.vda5050.messages import AgvPosition, Load
from orchestrator.vda5050.watching import Watched, Watcher
from tests.support.robot_link import START, LinkOnClock, a_robot, a_state, an_action, an_error, an_order

PREFIX = "uagv/v2/ward/R1"


class Watch:
    def __init__(self, version: str = "2.1.0") -> None:
        self.watcher = Watcher(address_of_robot(a_robot(version=version)))

    def state(self, header_id: int = 0, *, is_retained: bool = False, **state: Any) -> Watched:
        payload = encode(a_state(header_id, **state), version="2.1.0")
        return self.raw("state", payload, is_retained=is_retained)

    def raw(self, kind: str, payload: bytes, *, is_retained: bool = False) -> Watched:
        now = START + timedelta(seconds=0.5)
        return self.watcher.take(f"{PREFIX}/{kind}", payload, now=now, is_retained=is_retained)


def sentences(watched: Watched) -> list[str]:
    return [complaint.text for complaint in watched.complaints]


def test_both_ways_are_listened_to() -> None:
    assert set(Watch().watcher.topics()) == {f"{PREFIX}/{kind.value}" for kind in TopicKind}


def test_a_state_is_one_line_of_what_matters() -> None:
    place = AgvPosition(x=1.25, y=-2, theta=1.5708, map_id="L1", position_initialized=True)
    shown = Watch().state(7, order="o-1", update=2, last="w1", last_sequence=2, ahead=(4, 6), agv_position=place).line()
    assert shown.startswith("08:00:00.500 ← state #7 age 0.5 s | order o-1/2 last w1(2) ahead 4,6 drives no ")
    assert "at L1 (1.25, -2.00) 90°" in shown
    assert "battery 80 % mode AUTOMATIC" in shown
    assert "!" not in shown


def test_a_clock_that_is_off_is_shown_once_enough_states_have_come_and_a_kept_one_does_not_count() -> None:
    watch = Watch()
    off = timedelta(seconds=0.5 + 90.0)
    shown = [watch.state(number, timestamp=START + off, is_retained=number == 0) for number in range(MESSAGES + 1)]

    assert [watched.clock_skew_s for watched in shown] == [None] * MESSAGES + [90.0]
    assert "its clock is 90.0 s ahead" in shown[-1].line()
    assert "its clock" not in shown[-2].line()
    assert json.loads(shown[-1].json_line())["clock_skew_s"] == 90.0


def test_what_changed_since_the_last_state_is_named() -> None:
    watch = Watch()
    assert watch.state(0, last="w0", ahead=(2,)).changes == {}
    changed = watch.state(1, last="w1", last_sequence=2, errors=[an_error()])
    assert changed.changes == {
        "last": ("w0(0)", "w1(2)"),
        "ahead": ("2", "nothing"),
        "errors": ("", "WARNING orderError: cannot"),
    }
    assert "changed: last w0(0) → w1(2), ahead 2 → nothing, errors - → WARNING orderError: cannot" in changed.line()


def test_gaps_repeats_and_restarts_of_header_ids_are_complaints() -> None:
    watch = Watch()
    watch.state(5)
    assert sentences(watch.state(6)) == []
    assert sentences(watch.state(9)) == ["2 header ids are missing before 9 [VDA 5050 2.1 §6.4]"]
    assert "headerId 9 again" in sentences(watch.state(9))[0]
    assert "went back from 9 to 0" in sentences(watch.state(0))[0]


def test_a_repair_names_its_place_and_clause() -> None:
    payload = encode(a_state(), version="2.1.0").replace(b'"eStop":"NONE"', b'"eStop":"perhaps"')
    shown = Watch().raw("state", payload)
    assert len(shown.complaints) == 1
    assert shown.complaints[0].sentence.startswith("safetyState.eStop: ")
    assert shown.complaints[0].clause == "§6.10.6"
    assert "safety e-stop MANUAL" in shown.line()


def test_what_cannot_be_read_says_why() -> None:
    shown = Watch().raw("state", b"not json")
    assert shown.tree is None
    assert "dropped" in shown.line()
    assert "§6.10" in shown.line()


def test_another_version_another_robot_and_a_kept_state_are_complaints() -> None:
    watch = Watch(version="2.0.0")
    told = " ".join(sentences(watch.state(is_retained=True, serial_number="R2")))
    assert "version is '2.1.0', the fleet file says '2.0.0'" in told
    assert "names another robot: 'ward' 'R2'" in told
    assert "the broker had kept it" in told
    assert "(retained)" in watch.state(1, is_retained=True).line()


def test_what_is_sent_to_the_robot_is_shown_too() -> None:
    bench, watch = LinkOnClock(), Watch()
    bench.link.want_order(an_order(), at_s=0)
    bench.link.want_action(an_action(ActionKind.PAUSE), at_s=0)
    shown = [watch.raw(message.topic.rsplit("/", 1)[1], message.payload).line() for message in bench.due().publishes]
    assert "→ instantActions #0" in shown[0]
    assert "actions startPause action-1" in shown[0]
    assert "→ order #0" in shown[1]
    assert "order order-1/0 released 2 of 4: w0(0) w1(2) w2(4) w3(6)" in shown[1]


def test_of_a_load_nothing_is_shown_but_its_id() -> None:
    shown = Watch().state(loads=(Load(load_id="tote-1", load_type="morphine 10 mg", weight=0.4),))
    assert "loads tote-1" in shown.line()
    assert "morphine" not in shown.line() + shown.json_line()
    assert json.loads(shown.json_line())["message"]["loads"] == [{"loadId": "tote-1"}]


def test_a_json_line_holds_the_whole_message_and_its_complaints() -> None:
    tree = json.loads(Watch().state(3, serial_number="R2").json_line())
    assert (tree["topic"], tree["direction"], tree["header_id"], tree["age_s"]) == ("state", "from_robot", 3, 0.5)
    assert tree["message"]["serialNumber"] == "R2"
    assert tree["complaints"][0]["clause"] == "§6.4"


def test_a_robots_words_write_no_line_of_their_own_and_no_order_to_the_terminal() -> None:
    wild = "\x1b[2J\x1b]0;x\x07\x9b1m\r\n08:00:00.500 ← state #9 | order forged"
    watch = Watch()
    tree = json.loads(encode(a_state(3, order=wild), version="2.1.0"))
    tree["version"] = wild
    tree["errors"] = [{"errorType": wild, "errorLevel": "WARNING", "errorDescription": "Tür\u202e zu"}]
    shown = watch.raw("state", json.dumps(tree).encode())

    line, as_json = shown.line(), shown.json_line()
    assert (line.isprintable(), as_json.isprintable()) == (True, True)
    assert r"order \u001b[2J" in line
    assert "Tür" in line
    assert json.loads(as_json)["message"]["orderId"] == wild
    shown = watch.raw("state", json.dumps({wild: 1} | tree | {"orderUpdateId": wild}).encode())
    assert shown.line().isprintable()
    assert all(each.isprintable() for each in watch.watcher.summary())


def test_departures_from_the_schema_are_counted_over_all_messages() -> None:
    address = address_of_robot(a_robot())
    watcher = Watcher(address)
    for number in range(3):
        tree = json.loads(encode(a_state(number), version="2.1.0"))
        if number != 1:
            del tree["safetyState"]["eStop"]
        watcher.take(address.topic("state"), json.dumps(tree).encode(), now=START)
    watcher.take(address.topic("state"), b"{}", now=START)

    heading, *others = watcher.summary()
    assert heading == "In 4 messages:"
    assert others[0].split() == "2 of state: safetyState.eStop: Field required [VDA 5050 2.1 §6.10.6]".split()
    assert others[1].startswith("     1 of state: A robot message was dropped")
