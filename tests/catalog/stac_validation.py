"""The official validator, with every schema read from disk."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from stac_validator.stac_validator import StacValidate

from catalog.items.extensions import SCHEMA_ROOT

HERE = Path(__file__).parent
EXTENSIONS = HERE / "stac_schemas"
OURS = Path(str(files("catalog"))) / "schemas"
CORE = Path(str(files("pystac.validation"))) / "jsonschemas"


def find_faults(document: Mapping[str, Any]) -> list[str]:
    """Return what the validator says is wrong with an item, a collection or a catalog.

    Our own schemas are read from disk, and from the server if it published the document.
    """
    validator = StacValidate(schema_map=schema_paths())
    validator.validate_dict(copy.deepcopy(dict(document)))
    return [
        f"{message.get('error_type')}: {message.get('error_message')}"
        for message in validator.message
        if not message["valid_stac"]
    ]


def schema_paths() -> dict[str, str]:
    """Return where on disk each published schema is, and each of ours, by address."""
    published = [*CORE.glob("geojson/*.json"), *EXTENSIONS.glob("*.json")]
    found = {json.loads(path.read_text("utf-8"))["$id"].rstrip("#"): str(path) for path in published}
    for path in CORE.glob("stac-spec/v1.1.0/*.json"):
        # By name, for one of these files misspells its own $id.
        spec = path.stem if path.stem in {"item", "collection", "catalog"} else "item"
        found[f"https://schemas.stacspec.org/v1.1.0/{spec}-spec/json-schema/{path.name}"] = str(path)
    for path in OURS.rglob("schema.json"):
        found[f"{SCHEMA_ROOT}schemas/{path.relative_to(OURS).as_posix()}"] = str(path)
    return found
