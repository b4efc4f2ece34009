"""A cohort's guilds held against columns of scores, and the marks of the drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biflora.errors import NameAnother
from biflora.knowledge.cohort_models import model_setting
from biflora.profile.cohort.against import Association, associate
from biflora.profile.cohort.cohort import Question, Scatter
from biflora.profile.cohort.guild_table import GuildTable
from biflora.profile.metadata import Metadata

RATIOS = {"skin": (("s_aureus", "cons"),), "gut": (("butyrate_producers", "escherichia_shigella"),)}


def scores_of(rows: Metadata, column: str) -> tuple[NDArray[np.float64], str]:
    """The column as numbers, NaN where it holds none, and a sentence on cells that hold words.

    Raises NameAnother when more cells hold words than numbers.
    """
    found, words = [], 0
    for text in rows.texts(column):
        try:
            value = float(text) if text else math.nan
        except ValueError:
            value, words = math.nan, words + 1
        found.append(value if math.isfinite(value) else math.nan)
    numbers = np.array(found)
    known = int((~np.isnan(numbers)).sum())
    if words >= max(known, 1) or not known:
        raise NameAnother(f"{rows.file_name}: '{column[:60]}' holds no numbers to hold anything against.")
    return numbers, f"{words} of its cells hold words and count as not known" if words else ""


def associations_of(
    guilds: GuildTable, rows: Metadata, persons: Sequence[str], question: Question
) -> list[Association]:
    """Every guild and log-ratio of the site against every score."""
    found = []
    for column in question.against:
        scores, said = scores_of(rows, column)
        for key, label in guilds.labels.items():
            note = guilds.notes[key] if np.isnan(guilds.shares[key]).all() else said
            found.append(
                associate(key, label, guilds.shares[key], column, scores, persons, seed=question.seed, note=note)
            )
        for above, below in RATIOS[question.site]:
            label = f"log10 {guilds.labels[above]} : {guilds.labels[below]}"
            values = guilds.log_ratio(above, below, model_setting("ratio_share_added"))
            key = f"{above}_to_{below}"
            blind = next((guilds.notes[k] for k in (above, below) if np.isnan(guilds.shares[k]).all()), "")
            found.append(
                associate(key, label, values, column, scores, persons, seed=question.seed, note=blind or said)
            )
    return found


def scatters_of(guilds: GuildTable, rows: Metadata, groups: Sequence[str], question: Question) -> list[Scatter]:
    """The site's first guild against every score, for drawing; nothing where the assay could not see it."""
    key = "s_aureus" if question.site == "skin" else "butyrate_producers"
    if np.isnan(guilds.shares[key]).all() and question.site == "skin":
        key = "staphylococcus"
    if key not in guilds.shares or np.isnan(guilds.shares[key]).all():
        return []
    return [
        Scatter(
            guild=key, label=guilds.labels[key], score=column, shares=plain(guilds.shares[key]),
            scores=plain(scores_of(rows, column)[0]), groups=tuple(groups),
        )
        for column in question.against
    ]  # fmt: skip


def plain(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    """Rounded to 8 decimals; None where there is no number."""
    return tuple(round(float(x), 8) if math.isfinite(x) else None for x in values)
