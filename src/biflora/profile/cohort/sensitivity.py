"""Does a finding survive another choice? Differential abundance again with other fillings of zeros, and another
method beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from biflora.errors import TrialistMust
from biflora.knowledge.cohort_models import model_setting
from biflora.profile.cohort.contrasts import Ask, each_term
from biflora.profile.cohort.linda import Linda, LindaOptions, Zeros, linda
from biflora.profile.cohort.model_table import FitStatus, ModelRow, ModelTable, finite
from biflora.profile.metadata import Metadata
from biflora.values import Value

Verdict = Literal["robust", "depends on the pseudocount", "no difference found", "cannot be estimated"]


class SensitivityRow(Value):
    """One taxon and contrast under each filling of zeros."""

    outcome: str
    term: str
    verdict: Verdict
    fillings: tuple[str, ...]
    estimates: tuple[float | None, ...]
    p_adjusted: tuple[float | None, ...]


def pseudocount_sensitivity(
    counts: ArrayLike,
    taxa: Sequence[str],
    formula: str,
    metadata: Metadata,
    *,
    ask: Ask = each_term,
    options: LindaOptions | None = None,
    reference: Mapping[str, str] | None = None,
    categorical: Sequence[str] = (),
    done: Linda | None = None,
) -> tuple[SensitivityRow, ...]:
    """LinDA under four fillings of zeros. `robust`: significant with one sign under all of them.

    `done`: the same analysis under the chosen filling, which then is not run again.

    `depends on the pseudocount`: significant under some only, or with another sign. Raises what `linda` raises.
    """
    chosen = options or LindaOptions()
    fillings = [
        (f"pseudocount {added:g}", Zeros.PSEUDOCOUNT, added)
        for added in (model_setting("linda_pseudocount"), model_setting("linda_pseudocount_other"))
    ]
    fillings += [(zeros.value, zeros, chosen.pseudocount) for zeros in (Zeros.IMPUTATION, Zeros.HALF_MINIMUM)]
    runs = [
        done
        if done is not None and (done.zeros, chosen.pseudocount) == (zeros, added)
        else linda(
            counts, taxa, formula, metadata, ask=ask, reference=reference, categorical=categorical,
            options=chosen.model_copy(update={"zeros": zeros, "pseudocount": added}),
        )
        for _, zeros, added in fillings
    ]  # fmt: skip
    names = tuple(name for name, _, _ in fillings)
    found = []
    for rows in zip(*(run.table.rows for run in runs), strict=True):
        estimates = tuple(row.estimate for row in rows)
        adjusted = tuple(row.p_adjusted for row in rows)
        found.append(
            SensitivityRow(
                outcome=rows[0].outcome, term=rows[0].term, fillings=names, estimates=estimates,
                p_adjusted=adjusted, verdict=_verdict(estimates, adjusted, chosen.false_discovery),
            )
        )  # fmt: skip
    return tuple(found)


def ancombc_second_opinion(
    counts: ArrayLike,
    taxa: Sequence[str],
    result: Linda,
    metadata: Metadata,
    *,
    prevalence: float | None = None,
    pseudocount: float | None = None,
) -> ModelTable:
    """ANCOM-BC (Lin and Peddada 2020, scikit-bio) on the samples and terms of a LinDA result without subjects.

    Another method for the same question; estimates are natural-log fold changes. Raises TrialistMust for a
    design with repeated samples of a subject, which this method takes for independent.
    """
    import pandas
    from scipy import stats
    from skbio.stats.composition import ancombc

    prevalence = model_setting("linda_prevalence") if prevalence is None else prevalence
    pseudocount = model_setting("ancombc_pseudocount") if pseudocount is None else pseudocount
    level = model_setting("interval_level")
    design = result.design
    if design.subject_of is not None:
        raise TrialistMust(
            "ANCOM-BC takes every sample for a person of its own; leave it out of a repeated design."
        )
    place = {name: number for number, name in enumerate(metadata.samples)}
    used = np.asarray(counts, dtype=np.float64)[[place[name] for name in design.samples]]
    keep = (used > 0).mean(axis=0) >= prevalence
    names = [name for name, stays in zip(taxa, keep, strict=True) if stays]
    # plain columns that stand for the design's own, so that both methods see the same matrix
    columns = [f"x{k}" for k, term in enumerate(design.terms) if term != "Intercept"]
    kept = [k for k, term in enumerate(design.terms) if term != "Intercept"]
    frame = pandas.DataFrame(design.matrix[:, kept], columns=columns, index=list(design.samples))
    table = pandas.DataFrame(used[:, keep] + pseudocount, columns=names, index=list(design.samples))
    answer = ancombc(table, frame, formula=" + ".join(columns), p_adjust="bh").result
    reach = float(stats.norm.ppf(0.5 + level / 2.0))
    rows = []
    for name in names:
        for column, k in zip(columns, kept, strict=True):
            line = answer.loc[(name, column)]
            estimate, error = float(line["Log(FC)"]), float(line["SE"])
            rows.append(
                ModelRow(
                    outcome=name, term=design.terms[k], estimate=finite(estimate), standard_error=finite(error),
                    degrees_of_freedom=None, low=finite(estimate - reach * error),
                    high=finite(estimate + reach * error), p=finite(line["pvalue"]),
                    p_adjusted=finite(line["qvalue"]), samples=len(design.samples), subjects=design.subjects,
                    status=FitStatus.FITTED,
                )
            )  # fmt: skip
    return ModelTable(
        title="Differential abundance (ANCOM-BC)", formula=design.formula, unit="natural log fold change",
        level=level, adjustment=f"Benjamini-Hochberg over {len(names)} taxa, each term apart", rows=tuple(rows),
        notes=(f"{pseudocount:g} was added to every count.", "Every sample is taken for a person of its own."),
    )  # fmt: skip


def _verdict(estimates: Sequence[float | None], adjusted: Sequence[float | None], limit: float) -> Verdict:
    known = [(e, p) for e, p in zip(estimates, adjusted, strict=True) if e is not None and p is not None]
    if len(known) < len(estimates):
        return "cannot be estimated"
    hits = [e for e, p in known if p <= limit]
    if not hits:
        return "no difference found"
    one_sign = all(e > 0 for e, _ in known) or all(e < 0 for e, _ in known)
    return "robust" if len(hits) == len(known) and one_sign else "depends on the pseudocount"
