"""Archives that mean nothing, or mean harm. Each maker writes one into a folder and returns the arguments."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from tests.datacommons.bad_tables import Arguments, Make
from tests.datacommons.vector_files import pack, villages, write


def kmz_that_climbs_out(folder: Path) -> Arguments:
    inner = write(villages().to_crs(4326), folder / "doc.kml")
    with zipfile.ZipFile(folder / "trip.kmz", "w") as archive:
        archive.write(inner, "../../../doc.kml")
    return [folder / "trip.kmz"]


def zip_bomb(folder: Path) -> Arguments:
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("roads.shp", bytes(200 * 2**20))
    return [folder / "bomb.zip"]


def zip_that_lies_of_its_size(folder: Path) -> Arguments:
    [path] = zip_bomb(folder)
    assert isinstance(path, Path)
    size = (200 * 2**20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    return [path]


def zip_in_a_zip(folder: Path) -> Arguments:
    inner = pack(folder / "inner.zip", write(villages(), folder / "roads.shp"))
    return [pack(folder / "outer.zip", inner)]


def zip_of_two_shapefiles(folder: Path) -> Arguments:
    return [pack(folder / "gis.zip", *(write(villages(), folder / f"{name}.shp") for name in ("roads", "villages")))]


def zip_without_geodata(folder: Path) -> Arguments:
    (folder / "notes.doc").write_text("notes")
    return [pack(folder / "notes.zip", folder / "notes.doc")]


def zip_with_a_link(folder: Path) -> Arguments:
    link = zipfile.ZipInfo("roads.geojson")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(folder / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return [folder / "link.zip"]


def zip_cut_short(folder: Path) -> Arguments:
    path = pack(folder / "roads.zip", write(villages(), folder / "roads.shp"))
    path.write_bytes(path.read_bytes()[:-60])
    return [path]


def encrypted_zip(folder: Path) -> Arguments:
    path = pack(folder / "roads.zip", write(villages(), folder / "roads.fgb"))
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    path.write_bytes(content)
    return [path]


CASES: dict[Make, str] = {
    kmz_that_climbs_out: r"trip.kmz names a place outside itself, '../../../doc.kml'.*pack the files anew",
    zip_bomb: r"bomb.zip would unpack from .* to 209,715,200 bytes.*ZIP bomb",
    zip_that_lies_of_its_size: r"bomb.zip is damaged: it cannot be unpacked.*pack it anew",
    zip_in_a_zip: r"outer.zip holds another archive, 'inner.zip': unpack the outer one",
    zip_of_two_shapefiles: r"gis.zip holds several layers: roads.shp, villages.shp. Say which one, as in --layer roads",
    zip_without_geodata: r"notes.zip holds no geodata that can be read, but notes.doc. What can be read is",
    zip_with_a_link: r"link.zip holds the link 'roads.geojson' in place of a file. Pack the file itself",
    zip_cut_short: r"roads.zip is damaged: it cannot be unpacked.*Copy or download it again",
    encrypted_zip: r"roads.zip is encrypted: unpack it with its password",
}
