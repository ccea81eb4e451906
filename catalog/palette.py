"""Colours for classes that come without one: muted, told apart by the colour-blind and in greyscale."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

Lab = tuple[float, float, float]


class Kind(NamedTuple):
    """A kind of land cover: its colour, and a pattern for how words that name it begin."""

    name: str
    colour: str
    words: str


# The lightness of the main kinds climbs in steps of six or more, so that a grey print still tells them
# apart and no pair rests on red against green alone. The first kind that matches a name wins.
KINDS: Final[tuple[Kind, ...]] = (
    Kind("other", "#e9e5dd", r"non?|not|other|unclassified|unknown|otros|outros|autres?"),
    Kind("mangrove", "#2f6762", r"mangrove|manglar|mangue"),
    Kind("wetland", "#6f9c9f", r"wetland|marsh|saltmarsh|swamp|peat|flooded|bogs?\b|mire|humedal"),
    Kind("snow", "#f0f5f6", r"snow|ice\b|glacier"),
    Kind(
        "water",
        "#2f557a",
        r"water|river|lakes?\b|seas?\b|ocean|reservoir|stream|lagoon|ponds?\b|agua|eau\b",
    ),
    Kind("mine", "#4f4450", r"mine|mining|quarr|extraction"),
    Kind(
        "built",
        "#b0706a",
        r"built|urban|settlement|artificial|impervious|residential|roads?\b|cit(y|ies)|towns?\b|village"
        r"|developed|infrastructure|industr|construid|bati\b",
    ),
    Kind(
        "plantation",
        "#7d9158",
        r"plantation|orchard|agroforest|palm|coffee|cocoa|cacao|rubber|eucalypt|silvicultur|vineyard",
    ),
    Kind("shrub", "#a79f72", r"shrub|scrub|bush|savann?a|heath|matorral|chaparral"),
    Kind("pasture", "#d9cc8c", r"pasture|pasto|pastagem|grazing|rangeland|meadow"),
    Kind("grass", "#bbc98c", r"grass|herbaceous|steppe|prairie|moss|lichen|sedge"),
    Kind(
        "crop",
        "#d6a94f",
        r"crop|agric|farm|arable|cultiv|rice|paddy|maize|soy|sugar|cotton|irrigated|rainfed|mosaic",
    ),
    Kind("forest", "#45714b", r"forest|tree|wood|jungle|bosque|floresta|foret"),
    Kind("bare", "#e3d5bd", r"bare|barren|sand|rock|desert|soil|dune|beach|sparse|salt\b|degraded"),
)
_NEUTRAL: Final = KINDS[0]
_GAPS: Final = (5.0, 4.0, 3.0, 2.0, 1.0, 0.5)
_DARKEST, _LIGHTEST = 20.0, 97.0


def choose_colours(names: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Choose a colour for every class name.

    Parameters
    ----------
    names : sequence of str
        Class names such as "open-forest", each once.
    given : mapping of str to str
        Colours ("#rrggbb") that are fixed already; they are kept, and the others keep their distance.

    Returns
    -------
    dict of str to str
        Name to "#rrggbb", after the meaning of the name where that can be told. Two chosen colours
        differ in lightness, by less the more classes there are.
    """
    colours = dict(given)
    used = [lightness(colour) for colour in given.values()]
    for name in names:
        if name not in colours:
            colours[name] = _step_away(find_kind(name).colour, used)
            used.append(lightness(colours[name]))
    return colours


def find_kind(name: str) -> Kind:
    """Find the kind of land cover a class name speaks of ("other" if it cannot be told)."""
    return next((kind for kind in KINDS if re.search(rf"(?:^|[-_])(?:{kind.words})", name)), _NEUTRAL)


def lightness(colour: str) -> float:
    """Return CIE L* of "#rrggbb", 0 to 100: how light it is in greyscale."""
    return _to_lab(colour)[0]


def _step_away(colour: str, used: Sequence[float]) -> str:
    """Make a colour lighter or darker, as little as needed, to stand clear of every used lightness."""
    start, a, b = _to_lab(colour)
    steps = sorted((sign * number * 0.5 for number in range(200) for sign in (1, -1)), key=abs)
    candidates = [_from_lab((start + step, a, b)) for step in steps if _DARKEST <= start + step <= _LIGHTEST]
    for gap in _GAPS:
        for candidate in candidates:
            if all(abs(lightness(candidate) - other) >= gap for other in used):
                return candidate
    return colour


def _to_lab(colour: str) -> Lab:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    x = _cube_root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = _cube_root(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = _cube_root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _from_lab(lab: Lab) -> str:
    y = (lab[0] + 16) / 116
    x, z = 0.9505 * _cube(y + lab[1] / 500), 1.089 * _cube(y - lab[2] / 200)
    y = _cube(y)
    linear = (
        3.2406 * x - 1.5372 * y - 0.4986 * z,
        -0.9689 * x + 1.8758 * y + 0.0415 * z,
        0.0557 * x - 0.2040 * y + 1.0570 * z,
    )
    return "#" + "".join(f"{round(255 * _gamma(min(max(part, 0.0), 1.0))):02x}" for part in linear)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _cube_root(part: float) -> float:
    return float(part ** (1 / 3)) if part > 0.008856 else 7.787 * part + 16 / 116


def _cube(part: float) -> float:
    return float(part**3) if part > 0.206893 else (part - 16 / 116) / 7.787
