"""The committed JSON Schemas of the configuration files.

``python -m orchestrator.adapters.config.schemas`` rewrites them.
"""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.checked import FileModel
from orchestrator.adapters.config.fleet_file import FleetFile
from orchestrator.adapters.config.medicine_file import CatalogueFile
from orchestrator.adapters.config.policy_file import PolicyFile
from orchestrator.adapters.config.robot_model_file import RobotModelFile
from orchestrator.adapters.config.site_form import SiteFile

_KINDS: dict[str, type[FileModel]] = {
    "catalogue": CatalogueFile,
    "fleet": FleetFile,
    "policy": PolicyFile,
    "robot_model": RobotModelFile,
    "site": SiteFile,
}


def schema_texts() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    texts: dict[str, str] = {}
    for name, kind in _KINDS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model_json_schema()}
        texts[f"{name}.schema.json"] = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    return texts


def write_schemas(folder: Path) -> None:
    """Write every schema into ``folder``."""
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(built_in("schemas"))
