"""Schemathesis over the whole OpenAPI document of the server: no 5xx, no undocumented status, no other media type."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

import datacommons as dc
from catalog.collections import LAND_COVER
from datacommons.door.server import create_app
from datacommons.plans.desk import open_desk

pytestmark = pytest.mark.long

TOKEN = "a secret of the owner"
SECONDS = 60  # for all operations together
EXAMPLES = 12
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
# What is there, so that more is reached than "not found".
KNOWN = {
    "collection_id": LAND_COVER,
    "landscape_id": "valley",
    "item_id": "valley-land-cover-1990",
    "run_id": "valley-roads-1",
    "year": 2001,
    "tileMatrixSetId": "WebMercatorQuad",
    "name": "landscape",
    "version": "v1.0.0",
}


@pytest.fixture
def operations(lived_in: Path, tmp_path: Path) -> Iterator[list[Any]]:
    with dc.open(shutil.copytree(lived_in, tmp_path / "valley")) as commons, open_desk(commons) as desk:
        app = create_app(commons, write_token=TOKEN, desk=desk)
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
        yield [found.ok() for found in schema.get_all_operations()]


def probe(operation: Any, examples: int, known: Mapping[str, Any], **parts: Any) -> list[str]:
    """Send generated requests; return what is wrong with the answers.

    Parameters
    ----------
    operation : APIOperation
    examples : int
    known : mapping
        What stands in the path where it has such a part.
    **parts
        What is sent as it is: the query or the body.
    """
    faults: list[str] = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def send(case: Any) -> None:
        told = case.path_parameters or {}
        case.path_parameters = told | {name: known[name] for name in told if name in known}
        for part, value in parts.items():
            setattr(case, part, value)
        answer = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            faults.extend(f"{operation.label}: {error}" for error in group.exceptions)

    send()
    return faults


@pytest.mark.filterwarnings(
    "ignore:BBOX crossing the Antimeridian:UserWarning"
)  # geojson-pydantic's word on sent items
def test_no_request_is_answered_in_a_way_that_is_not_documented(operations: list[Any]) -> None:
    assert len(operations) > 40, "the document has the tiles and the transactions too"
    faults: list[str] = []
    # What deletes comes last. The first round asks each at least once; the others go on as long as there is time.
    ordered = sorted(operations, key=lambda each: each.method.lower() == "delete")
    until = time.monotonic() + SECONDS
    for examples, known in ((3, KNOWN), (EXAMPLES, KNOWN), (EXAMPLES, dict[str, str]())):
        for operation in ordered:
            if examples == 3 or time.monotonic() < until:
                faults += probe(operation, examples, known=known)
    assert faults == []
