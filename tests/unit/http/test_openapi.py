from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from orchestrator.http import openapi

POSTS = [
    "/api/v1/deliveries",
    "/api/v1/deliveries/{delivery}/load",
    "/api/v1/deliveries/{delivery}/receipt",
    "/api/v1/deliveries/{delivery}/cancel",
]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(openapi.openapi_text())


def test_committed_document_is_what_the_code_says() -> None:
    assert openapi.main(["--check"]) == 0, "run python -m orchestrator.http.openapi"


def test_drift_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    monkeypatch.setattr(openapi, "DOCUMENT", tmp_path / "openapi.json")
    assert openapi.main(["--check"]) == 1
    assert "python -m orchestrator.http.openapi" in capsys.readouterr().err
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0
    (tmp_path / "openapi.json").write_text("{}\n")
    assert openapi.main(["--check"]) == 1


def test_document_does_not_depend_on_the_hash_seed() -> None:
    code = "import sys; from orchestrator.http.openapi import openapi_text; sys.stdout.write(openapi_text())"
    environment = {**os.environ, "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout == openapi.openapi_text()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    found = references(document)
    assert found
    assert {reference.removeprefix("#/components/schemas/") for reference in found} <= set(schemas)


@pytest.mark.parametrize("path", POSTS)
def test_post_declares_both_headers_and_its_refusals(document: dict[str, Any], path: str) -> None:
    operation = document["paths"][path]["post"]
    headers = {each["name"]: each["required"] for each in operation["parameters"] if each["in"] == "header"}
    assert headers.pop("Idempotency-Key") is True
    assert headers in ({}, {"Wardporter-Step-Up": False})
    assert operation["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {"400", "401", "403", "409", "413", "415", "422"} <= set(operation["responses"])


def test_request_models_refuse_unknown_fields(document: dict[str, Any]) -> None:
    for name in ("DeliveryAsked", "LineAsked", "LoadAsked", "ReceiptAsked", "CountAsked", "CancelAsked"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
