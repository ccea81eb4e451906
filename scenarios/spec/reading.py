"""Reading a scenario from its file, with the places and tables that it names."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic import ValidationError

from scenarios.errors import ScenarioInvalid, ScenarioNotFound
from scenarios.spec.drivers import DERIVED, LAYER
from scenarios.spec.inheritance import Lineage, read_lineage
from scenarios.spec.plans import CONSTANT, RAMP
from scenarios.spec.scenario import Scenario

if TYPE_CHECKING:
    import geopandas

    Features = Callable[[str, str], geopandas.GeoDataFrame]


def load_scenario(path: str | Path, features: Features | None = None) -> Scenario:
    """Read a scenario from a YAML file, and from the files that it extends.

    A place (``where``, ``distance_to``) that names a GeoJSON file, relative to the scenario's, is replaced by its
    geometry, demand ``zones`` that name one by its polygons, and a demand ``table`` that names a CSV file by its
    columns, so that the scenario is whole without these files. In place of a GeoJSON file each of them may name a
    vector layer of the landscape, as ``{layer: reserve}``.

    Parameters
    ----------
    path : str or Path
    features : callable, optional
        Returns a vector layer, with a CRS, by the names of landscape and layer; what opens the commons gives it.

    Raises
    ------
    ScenarioNotFound
        The file, one that it extends, or a place or table that it names, is missing.
    ScenarioInvalid
        Not YAML, or a field is wrong; every wrong field is named with its line. Or files extend each other in a circle.
    """
    lineage = read_lineage(Path(path))
    landscape = str(lineage.document.get("landscape"))
    for file in lineage.files:
        shapes = _Shapes(file.path.parent, landscape, features)
        _inline_places(file.document, shapes)
        _inline_distances(file.document, shapes)
        _inline_table(file.document, file.path.parent)
        _inline_zones(file.document, shapes)
    try:
        return Scenario.model_validate(lineage.document)
    except ValidationError as error:
        raise ScenarioInvalid(f"{path} has errors:\n" + _explain(error, lineage)) from error


@dataclass(frozen=True)
class _Shapes:
    """Where the shapes that a scenario names are found: beside its file, or in the commons."""

    folder: Path
    landscape: str
    features: Features | None

    def read(self, named: str | dict[str, Any]) -> tuple[geopandas.GeoDataFrame, str]:
        """Return the shapes of a file or a layer, and what to call them in a message."""
        if isinstance(named, str):
            return _read_shapes(self.folder / named), str(self.folder / named)
        layer = str(named[_VECTOR])
        if self.features is None:
            raise ScenarioInvalid(
                f"The scenario names the vector layer {layer!r}: read it with its commons, as commons.run does, or "
                "name a GeoJSON file."
            )
        return self.features(self.landscape, layer), f"the layer {layer!r}"


def _names_shapes(value: Any, suffixes: tuple[str, ...] = ()) -> TypeGuard[str | dict[str, Any]]:
    """Whether a field names a file, by its ending, or a vector layer."""
    if isinstance(value, str):
        return Path(value).suffix in suffixes if suffixes else bool(Path(value).suffix)
    return isinstance(value, dict) and set(value) == {_VECTOR} and isinstance(value[_VECTOR], str)


def _inline_places(document: dict[str, Any], shapes: _Shapes) -> None:
    plans = document.get("interventions")
    for plan in plans if isinstance(plans, list) else ():
        for action in plan.values() if isinstance(plan, dict) else ():
            where = action.get("where") if isinstance(action, dict) else None
            if isinstance(where, str) or _names_shapes(where):
                action["where"] = _as_geojson(_find_polygons(*shapes.read(where)).union_all())


def _inline_distances(document: dict[str, Any], shapes: _Shapes) -> None:
    """Put in the geometry of what a driver is the distance to; a name with a dot is a file, another a class."""
    for driver in _derived_drivers(document):
        target = driver.get("distance_to")
        if _names_shapes(target):
            driver["distance_to"] = _merge_shapes(*shapes.read(target))
            name = Path(target).stem if isinstance(target, str) else target[_VECTOR]
            driver.setdefault("name", f"distance to {name}")


def _derived_drivers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the drivers that are computed, as written: those that are learned from, and those that replace one."""
    potential, plans = document.get("potential"), document.get("interventions")
    drivers = potential.get("drivers") if isinstance(potential, dict) else None
    swaps = [plan.get("replace_driver") for plan in plans if isinstance(plan, dict)] if isinstance(plans, list) else []
    layers = [swap.get("layer") for swap in swaps if isinstance(swap, dict)]
    for driver in [*(drivers if isinstance(drivers, list) else ()), *layers]:
        if isinstance(driver, dict):
            yield driver


