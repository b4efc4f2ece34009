"""What stands at the head of a cohort's report, in sentences that keep their numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.papers.charts_cohort import p_words
from biflora.papers.cohort_taxa import counted
from biflora.papers.wording import number
from biflora.profile.cohort.against import Association
from biflora.profile.cohort.cohort import Cohort
from biflora.profile.cohort.model_table import ModelRow, ModelTable

MOST_CONTRASTS = 3
"""Contrasts told at the head; all stand in the tables."""
CHANGE = ", change from "


def in_short(cohort: Cohort) -> list[str]:
    """Scores, distances, diversity and taxa: the first thing that a reviewer asks of each."""
    first = "s_aureus" if cohort.question.site == "skin" else "butyrate_producers"
    found = [_against(row, cohort) for row in cohort.associations if row.quantity == first]
    if cohort.permanova is not None:
        found += [
            f"{row.term} explains {number(100 * row.r2, 1)} % of the differences between samples, "
            f"p {_is(row.p)} ({row.permuted_units} dealt anew)."
            for row in cohort.permanova.rows
        ]
    if cohort.moved is not None:
        moved = "; ".join(f"{row.term} p {_is(row.p)}" for row in cohort.moved.tested.rows)
        found.append(f"How far persons moved from {cohort.question.time} {cohort.moved.baseline}: {moved}.")
    censored = None if cohort.loads is None else cohort.loads.censored
    for table, outcome in ((cohort.guilds, None), (cohort.alpha, "shannon"), (censored, None)):
        found += _contrasts(table, outcome, cohort.samples)
    if cohort.taxa is not None:
        terms = list(dict.fromkeys(row.term for row in cohort.taxa.rows))
        for term in terms[:MOST_CONTRASTS]:
            tested, hits, robust = counted(cohort.taxa, cohort.sensitivity, term)
            found.append(
                f"{hits} of {tested} taxa differ ({term}; 5 % false discoveries), {robust} whatever fills the "
                "zeros."
            )
        if len(terms) > MOST_CONTRASTS:
            found.append(f"{len(terms) - MOST_CONTRASTS} more contrasts of taxa stand below.")
    return [*found, *(text for text in cohort.asked_words if text.startswith("Reads differ"))]


def _is(p: float) -> str:
    words = p_words(p)
    return words if words.startswith("<") else f"= {words}"


def _against(row: Association, cohort: Cohort) -> str:
    if row.spearman is None or row.low is None or row.high is None:
        note = row.note.rstrip(".")
        return f"{row.label} could not be held against {row.score}{f': {note}' if note else ''}."
    way = "rises" if row.low > 0 else "falls" if row.high < 0 else "does not clearly change"
    each = "one sample each" if row.samples == row.persons else f"{row.samples} samples of {row.persons} persons"
    text = (
        f"{row.label} {way} with {row.score}: rank correlation {number(row.spearman, 2)} "
        f"(95 % interval by persons {number(row.low, 2)} to {number(row.high, 2)}; {each})"
    )
    if row.within is not None and row.within_low is not None and row.within_high is not None:
        over = " over time" if cohort.question.time and not cohort.question.body_site else ""
        text += (
            f"; within persons{over} {number(row.within, 2)} ({number(row.within_low, 2)} to "
            f"{number(row.within_high, 2)})"
        )
    return text + "."


def _contrasts(table: ModelTable | None, outcome: str | None, samples: int) -> list[str]:
    if table is None:
        return []
    rows = [row for row in table.rows if outcome is None or row.outcome == outcome]
    told = _last_of_each(rows)
    return [
        f"{'Shannon diversity' if row.outcome == 'shannon' else row.outcome}, {row.term}: difference "
        f"{number(row.estimate, 2)} (95 % interval {number(row.low, 2)} to {number(row.high, 2)}), adjusted "
        f"p {_is(row.p_adjusted)}{_of(row.samples, samples)}."
        for row in told[:MOST_CONTRASTS]
        if row.estimate is not None and row.low is not None and row.high is not None and row.p_adjusted is not None
    ]


def _of(used: int, samples: int) -> str:
    """Samples without a value are no random part of a cohort: often those with little of what is asked for."""
    return "" if used == samples else f" ({used} of {samples} samples have a value; the others may differ)"


def _last_of_each(rows: Sequence[ModelRow]) -> list[ModelRow]:
    """Of an arm's changes to several visits the one to the last visit."""
    last = {(row.outcome, row.term.partition(CHANGE)[0]): row for row in rows}
    return list(last.values())
