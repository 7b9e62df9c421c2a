"""The inbox: whoever floods waits behind itself."""

from __future__ import annotations

import threading

from orchestrator.adapters.mqtt.inbox import WAITING_MAX, Inbox

R1, R2, R3 = (f"uagv/v2/ward/R{i}/state" for i in (1, 2, 3))


def taken(inbox: Inbox) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    while (message := inbox.take()) is not None:
        found.append(message[:2])
    return found


def test_one_message_of_each_is_taken_before_a_second_one_of_any() -> None:
    inbox = Inbox()
    for i in range(50):
        inbox.put((R1, b"%d" % i, False), at_s=0.0)
    inbox.put((R2, b"order done", False), at_s=0.0)
    inbox.put((R3, b"order done", False), at_s=0.0)

    assert [topic for topic, _ in taken(inbox)[:4]] == [R1, R2, R3, R1]


def test_of_too_many_of_one_the_newest_are_kept_in_their_order() -> None:
    inbox = Inbox()
    for i in range(WAITING_MAX + 20):
        inbox.put((R1, b"%d" % i, False), at_s=0.0)

    assert [payload for _, payload in taken(inbox)] == [b"%d" % i for i in range(20, WAITING_MAX + 20)]
    assert inbox.dropped == {"overtaken": 20}


def test_ten_thousand_messages_of_one_hold_nobody_up_and_take_up_bounded_room() -> None:
    inbox = Inbox()
    mutes = sum(inbox.put((R1, b"x" * 1000, False), at_s=0.0).mutes for _ in range(10_000))
    inbox.put((R2, b"y", False), at_s=0.0)

    waiting = taken(inbox)

    assert mutes == 1
    assert waiting[1] == (R2, b"y")
    assert len(waiting) == WAITING_MAX + 1
    assert inbox.is_empty


def test_threads_that_put_and_take_lose_nothing_within_the_allowance() -> None:
    inbox, got = Inbox(), list[bytes]()
    senders = [f"uagv/v2/ward/T{i}/state" for i in range(8)]

    def put(topic: str) -> None:
        for i in range(WAITING_MAX):
            inbox.put((topic, f"{topic} {i}".encode(), False), at_s=0.0)

    threads = [threading.Thread(target=put, args=(topic,)) for topic in senders]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or not inbox.is_empty:
        message = inbox.take()
        if message is not None:
            got.append(message[1])
    for thread in threads:
        thread.join()

    assert sorted(got) == sorted(f"{topic} {i}".encode() for topic in senders for i in range(WAITING_MAX))
