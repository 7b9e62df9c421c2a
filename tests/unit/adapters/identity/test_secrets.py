from __future__ import annotations

import re
import stat
import statistics
import threading
import time
from pathlib import Path

import pytest

from orchestrator.adapters.identity.secrets import KEY_FILE, Argon2Secrets, BadgeKeyError, key_in
from tests.support.staff import PIN, WRONG_PIN, cheap_secrets


def test_a_pin_fits_its_own_hash_alone() -> None:
    secrets = cheap_secrets()
    hashed = secrets.hash_pin(PIN)
    assert hashed.startswith("$argon2id$")
    assert hashed != secrets.hash_pin(PIN), "salted"
    assert secrets.is_pin(PIN, hashed)
    assert not secrets.is_pin(WRONG_PIN, hashed)
    assert not secrets.is_pin(PIN, None)
    assert not secrets.is_pin(PIN, "no hash at all")


def test_the_real_cost_is_that_of_the_memory_hard_recommendation() -> None:
    assert "$m=65536,t=3,p=1$" in Argon2Secrets(b"k" * 32).hash_pin(PIN)


def test_an_unknown_badge_takes_as_long_as_a_wrong_pin() -> None:
    secrets = Argon2Secrets(b"k" * 32, time_cost=2, memory_kib=8192)
    hashed = secrets.hash_pin(PIN)

    def cpu_s(of: str | None) -> float:
        begun_s = time.thread_time()
        secrets.is_pin(WRONG_PIN, of)
        return time.thread_time() - begun_s

    pairs = [(cpu_s(hashed), cpu_s(None)) for _ in range(30)]
    ratio = statistics.median(known / unknown for known, unknown in pairs)
    assert 0.7 < ratio < 1.4, ratio


def test_codes_are_random_and_digests_need_the_key() -> None:
    secrets = cheap_secrets()
    assert re.fullmatch(r"\d{6}", secrets.new_pin())
    assert len({secrets.new_badge() for _ in range(100)}) == 100
    assert len(secrets.new_token()) >= 43, "256 bits in base64"
    assert secrets.digest_badge("b") == cheap_secrets().digest_badge("b")
    assert secrets.digest_badge("b") != Argon2Secrets(b"x" * 32, time_cost=1, memory_kib=8).digest_badge("b")


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(key_in(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {key_in(tmp_path)}
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_that_was_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(BadgeKeyError, match="backup"):
        key_in(tmp_path)
