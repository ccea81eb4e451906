"""The guard: maps that were not made alike are refused, or noted with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio import open as open_raster

import datacommons as dc
from catalog.legend import Legend
from catalog.store import OWNER
from datacommons.commons import Commons
from datacommons.grids import cell_size_m
from datacommons.layers import Layer
from datacommons.provenance import check_history
from scenarios.errors import HistoryInvalid
from scenarios.spec import TransitionRule
from tests.catalog.stac_validation import find_faults
from tests.datacommons.conftest import BUILT, GRID, LEGEND, UTM_18N, RunCli, WriteRaster, draw_land_cover

STRICT = TransitionRule()


def date(year: int, product: str = "", version: str = "", **fields: Any) -> Layer:
    plain = {"legend": Legend.from_json(LEGEND), "unit": "", "href": "", "checksum": "", "access": "public"}
    where = {"collection": "land-cover", "item": f"valley-{year}", "landscape": "valley", "name": "land-cover"}
    return Layer(**where, year=year, synthetic=False, product=product, product_version=version, **(plain | fields))


def test_dates_that_were_made_alike_pass() -> None:
    alike = [date(year, "Alpha", "2", cell_size_m=size) for year, size in ((1985, 30.0), (1991, 44.0), (1999, 30.0))]
    assert check_history(alike, STRICT) == ()
    assert check_history([date(1985), date(1991)], STRICT) == ()


def test_another_legend_is_refused_whatever_is_allowed() -> None:
    other = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Urban", "3": "Other", "4": "Water"}})
    everything = TransitionRule(mixed_products=True, mixed_resolutions=True)
    with pytest.raises(HistoryInvalid, match=r"legends of 1985 and 1999 differ in 2 built, 2 urban, 4 water"):
        check_history([date(1999, legend=other), date(1985), date(1991)], everything)


def test_another_product_is_refused_unless_it_is_allowed() -> None:
    dates = [date(1985, "Alpha"), date(1991, "Beta"), date(1999, "Alpha")]
    told = r"Alpha \(1985, 1999\) and Beta \(1991\)"
    with pytest.raises(HistoryInvalid, match=rf"mixes products: {told}.*mixed_products: true"):
        check_history(dates, STRICT)
    (note,) = check_history(dates, TransitionRule(mixed_products=True))
    assert "Alpha (1985, 1999) and Beta (1991)" in note


def test_another_version_is_noted() -> None:
    dates = [date(1985, "Alpha", "7"), date(1991, "Alpha", "8"), date(1999, "Alpha", "7")]
    (note,) = check_history(dates, STRICT)
    assert note.startswith("the history mixes versions of Alpha: 7 (1985, 1999) and 8 (1991)")
    (note,) = check_history([date(1985, "Alpha"), date(1991, "Alpha", "8")], STRICT)
    assert "unsaid (1985) and 8 (1991)" in note


def test_a_product_that_nobody_named_is_noted_beside_one_that_is_known() -> None:
    (note,) = check_history([date(1985), date(1991), date(1999, "Alpha")], STRICT)
    assert note.startswith("the product of 1985, 1991 is not known")


@pytest.mark.parametrize(("coarse", "noted"), [(15.0, False), (15.1, True), (29.9, True)])
def test_coarser_cells_are_noted(coarse: float, noted: bool) -> None:
    notes = check_history([date(1985, cell_size_m=coarse), date(1991, cell_size_m=10.0), date(1999)], STRICT)
    assert bool(notes) == noted
    assert all("10 m in 1991" in note for note in notes)


def test_far_coarser_cells_are_refused_unless_they_are_allowed() -> None:
    dates = [date(1985, cell_size_m=30.0), date(1991, cell_size_m=10.0)]
    with pytest.raises(HistoryInvalid, match=r"cells of 10 m in 1991 and of 30 m in 1985.*mixed_resolutions: true"):
        check_history(dates, STRICT)
    assert len(check_history(dates, TransitionRule(mixed_resolutions=True))) == 1


def test_the_size_of_a_cell() -> None:
    assert cell_size_m(GeoBox((40, 60), GRID, UTM_18N)) == pytest.approx(30)
    assert cell_size_m(GeoBox((40, 60), GRID @ Affine.rotation(20), UTM_18N)) == pytest.approx(30)
    # 0.001 degrees at 60 degrees north: 111.4 m of latitude, and 55.8 m of longitude.
    degrees = GeoBox((2, 2), Affine(0.001, 0, 10, 0, -0.001, 60.001), "EPSG:4326")
    assert cell_size_m(degrees) == pytest.approx(np.sqrt(111.41 * 55.80), rel=1e-4)


def grow(write: WriteRaster, year: int, edge: int) -> Any:
    cells = draw_land_cover()
    cells[20:edge, 10:25] = BUILT
    return write(f"lc_{year}.tif", cells, nodata=0)


def ingest(commons: Commons, path: Any, **options: Any) -> dict[str, Any]:
    (report,) = commons.ingest([path], collection="land-cover", legend=Legend.from_json(LEGEND), **options)
    return commons.store.item("land-cover", report.item, OWNER)


def scenario(**rules: Any) -> dc.Scenario:
    fields: dict[str, Any] = {"id": "usual", "title": "Usual", "landscape": "valley", "start": 2000, "years": 2}
    history, members = (1990, 1995, 2000), 1
    return dc.Scenario(**fields, history=history, members=members, transitions={"minimum_hectares": 0, **rules})


def test_what_the_user_says_of_a_product_is_kept(empty_commons: Commons, write_raster: WriteRaster) -> None:
    item = ingest(empty_commons, grow(write_raster, 1990, 20), product="Alpha", product_version="7")
    assert find_faults(item) == []
    properties = item["properties"]
    assert (properties["landscape:product"], properties["landscape:product_version"]) == ("Alpha", "7")
    assert (properties["version"], properties["gsd"]) == ("1", 30.0)
    assert any("/version/" in uri for uri in item["stac_extensions"])
    (layer,) = empty_commons.layers()
    assert (layer.product, layer.product_version, layer.cell_size_m) == ("Alpha", "7", 30.0)


def test_the_tags_of_a_file_name_its_product(empty_commons: Commons, write_raster: WriteRaster) -> None:
    path = grow(write_raster, 1990, 20)
    with open_raster(path, "r+") as file:
        file.update_tags(PRODUCT="Alpha", product_version="7")
    (report,) = empty_commons.ingest([path], collection="land-cover", legend=Legend.from_json(LEGEND))
    assert "its tags say that it is of Alpha 7" in report.notes
    item = ingest(empty_commons, path, product="Beta", replace=True)
    assert item["properties"]["landscape:product"] == "Beta"
    assert "landscape:product_version" not in item["properties"]


def test_a_study_of_mixed_products_does_not_begin(
    empty_commons: Commons, write_raster: WriteRaster, cli: RunCli
) -> None:
    for year, product, edge in ((1990, "Alpha", 20), (1995, "Beta", 25), (2000, "Alpha", 30)):
        ingest(empty_commons, grow(write_raster, year, edge), product=product)
    with pytest.raises(HistoryInvalid, match="mixes products"):
        empty_commons.run(scenario())
    assert empty_commons.runs() == []
    path = empty_commons.root.parent / "usual.yaml"
    path.write_text(scenario(mixed_products=True).to_yaml(), "utf-8")
    outcome = cli("validate", path, "-C", empty_commons.root)
    assert "note: the history mixes products, as the scenario allows: Alpha (1990, 2000) and Beta (1995)" in outcome.out
    assert "Beta" in cli("layers", "-C", empty_commons.root).out


def test_the_notes_of_a_run_say_what_is_doubtful(
    empty_commons: Commons, write_raster: WriteRaster, cli: RunCli
) -> None:
    for year, version, edge in ((1990, "7", 20), (2000, "8", 30)):
        ingest(empty_commons, grow(write_raster, year, edge), product="Alpha", product_version=version)
    path = empty_commons.root.parent / "usual.yaml"
    path.write_text(scenario().model_copy(update={"history": (1990, 2000)}).to_yaml(), "utf-8")
    outcome = cli("run", path, "-C", empty_commons.root)
    for told in ("mixes versions of Alpha: 7 (1990) and 8 (2000)", "single interval, 1990 to 2000", "no hindcast"):
        assert told in outcome.out
    notes = empty_commons.open_run("valley-usual-1").model["notes"]
    assert sum("mixes versions" in note for note in notes) == 1
