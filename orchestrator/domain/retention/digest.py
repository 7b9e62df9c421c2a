"""The digest of what is purged: SHA-256 over one line of canonical JSON for each record, in the order of their ids.

So whoever kept a copy can show that it is the copy of what went, and the ledger says that nothing else did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, cast

from orchestrator.domain.custody.canonical import moment_text

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def digest_of(records: Iterable[Mapping[str, object]]) -> str:
    """Return the digest of records, in hex; each has an ``id``, and their order does not matter."""
    digest = hashlib.sha256()
    for record in sorted(records, key=lambda record: str(record["id"])):
        digest.update(_encode(plain(record)).encode() + b"\n")
    return digest.hexdigest()


def plain(value: object) -> Any:
    """Return a value as JSON knows it; raises TypeError for one that has more than one way to be written.

    Keys that differ between versions of a record are written as they are: what is None is there too.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in cast("list[object]", value)]
    raise TypeError(f"a {type(value).__name__} is not written into a digest")