def _find_polygons(places: geopandas.GeoDataFrame, title: str) -> Any:
    """Return the polygons among shapes as a GeoDataFrame in WGS 84."""
    polygons = places[places.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise ScenarioInvalid(
            f"{title} has no polygon (found {sorted(set(places.geom_type)) or 'nothing'}); draw the place as one."
        )
    polygons = polygons.to_crs("EPSG:4326")
    return polygons.set_geometry(polygons.make_valid())


def _read_shapes(path: Path) -> geopandas.GeoDataFrame:
    import geopandas

    if not path.is_file():
        raise ScenarioNotFound(
            f"The scenario names the place {path}, which does not exist. Paths are relative to the scenario."
        )
    try:
        return geopandas.read_file(path)
    except Exception as error:  # pyogrio and fiona raise different errors for the same broken file
        raise ScenarioInvalid(f"{path} cannot be read as GeoJSON: {error}") from error


def _merge_shapes(shapes: geopandas.GeoDataFrame, title: str) -> dict[str, Any]:
    """Return shapes as one geometry in WGS 84."""
    known = shapes[shapes.geometry.notna() & ~shapes.geometry.is_empty]
    if known.empty:
        raise ScenarioInvalid(f"{title} holds no geometry; draw what it is about.")
    if known.crs is None:
        raise ScenarioInvalid(f"{title} has no CRS; save it as GeoJSON, or with its CRS.")
    return _as_geojson(known.to_crs("EPSG:4326").make_valid().union_all())


def _as_geojson(geometry: Any) -> dict[str, Any]:
    return dict(json.loads(json.dumps(geometry.__geo_interface__)))


def _inline_zones(document: dict[str, Any], shapes: _Shapes) -> None:
    demand = document.get("demand")
    named = demand.get("zones") if isinstance(demand, dict) else None
    if isinstance(demand, dict) and _names_shapes(named, (".geojson", ".json")):
        demand["zones"] = _name_zones(*shapes.read(named))


def _name_zones(shapes: geopandas.GeoDataFrame, title: str) -> dict[str, dict[str, Any]]:
    """Return polygons by their name; those of one name are one zone."""
    polygons = _find_polygons(shapes, title)
    if "name" not in polygons.columns or polygons["name"].isna().any():
        raise ScenarioInvalid(
            f"{title} has polygons without a name; zones need one. Give every polygon the property 'name'."
        )
    names = polygons["name"].astype(str)
    return {name: _as_geojson(polygons[names == name].union_all()) for name in dict.fromkeys(names)}


def _inline_table(document: dict[str, Any], folder: Path) -> None:
    demand = document.get("demand")
    if isinstance(demand, dict) and isinstance(demand.get("table"), str):
        demand["table"] = _read_table(folder / demand["table"])


def _read_table(path: Path) -> dict[str, list[float]]:
    """Read the columns of a CSV file of numbers."""
    if not path.is_file():
        raise ScenarioNotFound(
            f"The scenario names the table {path}, which does not exist. Paths are relative to the scenario."
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (ValueError, csv.Error) as error:  # a file without a line, or not in UTF-8
        raise ScenarioInvalid(f"{path} cannot be read as CSV with a line of names: {error}") from error
    names = [name.strip() for name in header]
    if len(set(names)) < len(names):
        raise ScenarioInvalid(f"{path} has two columns of one name; found {', '.join(names)}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise ScenarioInvalid(f"{path}, row {number}: {len(row)} values for {len(names)} columns")
    return {name: [_read_number(row[n], f"{path}, column {name!r}") for row in rows] for n, name in enumerate(names)}


def _read_number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ScenarioInvalid(f"{where}: {text!r} is not a number; write hectares as 1234.5") from error
    return int(number) if number.is_integer() else number


def _explain(error: ValidationError, lineage: Lineage) -> str:
    """Return one line per wrong field: where it is, what is wrong, what was found."""
    lines = []
    for fault in error.errors():
        file, where = lineage.locate([part for part in fault["loc"] if part not in _TAGS])
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
        found = "" if fault["type"] == "missing" or isinstance(fault["input"], dict) else f", found {fault['input']!r}"
        advice = _ADVICE.get(fault["type"], "")
        message = fault["msg"].removeprefix("Value error, ")
        place = "" if file is lineage.files[0] else f" of {file.path.name}"
        lines.append(f"line {file.line_of(where)}{place}, {name or 'scenario'}: {message}{found}{advice}")
    return "\n".join(lines)


_VECTOR = "layer"  # the key by which a scenario names a vector layer of its landscape
_TAGS = (CONSTANT, RAMP, LAYER, DERIVED)  # of fields that can be written in two ways
_ADVICE = {
    "missing": " (add the field)",
    "extra_forbidden": " (no such field: check its spelling, or take it out)",
    "string_pattern_mismatch": " (use small letters, digits, - and _)",
}
