"""What strangers try on maps, parts, papers, animations and places."""

from __future__ import annotations

from typing import Final

ITEM: Final = "/collections/land-cover/items/valley-land-cover-1990"
RUN: Final = "/runs/valley-roads-1/2001"

SIZES: Final = [
    "preview/99999x99999.png",
    "preview/4096x4096.png",
    "preview/-1x10.png",
    "preview/0x0.png",
    "preview/1e3x10.png",
    "preview/nanxinf.png",
    "preview.exe",
    "preview.png.exe",
    "preview.%2e%2e%2fpng",
    "preview.png?max_size=1000000000",
    "preview.png?width=1&height=999999999999999999999",
    "map?width=4096&height=4096",
    "map?width=NaN",
    "map?f=svg",
    "map?f=../../png",
]
BOXES: Final = [
    "bbox/nan,0,1,1.png",
    "bbox/0,0,inf,1.png",
    "bbox/1e999,0,1,1.png",
    "bbox/-1e308,-1e308,1e308,1e308.png?coord_crs=EPSG:3857",
    "bbox/0,0,0,0.png",
    "bbox/1,1,0,0.png",
    "bbox/179,0,-179,nan.png",
    "bbox/179,1,-179,0.png",
    "bbox/179,0,-179,1.png?coord_crs=EPSG:3857&dst_crs=EPSG:99999999",
    "bbox/-1e9,0,1e9,1.png?coord_crs=EPSG:3857",
    "bbox/-180,0,180,1e-300.png?dst_crs=EPSG:3857",
    "bbox/0,0,1.png",
    "bbox/a,b,c,d.png",
    "bbox/0,0,1e-320,1e-320.png",
    "bbox/0,0,1,1.png%0d%0aSet-Cookie:a=b",
    "bbox/-180,-90,180,90.png?dst_crs=EPSG:3031&width=9999",
    "map?bbox=0,0,1,1,2,3",
    "map?bbox=" + "9" * 5000,
    "map?bbox=1,1,1,1",
    "map?bbox=nan,nan,nan,nan",
    "picture.png?bbox=0,0,nan,1",
    "picture.png?bbox=,,,",
]
NAMES: Final = [
    "preview.png?dst_crs=/etc/passwd",
    "preview.png?dst_crs=file:///etc/passwd",
    "preview.png?dst_crs=http://127.0.0.1:{port}/a.prj",
    "preview.png?dst_crs=%2Bproj%3Dpipeline",
    "preview.png?dst_crs=%2Binit%3D/etc/passwd:1",
    "preview.png?dst_crs=EPSG:99999999",
    "preview.png?dst_crs=OGC:AUTO42001,0,0",
    "preview.png?dst_crs=[EPSG:4978]",
    "preview.png?dst_crs=EPSG:%D9%A4%D9%A3%D9%A2%D9%A6",
    "map?crs=PROJCS[" + "[" * 50,
    "map?crs=" + "E" * 5000,
    "map?bgcolor=url(http://127.0.0.1:{port}/a)",
    "map?bgcolor=hsl(0,0%25,0%25)",
    "map?bgcolor=0x" + "f" * 1000,
    "map?transparent=perhaps",
    "picture.png?paper=a0",
    "picture.png?paper=../a4",
    "picture.png?lang=../../etc",
    "picture.png?style=%3Cscript%3E",
    "tiles/..%2f..%2fetc",
    "tiles/NoQuad",
    "point/nan,0",
    "point/1e999,0",
    "point/181,91",
    "point/0;0",
]
REST: Final = [
    "/runs/valley-roads-1/animation.gif",
    "/runs/valley-roads-1/statistics?layer=../../etc&place=passwd",
    "/runs/valley-roads-1/statistics?layer=/etc/passwd&place=%00",
    "/runs/valley-roads-1/statistics?layer=valley-rights&place=1",
    "/runs/valley-roads-1/statistics?layer=http://127.0.0.1:{port}/a.geojson&place=a",
    "/runs/valley-roads-1/statistics?layer=" + "x" * 5000 + "&place=a",
    "/runs/..%2f..%2fetc/statistics?layer=a&place=a",
    "/runs/valley-roads-1/animation.apng?width=100000",
    "/runs/valley-roads-1/animation.apng?width=nan",
    "/runs/valley-roads-1/animation.webp?step=0",
    "/runs/valley-roads-1/animation.webp?bbox=0,0,inf,1",
    "/runs/valley-roads-1/animation.webp?style=%2e%2e%2f",
    "/runs/..%2f..%2fetc/animation.apng",
    "/runs/valley-none-1/animation.apng",
    "/runs/valley-roads-1/hindcast/preview.png",
    "/runs/..%2f/hindcast/preview.png",
    "/runs/valley-roads-1/9999999/map",
    "/tileMatrixSets/..%2f..%2fetc%2fpasswd",
    "/tileMatrixSets/%00",
    "/landscapes/valley/places/..%2f..%2fetc/passwd",
    "/landscapes/valley/places/land-cover/%00",
    "/landscapes/valley/places/rights/1",
    "/landscapes/..%2f..%2fetc/places/x/y",
]
REFUSED: Final = [
    *(f"{place}/{tail}" for place in (ITEM, RUN) for tail in (*SIZES, *BOXES, *NAMES)),
    *REST,
]
"""Addresses, written as they go over the wire; each is answered with a plain no."""

POLYGONS: Final = [f"{place}/feature{tail}" for place in (ITEM, RUN) for tail in ("", ".png", "/64x64.webp")]
"""Where polygons may be sent to."""
