"""A chart as one value: the drawing for screen and for paper, what it says in a sentence, and its table."""

from __future__ import annotations

import re
from html import escape
from typing import Self

from biflora.papers.tokens import PRINT_FONT, SCREEN_FONT, with_literals
from biflora.values import Value

_ROOT = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_VIEW_BOX = re.compile(r'viewBox="([^"]+)"')
_ID = re.compile(r'\bid="([^"]+)"')


class Chart(Value):
    """One chart. `svg` follows the reader's theme, `svg_print` holds literal light colours."""

    key: str
    title: str
    sentence: str
    """What it shows, with the interval, in one or two sentences."""
    svg: str
    """Inline SVG with role, title and description; colours are CSS variables; refers to nothing outside."""
    svg_print: str
    """The same as a document of its own, for paper and for download."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The table under the drawing; the first cell names the row."""

    @classmethod
    def make(
        cls,
        key: str,
        *,
        title: str,
        sentence: str,
        drawing: str,
        columns: tuple[str, ...],
        rows: tuple[tuple[str, ...], ...],
    ) -> Self:
        """Build the chart from a `drawing`: an `<svg viewBox=...>` whose colours are `var(--token)`."""
        root, view_box = _ROOT.search(drawing), _VIEW_BOX.search(drawing)
        if root is None or view_box is None:
            raise ValueError(f"the drawing of chart '{key}' is no SVG with a viewBox")
        body = _own_ids(drawing[root.end() : drawing.rindex("</svg>")], key)
        says = (
            f'<title id="{key}-title">{escape(title, quote=False)}</title>'
            f'<desc id="{key}-desc">{escape(sentence, quote=False)}</desc>'
        )
        name = f'role="img" aria-labelledby="{key}-title {key}-desc"'
        width, height = (part for part in view_box[1].split()[2:])
        shown = (
            f'<svg class="drawing" viewBox="{view_box[1]}" {name} preserveAspectRatio="xMidYMid meet" '
            f'font-family="{SCREEN_FONT}" style="font-variant-numeric:tabular-nums">{says}{body}</svg>'
        )
        printed = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view_box[1]}" width="{width}" height="{height}" '
            f'{name} font-family="{PRINT_FONT}, serif">{says}{with_literals(body)}</svg>'
        )
        return cls(
            key=key, title=title, sentence=sentence, svg=shown, svg_print=printed, columns=columns, rows=rows
        )

    def html(self, *, show_title: bool = True, table_open: bool = False) -> str:
        """The figure for a page: drawing, what it says, and its table behind a summary."""
        title = f"<strong>{escape(self.title)}</strong> " if show_title else ""
        opened = " open" if table_open else ""
        return (
            f'<figure class="chart" id="{self.key}">{self.svg}'
            f"<figcaption>{title}{escape(self.sentence)}</figcaption>"
            f"<details{opened}><summary>Table<span class='unseen'> of: {escape(self.title)}</span></summary>"
            f"{self.table()}</details></figure>"
        )

    def table(self) -> str:
        """The table alone, in a region that scrolls by itself on a narrow screen."""
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in self.columns)
        body = "".join(
            f'<tr><th scope="row">{escape(row[0])}</th>'
            + "".join(f'<td class="number">{escape(cell)}</td>' for cell in row[1:])
            + "</tr>"
            for row in self.rows
        )
        return (
            f'<div class="scroll" tabindex="0" role="region" aria-label="Table: {escape(self.title)}">'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def csv(self) -> str:
        """The table as comma-separated text, for download."""
        lines = [self.columns, *self.rows]
        return "\n".join(",".join(_cell(cell) for cell in line) for line in lines) + "\n"


def _own_ids(body: str, key: str) -> str:
    """Every id prefixed by the chart's key, so that several charts can stand on one page."""
    for name in set(_ID.findall(body)):
        body = body.replace(f'id="{name}"', f'id="{key}-{name}"').replace(f"#{name})", f"#{key}-{name})")
    return body


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text
