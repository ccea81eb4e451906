"""Parts of a page: sections and tables, all of whose texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def section(title: str, body: str) -> str:
    """Return a section; the body is HTML already."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>\n"


def table(head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], *, own: int | None = None) -> str:
    """Return a table of texts, all of them escaped; column ``own`` is set off."""
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    body = ""
    for name, cells in rows:
        marks = ((' class="own"' if n == own else "", escape(_known(cell))) for n, cell in enumerate(cells, start=1))
        body += f'<tr><th scope="row">{escape(name)}</th>' + "".join(f"<td{m}>{t}</td>" for m, t in marks) + "</tr>"
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _known(cell: str) -> str:
    return "–" if cell.startswith("nan") else cell
