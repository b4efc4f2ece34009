"""Which taxa differ, as a drawing and a table, with how far each finding can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.papers.chart import Chart
from biflora.papers.charts_cohort import FOREST_LISTED, forest, p_words
from biflora.papers.grid import Grid
from biflora.papers.wording import number
from biflora.profile.cohort.cohort import Cohort
from biflora.profile.cohort.model_table import ModelRow, ModelTable
from biflora.profile.cohort.sensitivity import SensitivityRow

FALSE_DISCOVERY = 0.05


def taxa_charts(
    table: ModelTable, sensitivity: Sequence[SensitivityRow], second: ModelTable | None, rank: str, prefix: str
) -> list[Chart]:
    """One chart for each contrast; every taxon that was tested counts, the first forty stand in the table."""
    verdicts = {(row.outcome, row.term): row.verdict for row in sensitivity}
    others = {} if second is None else {(row.outcome, row.term): row for row in second.rows}
    found = []
    for place, term in enumerate(dict.fromkeys(row.term for row in table.rows), start=1):
        rows = [
            (r.outcome, r.estimate, r.low, r.high, 1.0 if r.p_adjusted is None else r.p_adjusted,
             _remark(r, verdicts.get((r.outcome, term), ""), others.get((r.outcome, term))))
            for r in table.rows
            if r.term == term and r.estimate is not None and r.low is not None and r.high is not None
        ]  # fmt: skip
        found.extend(forest(f"{prefix}{place}", f"Taxa ({rank}), {term}", table.unit, rows))
    return found


def taxa_grids(cohort: Cohort) -> tuple[Grid, ...]:
    """Taxa found at 5 % false discoveries, robust ones first, at most forty for each rank and contrast."""
    if cohort.taxa is None:
        return ()
    ranks: list[tuple[str, ModelTable, tuple[SensitivityRow, ...], ModelTable | None]] = [
        (cohort.question.rank, cohort.taxa, cohort.sensitivity, cohort.second_opinion),
        *((other.rank, other.taxa, other.sensitivity, None) for other in cohort.other_ranks),
    ]
    found = []
    for rank, table, sensitivity, second in ranks:
        verdicts = {(row.outcome, row.term): row.verdict for row in sensitivity}
        others = {} if second is None else {(row.outcome, row.term): row for row in second.rows}
        for term in dict.fromkeys(row.term for row in table.rows):
            hits = [
                (r.p_adjusted, r.outcome, r.estimate, r.low, r.high, r)
                for r in table.rows
                if r.term == term and r.p_adjusted is not None and r.p_adjusted <= FALSE_DISCOVERY
                and r.estimate is not None and r.low is not None and r.high is not None
            ]  # fmt: skip
            # what holds whatever fills the zeros stands first
            hits.sort(key=lambda hit: (verdicts.get((hit[1], term)) != "robust", hit[0], -abs(hit[2])))
            rows = tuple(
                (name, number(estimate, 2), f"{number(low, 2)} to {number(high, 2)}", p_words(p),
                 _remark(row, verdicts.get((name, term), ""), others.get((name, term))))
                for p, name, estimate, low, high, row in hits[:FOREST_LISTED]
            )  # fmt: skip
            if rows:
                columns = ("Taxon", table.unit, "95 % interval", "Adjusted p", "Remark")
                more = f", first {len(rows)} of {len(hits)}" if len(hits) > len(rows) else ""
                found.append(
                    Grid(f"Found at 5 % false discoveries ({rank}{more}): {term}", columns, rows, right=(1, 2, 3))
                )
    return tuple(found)


def counted(table: ModelTable, sensitivity: Sequence[SensitivityRow], term: str) -> tuple[int, int, int]:
    """Taxa tested for a contrast, those found at 5 % false discoveries, and those found whatever fills zeros."""
    rows = [row for row in table.rows if row.term == term and row.p_adjusted is not None]
    hits = sum(row.p_adjusted is not None and row.p_adjusted <= FALSE_DISCOVERY for row in rows)
    return len(rows), hits, sum(row.verdict == "robust" for row in sensitivity if row.term == term)


def _remark(row: ModelRow, verdict: str, second: ModelRow | None) -> str:
    if second is None or second.p_adjusted is None or second.estimate is None or row.estimate is None:
        return verdict
    if row.p_adjusted is None or row.p_adjusted > FALSE_DISCOVERY:
        return verdict
    if second.p_adjusted > FALSE_DISCOVERY:
        return f"{verdict}; not found by ANCOM-BC"
    same = (second.estimate > 0) == (row.estimate > 0)
    return f"{verdict}; {'found by ANCOM-BC too' if same else 'other sign by ANCOM-BC'}"
