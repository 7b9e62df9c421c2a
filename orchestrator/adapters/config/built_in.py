"""Where the configuration that comes with Wardporter lies: beside the package, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

import orchestrator
from orchestrator.domain.errors import NotFoundError

DEMO_SITE = "sites/demo_hospital.site.yaml"
DEMO_MEDICINES = "medicines/demo.medicines.yaml"
DEMO_FLEET = "fleets/demo.fleet.yaml"
DEFAULT_POLICY = "policies/default.policy.yaml"
ROBOT_MODELS = "robot_models"


def built_in(name: str) -> Path:
    """Return the path of a built-in configuration file or folder, such as ``sites/demo_hospital.site.yaml``.

    Raises
    ------
    NotFoundError
        There is no such file.
    """
    root = Path(orchestrator.__file__).resolve().parent.parent / "fleet_config"
    path = root / name
    if not path.exists():
        raise NotFoundError(
            f"No configuration named {name!r} comes with Wardporter; expected a path inside fleet_config, such as "
            f"{DEMO_SITE}. Name your own file with its full path.",
            detail={"name": name},
        )
    return path
