"""Vector files that mean nothing, or mean harm. Each maker writes one into a folder and returns the arguments."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import shapely

from tests.datacommons.bad_tables import Arguments, Make, no_coordinates
from tests.datacommons.vector_files import NORTH, WEST, square, villages, write


def geopackage_without_layers(folder: Path) -> Arguments:
    path = write(villages(), folder / "empty.gpkg")
    with sqlite3.connect(path) as tables:
        tables.execute("DELETE FROM gpkg_contents")
        tables.execute("DELETE FROM gpkg_geometry_columns")
        tables.execute("DROP TABLE empty")
    return [path]


def geopackage_of_tables(folder: Path) -> Arguments:
    import pyogrio

    pyogrio.write_dataframe(villages().drop(columns="geometry"), folder / "census.gpkg")
    return [folder / "census.gpkg"]


def geopackage_cut_short(folder: Path) -> Arguments:
    path = write(villages(*[square(x, 0, 1) for x in range(3000)]), folder / "fields.gpkg")
    path.write_bytes(path.read_bytes()[:9000])
    return [path]


def several_layers(folder: Path) -> Arguments:
    path = write(villages(), folder / "atlas.gpkg", layer="villages")
    return [write(villages(), path, layer="reserves")]


def a_layer_that_is_not_there(folder: Path) -> Arguments:
    return [write(villages(), folder / "atlas.gpkg"), "--layer", "roads"]


def layers_of_two_crs(folder: Path) -> Arguments:
    path = write(villages(), folder / "atlas.gpkg", layer="villages")
    write(villages().to_crs(4326), path, layer="degrees")
    return [path, "--layer", "degrees", "--crs", "EPSG:32618"]


def no_prj(folder: Path) -> Arguments:
    return [write(villages(square(0, 0), crs=None), folder / "roads.shp")]


def no_shx(folder: Path) -> Arguments:
    path = write(villages(), folder / "roads.shp")
    path.with_suffix(".shx").unlink()
    return [path]


def the_dbf_of_a_shapefile(folder: Path) -> Arguments:
    return [write(villages(), folder / "roads.shp").with_suffix(".dbf")]


def shp_cut_short(folder: Path) -> Arguments:
    path = write(villages(), folder / "roads.shp")
    path.write_bytes(path.read_bytes()[:150])
    return [path]


def dbf_in_another_encoding(folder: Path) -> Arguments:
    path = write(villages(), folder / "roads.shp", encoding="ISO-8859-1")
    path.with_suffix(".cpg").write_text("UTF-8")
    return [path]


def across_the_antimeridian(folder: Path) -> Arguments:
    fiji = shapely.Polygon([(179, -17), (-179, -17), (-179, -16), (179, -16)])
    return [write(villages(shapely.box(-75, 36.13, -74.99, 36.14), fiji, crs="EPSG:4326"), folder / "fiji.geojson")]


def longitudes_beyond_180(folder: Path) -> Arguments:
    return [write(villages(shapely.box(285, 36, 286, 37), crs="EPSG:4326"), folder / "pacific.geojson")]


def mixed_crs(folder: Path) -> Arguments:
    shapes = [square(0, 0), *villages().to_crs(4326).geometry]
    return [write(villages(*shapes, crs="EPSG:4326"), folder / "merged.geojson")]


def projected_geojson(folder: Path) -> Arguments:
    ring = [[WEST, NORTH - 300], [WEST + 300, NORTH - 300], [WEST, NORTH], [WEST, NORTH - 300]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path = folder / "export.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return [path]


def off_the_projection(folder: Path) -> Arguments:
    return [write(villages(shapely.box(1e12, 1e12, 2e12, 2e12)), folder / "far.gpkg")]


def a_polygon_that_crosses_itself(folder: Path) -> Arguments:
    bow = shapely.Polygon([(WEST, NORTH), (WEST + 300, NORTH - 300), (WEST + 300, NORTH), (WEST, NORTH - 300)])
    return [write(villages(square(600, 600), bow), folder / "zones.gpkg")]


def coordinates_that_are_no_numbers(folder: Path) -> Arguments:
    with np.errstate(invalid="ignore"):
        line = shapely.linestrings([[WEST, NORTH], [np.nan, NORTH - 300]])
        return [write(villages(square(0, 0), line), folder / "tracks.gpkg")]


def no_geometry_at_all(folder: Path) -> Arguments:
    return [write(villages(None, None), folder / "list.gpkg")]


def no_features(folder: Path) -> Arguments:
    return [write(villages().iloc[:0], folder / "none.gpkg")]


def somewhere_else(folder: Path) -> Arguments:
    return [write(villages(shapely.box(2, 48, 3, 49), crs="EPSG:4326"), folder / "paris.geojson")]


def swapped_axes(folder: Path) -> Arguments:
    turned = [shapely.transform(each, lambda xy: xy[:, ::-1]) for each in villages().to_crs(4326).geometry]
    return [write(villages(*turned, crs="EPSG:4326"), folder / "swapped.geojson")]


def geojson_cut_short(folder: Path) -> Arguments:
    path = write(villages().to_crs(4326), folder / "villages.geojson")
    path.write_text(path.read_text()[:300])
    return [path]


def geojson_as_deep_as_a_well(folder: Path) -> Arguments:
    path = folder / "deep.geojson"
    path.write_text('{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":' + "[" * 200_000)
    return [path]


def json_that_is_no_geojson(folder: Path) -> Arguments:
    path = folder / "settings.json"
    path.write_text('{"name": "valley"}')
    return [path]


def kml_that_explodes(folder: Path) -> Arguments:
    steps = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    place = "<Placemark><name>&m;</name><Point><coordinates>-74.99,36.14</coordinates></Point></Placemark>"
    text = f'<!DOCTYPE kml [<!ENTITY a "{"a" * 1000}">{steps}]><kml xmlns="http://www.opengis.net/kml/2.2">'
    (folder / "laughs.kml").write_text(f"{text}<Document>{place}</Document></kml>")
    return [folder / "laughs.kml"]


def gml(folder: Path) -> Arguments:
    (folder / "roads.gml").write_text('<?xml version="1.0"?><gml:FeatureCollection xmlns:gml="x"/>')
    return [folder / "roads.gml"]


def a_picture(folder: Path) -> Arguments:
    (folder / "map.gpkg").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    return [folder / "map.gpkg"]


def an_empty_file(folder: Path) -> Arguments:
    (folder / "roads.geojson").touch()
    return [folder / "roads.geojson"]


def parquet_without_geometry(folder: Path) -> Arguments:
    villages().drop(columns="geometry").to_parquet(folder / "census.parquet")
    return [folder / "census.parquet"]


def a_pipe(folder: Path) -> Arguments:
    os.mkfifo(folder / "roads.geojson")
    return [folder / "roads.geojson"]


def a_device(folder: Path) -> Arguments:
    return [Path("/dev/zero")]


def a_link_to_nowhere(folder: Path) -> Arguments:
    (folder / "roads.gpkg").symlink_to(folder / "moved.gpkg")
    return [folder / "roads.gpkg"]


def a_folder(folder: Path) -> Arguments:
    return [folder]


def two_of_one_name(folder: Path) -> Arguments:
    return [write(villages(), folder / "roads.gpkg"), write(villages(), folder / "roads.fgb")]


def one_bad_among_good(folder: Path) -> Arguments:
    return [write(villages(), folder / "roads.gpkg"), *no_coordinates(folder)]


def a_name_without_letters(folder: Path) -> Arguments:
    return [write(villages(), folder / "§§§.gpkg")]


def called_land_cover(folder: Path) -> Arguments:
    return [write(villages(), folder / "land-cover.gpkg")]


CASES: dict[Make, str] = {
    geopackage_without_layers: r"empty.gpkg (is a GPKG with no layer|cannot be read as GPKG).*again",
    geopackage_of_tables: r"census.gpkg is a GPKG with no layer that has a geometry, but the tables census.*Export it",
    geopackage_cut_short: r"fields.gpkg cannot be read as GPKG.*cut short.*copy or export it again",
    several_layers: r"atlas.gpkg holds several layers: villages, reserves. Say which one, as in --layer villages",
    a_layer_that_is_not_there: r"atlas.gpkg has no layer 'roads'; it has: atlas",
    layers_of_two_crs: r"atlas.gpkg says its CRS is EPSG:4326, and --crs says EPSG:32618. Leave out --crs",
    no_prj: r"roads.shp has no coordinate reference system \(CRS\).*\.prj.*--crs EPSG:32618",
    no_shx: r"roads.shp lacks its index, roads.shx.*Copy all of them",
    the_dbf_of_a_shapefile: r"roads.dbf is a part of a shapefile: name the part that ends in .shp",
    shp_cut_short: r"roads.shp cannot be read as ESRI Shapefile.*copy or export it again",
    dbf_in_another_encoding: r"roads.shp has names or attributes that are not in the encoding it says.*\.cpg",
    across_the_antimeridian: r"fiji.geojson crosses the antimeridian \(longitude 180\) in feature 2.*-wrapdateline",
    longitudes_beyond_180: r"pacific.geojson has coordinates.*285, 36. Longitudes go from -180 to 180.*-wrapdateline",
    mixed_crs: r"merged.geojson has coordinates that are no longitude.* in feature 1: 5.*some of it is in a proj",
    projected_geojson: r"export.geojson has coordinates.*500000, .*CRS that it does not name.*-t_srs EPSG:4326",
    off_the_projection: r"far.gpkg has coordinates that have no place on the globe in feature 1.*Check its CRS",
    a_polygon_that_crosses_itself: r"cross themselves.*in feature 2 \(Self-intersection\[500150 3999850\]\).*Fix",
    coordinates_that_are_no_numbers: r"tracks.gpkg has coordinates that are no numbers .* in feature 2. Take them",
    no_geometry_at_all: r"list.gpkg holds no geometry: all 2 features are without one. Check how it was exported",
    no_features: r"none.gpkg holds no geometry: all 0 features",
    somewhere_else: r"paris.geojson does not touch valley: it lies at 2.000, 48.*the landscape at -75.*Check its CRS",
    swapped_axes: r"swapped.geojson does not touch valley.*perhaps swapped.*longitude comes first",
    geojson_cut_short: r"villages.geojson cannot be read as GeoJSON.*cut short",
    geojson_as_deep_as_a_well: r"deep.geojson cannot be read as GeoJSON",
    json_that_is_no_geojson: r"settings.json cannot be read as GeoJSON",
    kml_that_explodes: r"laughs.kml cannot be read as KML.*export it again",
    gml: r"roads.gml is of another format. What can be read is GeoPackage.*ogr2ogr layer.gpkg roads.gml",
    a_picture: r"map.gpkg is of another format",
    an_empty_file: r"roads.geojson is empty. Copy or export it again",
    parquet_without_geometry: r"census.parquet cannot be read as GeoParquet",
    a_pipe: r"roads.geojson cannot be ingested: it is no file, but a pipe or a device",
    a_device: r"/dev/zero cannot be ingested: it is no file, but a pipe or a device",
    a_link_to_nowhere: r"roads.gpkg cannot be ingested: it is a link to .*moved.gpkg, which is not there",
    a_folder: r"cannot be ingested: it is a folder",
    two_of_one_name: r"roads.gpkg, roads.fgb would all become valley-roads",
    one_bad_among_good: r"wells.csv has no columns with coordinates",
    a_name_without_letters: r"No name can be made of '§§§'",
    called_land_cover: r"Vectors cannot be called 'land-cover'.*--name",
}
