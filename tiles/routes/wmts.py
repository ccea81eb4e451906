"""WMTS capabilities: which layers, styles and years there are, for GIS clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from morecantile import TileMatrixSet

from tiles.drawing.legends import DEFAULT_LANGUAGE, choose_title
from tiles.drawing.sheets import MAX_ZOOM, find_matrix_set
from tiles.drawing.style import Style

WMTS: Final = "http://www.opengis.net/wmts/1.0"
OWS: Final = "http://www.opengis.net/ows/1.1"
XLINK: Final = "http://www.w3.org/1999/xlink"
# Both have x before y in every version of every client.
MATRIX_SETS: Final = {
    "WebMercatorQuad": ("urn:ogc:def:crs:EPSG::3857", "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible"),
    "WorldCRS84Quad": ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:wkss:OGC:1.0:GoogleCRS84Quad"),
}
_FORMATS: Final = ("image/png", "image/webp")


@dataclass(frozen=True)
class WmtsLayer:
    """One layer of a service.

    Attributes
    ----------
    identifier, title : str
    bounds : tuple of float
        west, south, east, north in degrees.
    styles : sequence of Style
        The default first.
    template : str
        Address of its tiles, with ``{TileMatrixSet}``, ``{TileMatrix}``, ``{TileCol}``, ``{TileRow}``, ``{Style}``
        and, where it has years, ``{Time}``; without ending.
    legend : str
        Address of its legend as PNG, without parameters.
    query : str
        Parameters of the tiles beside the style: "&asset=map".
    years : sequence of int
        Of a run; the last is the default.
    """

    identifier: str
    title: str
    bounds: tuple[float, float, float, float]
    styles: Sequence[Style]
    template: str
    legend: str
    query: str = ""
    years: Sequence[int] = ()


def write_capabilities(title: str, address: str, layers: Sequence[WmtsLayer]) -> bytes:
    """Write the capabilities of a RESTful service as XML.

    Parameters
    ----------
    title : str
        Of the service.
    address : str
        Where the document is.
    layers : sequence of WmtsLayer
    """
    for prefix, namespace in (("", WMTS), ("ows", OWS), ("xlink", XLINK)):
        ET.register_namespace(prefix, namespace)
    root = ET.Element(f"{{{WMTS}}}Capabilities", {"version": "1.0.0"})
    service = ET.SubElement(root, f"{{{OWS}}}ServiceIdentification")
    _say(service, OWS, "Title", title)
    _say(service, OWS, "ServiceType", "OGC WMTS")
    _say(service, OWS, "ServiceTypeVersion", "1.0.0")
    contents = ET.SubElement(root, f"{{{WMTS}}}Contents")
    for layer in layers:
        _write_layer(contents, layer)
    for name, (crs, scales) in MATRIX_SETS.items():
        _write_matrix_set(contents, find_matrix_set(name), crs, scales)
    ET.SubElement(root, f"{{{WMTS}}}ServiceMetadataURL", {f"{{{XLINK}}}href": address})
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True))


def _write_layer(contents: ET.Element, layer: WmtsLayer) -> None:
    element = ET.SubElement(contents, f"{{{WMTS}}}Layer")
    _say(element, OWS, "Title", layer.title)
    west, south, east, north = layer.bounds
    box = ET.SubElement(element, f"{{{OWS}}}WGS84BoundingBox")
    _say(box, OWS, "LowerCorner", f"{west:.9f} {south:.9f}")
    _say(box, OWS, "UpperCorner", f"{east:.9f} {north:.9f}")
    _say(element, OWS, "Identifier", layer.identifier)
    for number, style in enumerate(layer.styles):
        _write_style(element, layer, style, is_default=number == 0)
    for media_type in _FORMATS:
        _say(element, WMTS, "Format", media_type)
    if layer.years:
        _write_years(element, layer.years)
    for name in MATRIX_SETS:
        link = ET.SubElement(element, f"{{{WMTS}}}TileMatrixSetLink")
        _say(link, WMTS, "TileMatrixSet", name)
    for media_type in _FORMATS:
        template = f"{layer.template}.{media_type.partition('/')[2]}?style={{Style}}{layer.query}"
        ET.SubElement(
            element,
            f"{{{WMTS}}}ResourceURL",
            {"format": media_type, "resourceType": "tile", "template": template},
        )


def _write_style(element: ET.Element, layer: WmtsLayer, style: Style, *, is_default: bool) -> None:
    told = ET.SubElement(element, f"{{{WMTS}}}Style", {"isDefault": str(is_default).lower()})
    _say(told, OWS, "Title", choose_title(style.title, DEFAULT_LANGUAGE))
    _say(told, OWS, "Identifier", style.name)
    legend = f"{layer.legend}?style={style.name}{layer.query}"
    ET.SubElement(told, f"{{{WMTS}}}LegendURL", {"format": "image/png", f"{{{XLINK}}}href": legend})


def _write_years(element: ET.Element, years: Sequence[int]) -> None:
    dimension = ET.SubElement(element, f"{{{WMTS}}}Dimension")
    _say(dimension, OWS, "Identifier", "Time")
    _say(dimension, WMTS, "Default", str(years[-1]))
    for year in years:
        _say(dimension, WMTS, "Value", str(year))


def _write_matrix_set(contents: ET.Element, matrix_set: TileMatrixSet, crs: str, scales: str) -> None:
    element = ET.SubElement(contents, f"{{{WMTS}}}TileMatrixSet")
    _say(element, OWS, "Identifier", str(matrix_set.id))
    _say(element, OWS, "SupportedCRS", crs)
    _say(element, WMTS, "WellKnownScaleSet", scales)
    for zoom in range(matrix_set.minzoom, min(matrix_set.maxzoom, MAX_ZOOM) + 1):
        matrix = matrix_set.matrix(zoom)
        told = ET.SubElement(element, f"{{{WMTS}}}TileMatrix")
        _say(told, OWS, "Identifier", str(zoom))
        _say(told, WMTS, "ScaleDenominator", repr(matrix.scaleDenominator))
        _say(told, WMTS, "TopLeftCorner", " ".join(map(repr, matrix.pointOfOrigin)))
        for name in ("tileWidth", "tileHeight", "matrixWidth", "matrixHeight"):
            _say(told, WMTS, name[0].upper() + name[1:], str(getattr(matrix, name)))


def _say(parent: ET.Element, namespace: str, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{namespace}}}{name}").text = text
