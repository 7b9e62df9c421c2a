"""Committed files that are made from code are what the code makes today; `make generate` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.schemas import schema_texts
from orchestrator.adapters.site_report.form import SCHEMA_FILE, schema_text
from orchestrator.devices.asyncapi import DOCUMENT as ASYNCAPI
from orchestrator.devices.asyncapi import asyncapi_text
from orchestrator.http.access_paper import DOCUMENT as ACCESS
from orchestrator.http.access_paper import access_text
from orchestrator.http.openapi import DOCUMENT, openapi_text
from tests.support.shared_data import REPOSITORY

MADE: dict[Path, Callable[[], str]] = {DOCUMENT: openapi_text, ASYNCAPI: asyncapi_text}
MADE[REPOSITORY / SCHEMA_FILE] = schema_text
MADE[ACCESS] = access_text
MADE |= {built_in("schemas") / name: partial(schema_texts().__getitem__, name) for name in schema_texts()}


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_committed_file_has_not_drifted_from_the_code(path: Path) -> None:
    committed = path.read_text(encoding="utf-8")
    assert committed == MADE[path](), f"{path.name} differs from what the code makes: run `make generate` and commit it"


def test_no_schema_of_a_file_that_is_gone_stays_committed() -> None:
    assert {path.name for path in built_in("schemas").glob("*.json")} == set(schema_texts())
