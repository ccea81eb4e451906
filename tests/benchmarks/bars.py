"""What a benchmark measured, the bars that it has to pass, and how many of them hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

HOLDS, FALLS_SHORT = "holds", "falls short"
HEAD = ("", "measured", "bar", "aim", "verdict")


@dataclass(frozen=True)
class Row:
    """One measured figure, and what it has to be.

    Parameters
    ----------
    what : what was measured, with its unit
    measured : the figure; NaN where it cannot be told, which passes no bar
    least, most : the bar, a lower or an upper bound that may be reached; neither: no bar
    aim : what it should be one day
    digits : decimals to show; what is smaller is shown by its power of ten
    """

    what: str
    measured: float
    least: float | None = None
    most: float | None = None
    aim: float | None = None
    digits: int = 4

    @property
    def has_bar(self) -> bool:
        """Whether the figure has to be something."""
        return self.least is not None or self.most is not None

    @property
    def holds(self) -> bool:
        """Whether the figure, unrounded, passes its bar."""
        above = self.least is None or self.measured >= self.least
        return self.measured == self.measured and above and (self.most is None or self.measured <= self.most)

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row."""
        bounds = [f"{sign} {bound:.4g}" for sign, bound in (("≥", self.least), ("≤", self.most)) if bound is not None]
        verdict = (HOLDS if self.holds else FALLS_SHORT) if self.has_bar else ""
        aim = "" if self.aim is None else f"{self.aim:g}"
        return (self.what, show(self.measured, self.digits), ", ".join(bounds), aim, verdict)


@dataclass
class Bench:
    """The rows of a benchmark, under headings, in the order in which they were measured."""

    sections: dict[str, list[Row]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, heading: str, *rows: Row) -> None:
        """Put rows under a heading."""
        self.sections.setdefault(heading, []).extend(rows)

    def skip(self, heading: str, reason: str) -> None:
        """Say why a part was not measured. Its bars count neither as held nor at all."""
        self.skipped[heading] = reason

    @property
    def barred(self) -> list[Row]:
        """The rows that have a bar."""
        return [row for rows in self.sections.values() for row in rows if row.has_bar]

    def __str__(self) -> str:
        """Return the table; its last line tells how many bars hold."""
        parts = []
        for heading, rows in self.sections.items():
            body = align([HEAD, *(row.cells() for row in rows)], left=(0, 4))
            parts.append(f"{heading}\n{body}\n")
        parts += [f"skipped: {heading}: {reason}" for heading, reason in self.skipped.items()]
        held = sum(row.holds for row in self.barred)
        return "\n".join([*parts, f"{held} of {len(self.barred)} bars hold"])


def show(figure: float, digits: int = 4) -> str:
    """Return a figure as text; what cannot be told is a dash."""
    if figure != figure:
        return "–"
    return f"{figure:.{digits}f}" if figure == 0 or abs(figure) >= 10**-digits else f"{figure:.1e}"


def align(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> str:
    """Return rows of texts with their columns below each other; columns are flush right but for those named."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) if n in left else cell.rjust(width) for n, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    )
    return "\n".join(line.rstrip() for line in lines)
