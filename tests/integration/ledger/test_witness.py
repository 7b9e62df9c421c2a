"""A witness in another process: it keeps what grows and refuses the rest, in the words of C2SP tlog-witness."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from orchestrator.adapters.ledger_key import is_signed, ledger_key
from orchestrator.adapters.witness import HttpWitness, kept_heads
from orchestrator.application.ledger_heads import HeadKeeper, Witnessing, WitnessUnreachableError
from orchestrator.application.ledger_keeping import LedgerHaltedError, LedgerTerms
from orchestrator.bootstrap_ledger import WitnessSettingError, witness_app, witness_at
from orchestrator.domain.custody.checkpoint import KeyName, SignedHead, is_cosigned
from orchestrator.domain.custody.merkle import consistency_proof
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.witnessing import InconsistentHeadError, StaleHeadError
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.ledgers import ORIGIN, sealing
from tests.support.served_app import served


@dataclass
class Ledger:
    """A ledger in memory, and the heads it had."""

    store: MemoryStore
    terms: LedgerTerms

    def add(self, *lines: str) -> None:
        with self.store.transaction() as uow:
            for line in lines:
                uow.ledger.append(sealing(line), NOON)

    def head(self) -> SignedHead:
        with self.store.reading() as uow:
            text = uow.ledger.newest_head()
        assert text is not None
        return SignedHead.parse(text)

    def proof(self, old: int) -> Sequence[bytes]:
        with self.store.reading() as uow:
            return consistency_proof(old, uow.ledger.size, uow.ledger.nodes)


def a_ledger(folder: Path, *lines: str, origin: LedgerOrigin = ORIGIN) -> Ledger:
    terms = LedgerTerms(origin, signer=ledger_key(folder / "key", origin))
    made = Ledger(MemoryStore(terms), terms)
    if lines:
        made.add(*lines)
    return made


@dataclass
class Place:
    """Where the witness is, its folder and its key."""

    url: str
    folder: Path
    key: KeyName


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    ledger_key(tmp_path / "key", ORIGIN)
    folder = tmp_path / "witness"
    app, key = witness_app(folder, name="witness-1", ledger_keys=[tmp_path / "key" / "ledger-simulation.pub"])
    with served(app) as url:
        yield Place(url, folder, key)


def post(place: Place, head: SignedHead, *, old: int, proof: Sequence[bytes] = ()) -> httpx2.Response:
    lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", head.text]
    return httpx2.post(f"{place.url}/add-checkpoint", content="\n".join(lines).encode())


def test_heads_that_grow_are_kept_and_signed(place: Place, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, "line-1", "line-2")
    first = post(place, ledger.head(), old=0)
    assert first.status_code == 200, first.text
    ledger.add("line-3", "line-4", "line-5")
    second = HttpWitness(place.url).keep(ledger.head(), old=2, proof=ledger.proof(2))
    assert is_cosigned(ledger.head().with_signatures(second), place.key, is_signed)
    again = HttpWitness(place.url).keep(ledger.head(), old=5, proof=())
    assert again == second
    assert [file.name for file in kept_heads(place.folder)] == ["head-000000000002.note", "head-000000000005.note"]
    newest = SignedHead.parse(httpx2.get(f"{place.url}/heads/{ORIGIN.line}").text)
    assert newest.checkpoint.size == 5
    assert is_cosigned(newest, place.key, is_signed)
    assert (place.folder / "witness.key").stat().st_mode & 0o777 == 0o600


def test_what_does_not_grow_is_refused_by_the_right_status(place: Place, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, "line-1", "line-2", "line-3")
    post(place, ledger.head(), old=0)
    older = a_ledger(tmp_path, "line-1", "line-2")
    forged = a_ledger(tmp_path, "line-1", "line-9", "line-3", "line-4")
    same_size = a_ledger(tmp_path, "line-1", "line-9", "line-3")
    stale = post(place, older.head(), old=0)
    assert (stale.status_code, stale.headers["content-type"], stale.text) == (409, "text/x.tlog.size", "3\n")
    assert post(place, forged.head(), old=0, proof=forged.proof(0)).status_code == 409
    assert post(place, forged.head(), old=3, proof=forged.proof(3)).status_code == 422
    assert post(place, same_size.head(), old=3).status_code == 409
    for wrong, old, error in (
        (older, 0, StaleHeadError),
        (forged, 3, InconsistentHeadError),
        (same_size, 3, InconsistentHeadError),
    ):
        with pytest.raises(error):
            HttpWitness(place.url).keep(wrong.head(), old=old, proof=wrong.proof(old))
    assert len(kept_heads(place.folder)) == 1


def test_foreign_and_unsigned_heads_are_refused(place: Place, tmp_path: Path) -> None:
    real = a_ledger(tmp_path, "line-1", origin=LedgerOrigin("small-house", is_simulation=False))
    assert post(place, real.head(), old=0).status_code == 404
    other_key = a_ledger(tmp_path / "other", "line-1")
    assert post(place, other_key.head(), old=0).status_code == 403
    head = a_ledger(tmp_path, "line-1").head()
    (signature,) = head.signatures
    broken = replace(head, signatures=(replace(signature, signature=bytes(64)),))
    assert post(place, broken, old=0).status_code == 403
    assert not kept_heads(place.folder)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n\n",
        b"old x\n\nhead",
        b"\xff\xfe",
        b"old 0\nnot base64\n\n%s",
        b"old 9\n\n%s",
        b"old 0\nAAAA\n\n%s",
    ],
)
def test_what_is_no_request_is_refused(place: Place, tmp_path: Path, body: bytes) -> None:
    head = a_ledger(tmp_path, "line-1").head().text.encode()
    content = body % head if b"%s" in body else body
    assert httpx2.post(f"{place.url}/add-checkpoint", content=content).status_code == 400
    assert httpx2.post(f"{place.url}/add-checkpoint", content=b"x" * 70_000).status_code == 413
    assert httpx2.get(f"{place.url}/heads/wardporter/elsewhere").status_code == 404


def test_a_keeper_goes_on_with_a_witness_over_http_and_is_stopped_by_it(place: Place, tmp_path: Path) -> None:
    def keeper_of(ledger: Ledger) -> HeadKeeper:
        return HeadKeeper(ledger.store, ledger.terms, is_signed=is_signed, witness=HttpWitness(place.url))

    ledger = a_ledger(tmp_path, "line-1", "line-2")
    keeper = keeper_of(ledger)
    assert keeper.keep().witnessing is Witnessing.AGREED
    ledger.add("line-3")
    standing = keeper.keep()
    assert (standing.witnessing, standing.witnessed) == (Witnessing.AGREED, 3)
    assert standing.head is not None
    assert is_cosigned(SignedHead.parse(standing.head), place.key, is_signed)
    assert keeper_of(ledger).keep().witnessing is Witnessing.AGREED, "as after a start"
    forged = a_ledger(tmp_path, "line-1", "line-9", "line-3", "line-4")
    assert keeper_of(forged).keep().witnessing is Witnessing.INCONSISTENT
    with pytest.raises(LedgerHaltedError):
        forged.add("line-5")
    empty = a_ledger(tmp_path)
    assert keeper_of(empty).keep().witnessing is Witnessing.INCONSISTENT


def test_a_witness_that_is_gone_is_not_reached(place: Place, tmp_path: Path) -> None:
    head = a_ledger(tmp_path, "line-1").head()
    for url in ("http://127.0.0.1:9", f"{place.url}/nothing-here"):
        with pytest.raises(WitnessUnreachableError):
            HttpWitness(url).keep(head, old=0, proof=())


class _Stranger(BaseHTTPRequestHandler):
    """Something else that listens where the witness should, and is well at any rate."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        is_endless = self.path.startswith("/endless")
        self.send_header("Content-Length", str(10**9 if is_endless else 0))
        self.end_headers()
        with contextlib.suppress(OSError):
            while is_endless:
                self.wfile.write(b"x" * 1024)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("path", ["", "/endless"])
def test_whatever_answers_and_signs_nothing_keeps_nothing(tmp_path: Path, path: str) -> None:
    ledger = a_ledger(tmp_path, "line-1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stranger)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        witness = HttpWitness(f"http://127.0.0.1:{server.server_port}{path}")
        keeper = HeadKeeper(ledger.store, ledger.terms, is_signed=is_signed, witness=witness)
        standing = keeper.keep()
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    assert (standing.witnessing, standing.unwitnessed) == (Witnessing.UNREACHED, 1)


def test_a_witness_beyond_this_machine_is_spoken_to_over_tls_alone() -> None:
    key = KeyName(ORIGIN.line, bytes(32))
    for url in ("http://witness.example", "ftp://127.0.0.1", "mqtt://x"):
        with pytest.raises(WitnessSettingError):
            witness_at(url, key)
    for url in ("https://witness.example", "http://127.0.0.1:8100"):
        assert isinstance(witness_at(url, key), HttpWitness)
