"""What a person reads in the terminal of a cohort: the report's sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rich.markup import escape
from rich.table import Table

from biflora.cli.show import console
from biflora.papers.grid import Grid
from biflora.profile.cohort.cohort import Cohort


def show_cohort(result: Cohort, written: Sequence[Path]) -> None:
    from biflora.papers.cohort_content import cohort_content

    c = cohort_content(result, made_at=datetime.now(UTC))
    console.print(f"\n[bold]{escape(c.title)}[/]")
    console.print(" · ".join(f"{escape(label)} {escape(value)}" for label, value in c.facts))
    for text in c.in_short:
        console.print(f"• {escape(text)}")
    for title, lines in (
        ("Left out", c.left_out), ("What the assay could not see", c.could_not_see), ("Not done", c.not_done),
    ):  # fmt: skip
        if lines:
            console.print(f"\n[bold]{title}[/]")
            for text in lines:
                console.print(f"  {escape(text)}")
    for text in c.asked:
        console.print(f"  {escape(text)}")
    for grid in (c.permanova, c.dispersion, *c.moved, c.associations, *c.models):
        if grid is not None:
            _grid(grid)
    for grid in c.taxa_found:
        _grid(grid)
    for chart in c.taxa:
        console.print(f"\n[bold]{escape(chart.title)}[/]: {escape(chart.sentence)}")
    for path in written:
        console.print(f"Written: {path}")


def _grid(grid: Grid) -> None:
    console.print(f"\n[bold]{escape(grid.title)}[/]")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate(grid.columns):
        side: Literal["left", "right"] = "right" if place in grid.right else "left"
        table.add_column(escape(column), justify=side, header_style="dim", overflow="fold")
    for row in grid.rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
