"""Which taxa differ, at one rank: LinDA, the same under other fillings of zeros, and ANCOM-BC beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biflora.errors import BifloraError
from biflora.knowledge.cohort_models import model_setting
from biflora.profile.cohort.asking import Asked
from biflora.profile.cohort.cohort import Question
from biflora.profile.cohort.contrasts import Contrast
from biflora.profile.cohort.linda import Linda, LindaOptions, linda
from biflora.profile.cohort.mixed_design import MixedDesign
from biflora.profile.cohort.model_table import ModelTable
from biflora.profile.cohort.sensitivity import SensitivityRow, ancombc_second_opinion, pseudocount_sensitivity
from biflora.profile.cohort.taxon_table import dense
from biflora.profile.metadata import Metadata
from biflora.profile.table import LabTable


@dataclass(frozen=True)
class Tested:
    """LinDA's table, its sensitivity, and a second opinion where one is possible."""

    taxa: ModelTable
    sensitivity: tuple[SensitivityRow, ...]
    second: ModelTable | None


def tested_taxa(
    taxa: LabTable, formula: str, rows: Metadata, question: Question, asked: Asked, not_done: list[str]
) -> Tested | None:
    """None, with a sentence in `not_done`, where the table holds no counts or the design cannot be fitted."""
    if not taxa.has_counts:
        not_done.append("Differential abundance (LinDA): the table holds shares without reads; counts are needed.")
        return None
    counts, names = dense(taxa), [feature.name for feature in taxa.features]
    share = model_setting("report_least_share") if question.least_share is None else question.least_share
    given: dict[str, float | str] = {"mean_share": share, "adjust": asked.taxa_adjust}
    if question.prevalence is not None:
        given["prevalence"] = question.prevalence
    options = LindaOptions.model_validate(given)
    try:
        found = linda(counts, names, formula, rows, ask=asked.taxa, options=options, reference=asked.reference)
        sensitivity = pseudocount_sensitivity(
            counts, names, formula, rows, ask=asked.taxa, options=options, reference=asked.reference, done=found
        )
    except BifloraError as problem:
        not_done.append(f"Differential abundance (LinDA): {problem}")
        return None
    note = f"Tested: seen in {100 * options.prevalence:g} % of samples and {100 * share:g} % of all reads or more."
    table = found.table.model_copy(update={"notes": (*found.table.notes, note)})
    return Tested(table, sensitivity, _second(counts, names, found, rows, asked.taxa(found.design), not_done))


def reads_differ(taxa: LabTable, rows: Metadata, factor: str) -> str:
    """A sentence where the groups' median reads lie far apart: then rare taxa differ by being overlooked."""
    if not factor or not taxa.has_counts:
        return ""
    totals, labels = np.asarray(taxa.totals(), dtype=np.float64), np.array(rows.texts(factor))
    medians = {str(label): float(np.median(totals[labels == label])) for label in np.unique(labels)}
    least, most = min(medians, key=lambda k: medians[k]), max(medians, key=lambda k: medians[k])
    if medians[most] < model_setting("reads_ratio_warned") * max(medians[least], 1.0):
        return ""
    return (
        f"Reads differ with {factor}: {medians[least]:,.0f} at the median in {least}, {medians[most]:,.0f} in "
        f"{most}. Rare taxa are overlooked more often where reads are few; believe only what is robust, and "
        "richness only at one depth."
    )


def _second(
    counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]], names: Sequence[str], found: Linda, rows: Metadata,
    contrasts: Sequence[Contrast], not_done: list[str],
) -> ModelTable | None:  # fmt: skip
    """ANCOM-BC on the taxa that were tested, its terms under the names of our contrasts; None where impossible."""
    terms = _terms(found.design, contrasts)
    if found.design.subject_of is not None or not terms:
        return None
    place = {name: number for number, name in enumerate(names)}
    kept = [place[name] for name in found.taxa]
    try:
        table = ancombc_second_opinion(counts[:, kept], found.taxa, found, rows, prevalence=0.0)
    except Exception as problem:  # scikit-bio raises what its solver raises
        not_done.append(f"The second opinion (ANCOM-BC) could not be fitted ({type(problem).__name__}).")
        return None
    kept_rows = [row.model_copy(update={"term": terms[row.term]}) for row in table.rows if row.term in terms]
    return table.model_copy(update={"rows": tuple(kept_rows)})


def _terms(design: MixedDesign, contrasts: Sequence[Contrast]) -> dict[str, str]:
    """Name of the contrast for each term of the design that is the same question."""
    found = {}
    for contrast in contrasts:
        at = np.flatnonzero(np.abs(contrast.weights) > 1e-12)
        if len(at) == 1 and abs(contrast.weights[at[0]] - 1.0) < 1e-9:
            found[design.terms[int(at[0])]] = contrast.name
    return found
