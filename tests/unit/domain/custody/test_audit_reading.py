"""What an entry's text may be: whatever else stands there is a bad entry, named, and never a fault of the reader."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.custody.audit import KEYS, Audit, BadLedgerError

FIRST = "0" * 64
GOOD = {
    **dict.fromkeys(KEYS),
    "facts": {},
    "index": 0,
    "kind": "custody",
    "occurred_at": "2026-11-26T18:20:34.000001Z",
    "opens": [],
    "place": "ward-a",
    "postings": [],
    "previous": FIRST,
    "reason": "",
    "recorded_at": "2026-11-26T18:20:34.000001Z",
    "resolves": [],
    "signatures": [],
    "v": 1,
}
TEXT = json.dumps(GOOD, sort_keys=True, separators=(",", ":")).encode()


def take(body: bytes) -> None:
    Audit(FIRST).take(body, sha256(b"\x00" + body).hexdigest())


def test_an_entry_as_it_is_written_is_read() -> None:
    take(TEXT)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b" " + TEXT,
        TEXT + b" ",
        TEXT + TEXT,
        TEXT.decode().encode("utf-16"),
        b"\xff" + TEXT,
        b"[" * 200_000,
        b'{"a":' * 200_000,
        TEXT.replace(b'"facts":{}', b'"facts":' + b"[" * 200_000 + b"]" * 200_000),
    ],
    ids=[
        "nothing",
        "cut",
        "null",
        "list",
        "before",
        "after",
        "two",
        "utf-16",
        "not-utf-8",
        "deep",
        "deep-keys",
        "inside",
    ],
)
def test_any_other_text_is_a_bad_entry(body: bytes) -> None:
    with pytest.raises(BadLedgerError, match="Entry 0 is bad") as refused:
        take(body)
    assert refused.value.entry == 0


SEALED = {
    **GOOD,
    "facts": {"to_place": "ward-b"},
    "kind": "sealed",
    "opens": ["line-1"],
    "postings": [["cupboard", "ward-a", "m", "b", None, -3], ["transit", "tote-1", "m", "b", None, 3]],
    "signatures": [["person-1", "actor", "pharmacist", None], ["person-2", "witness", "pharmacist", None]],
}
SAID = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["transit", "broken"]),
    lambda said: (
        st.lists(said, max_size=6) | st.dictionaries(st.text(max_size=3) | st.just("pending"), said, max_size=3)
    ),
)


def written(said: object) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def test_a_sealed_line_as_it_is_written_is_read() -> None:
    take(written(SEALED))


@given(st.sampled_from([GOOD, SEALED]), st.sampled_from(sorted(KEYS)), SAID)
def test_a_value_of_whatever_kind_is_read_or_named(good: dict[str, object], key: str, value: object) -> None:
    with suppress(BadLedgerError):
        take(written({**good, key: value}))


@given(st.sampled_from(["postings", "signatures", "opens", "resolves"]), st.lists(SAID, min_size=1, max_size=3))
def test_a_list_of_whatever_is_read_or_named(key: str, value: list[object]) -> None:
    with suppress(BadLedgerError):
        take(written({**SEALED, key: value}))
