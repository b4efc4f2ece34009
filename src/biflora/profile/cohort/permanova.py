"""PERMANOVA of any distance with a formula, its p-values from permutations that are valid for the design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.design import Design, Exchange, Sampled, exchange_for, read_design
from biflora.profile.cohort.dispersion import Dispersion, dispersion_of
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.formula import Model, Term, Variable, read_model
from biflora.profile.cohort.ordination import ALL_AXES_UP_TO, all_axes
from biflora.profile.cohort.permutations import deal
from biflora.profile.cohort.projection import DealtTerm, Squares, basis, intercept, scaled
from biflora.profile.metadata import Metadata
from biflora.values import Value

Numbers = NDArray[np.float64]
By = Literal["terms", "margin"]
PERMUTATIONS = 999


class PermanovaRow(Value):
    """One term: what it explains, and whether chance would do as well."""

    term: str
    df: int
    sum_of_squares: float
    r2: float
    """Share of all squared distances that the term explains."""
    f: float | None
    """Pseudo-F against the residual of the whole formula, as vegan's adonis2 prints it."""
    p: float
    """(1 + arrangements with at least the tested sum of squares) / (1 + arrangements)."""
    permutations: int
    all_arrangements: bool
    """True: every distinct arrangement was weighed, so p is exact."""
    smallest_p: float
    """The smallest p that this design can give."""
    tested_sum_of_squares: float
    """What p is about: the term's sum of squares after all that `tested_after` names."""
    tested_f: float | None
    """Pseudo-F of the same; the same as `f` where one term stands alone and nothing is taken out."""
    tested_after: str
    permuted_units: str
    scheme: str
    null: str
    notes: tuple[str, ...] = ()


class PermanovaTable(Value):
    """The analysis of one formula."""

    formula: str
    metric: str
    by: By
    n_samples: int
    n_subjects: int
    design: Design
    seed: int
    rows: tuple[PermanovaRow, ...]
    residual_df: int
    residual_sum_of_squares: float
    total_df: int
    total_sum_of_squares: float
    dispersions: tuple[Dispersion, ...]
    """PERMDISP of every factor: a difference in spread can look like a difference in location."""
    remarks: tuple[str, ...] = ()

    def row(self, term: str) -> PermanovaRow:
        return next(row for row in self.rows if row.term == term)


@dataclass(frozen=True)
class _Fit:
    """The formula fitted once to the distances."""

    squares: Squares
    residual: float
    residual_df: int
    total: float


def permanova(
    distances: Distances,
    metadata: Metadata,
    formula: str,
    design: Design,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    by: By = "terms",
    wanted_p: float = 0.05,
    with_dispersion: bool = True,
) -> PermanovaTable:
    """Permutational analysis of variance of `distances` with the terms of `formula`.

    `by="terms"` tests each term after those before it, `"margin"` after all others that do not hold it. A design
    that cannot reach `wanted_p` is refused. Raises TrialistMust for a request whose p-value would mean nothing:
    samples permuted freely though subjects have several, values that cannot move, terms that cannot be told apart,
    missing values, too few subjects.
    """
    if permutations < 1 or 1 / (permutations + 1) > wanted_p:
        raise TrialistMust(
            f"{permutations} permutations cannot give a p-value of {wanted_p:g}; ask for at least "
            f"{int(np.ceil(1 / wanted_p)) - 1}."
        )
    if not np.isfinite(distances.matrix).all():
        raise TrialistMust("Some distances are not finite numbers; leave out the samples that cause them.")
    described = metadata.of(distances.samples)
    model = read_model(formula, described)
    sampled = read_design(design, described)
    exchanges = [exchange_for(term, model, sampled) for term in model.terms]
    columns = [scaled(term.columns) for term in model.terms]
    squares = Squares(distances.matrix)
    a = squares.a
    fit, sequential = _fit(squares, model, columns)
    _refuse_too_few(model, columns, sampled, fit)
    rows: list[PermanovaRow] = []
    untested: list[str] = []
    for place, (term, exchange) in enumerate(zip(model.terms, exchanges, strict=True)):
        holders = model.containing(term)
        if by == "margin" and holders:
            untested.append(
                f"{term.name} is not tested after {holders[0].name}, which holds it; ask by terms instead."
            )
            continue
        if by == "margin":
            before = [i for i in range(len(model.terms)) if i != place and model.terms[i] not in holders]
            added = basis(columns[place], _orthonormal([columns[i] for i in before], model.n))
        else:
            before, added = list(range(place)), sequential[place]
        _refuse_confounded(term, columns[place], added)
        explained = float(np.sum(added * (a @ added)))
        rows.append(
            _tested(
                term, exchange, model, sampled, fit, explained, added.shape[1],
                before=[model.terms[i] for i in before], before_columns=[columns[i] for i in before],
                permutations=permutations, generator=np.random.default_rng([seed, place]), wanted_p=wanted_p,
            )
        )  # fmt: skip
    factors = [variable.name for variable in model.variables.values() if variable.is_groups]
    dispersions: tuple[Dispersion, ...] = ()
    if with_dispersion and factors:
        axes = all_axes(distances.matrix) if model.n <= ALL_AXES_UP_TO else None
        dispersions = tuple(
            dispersion_of(
                distances,
                name,
                described,
                design,
                permutations=permutations,
                seed=seed,
                wanted_p=wanted_p,
                axes=axes,
            )
            for name in factors
        )
    return PermanovaTable(
        formula=model.formula,
        metric=distances.metric,
        by=by,
        n_samples=model.n,
        n_subjects=sampled.n_subjects,
        design=design,
        seed=seed,
        rows=tuple(rows),
        residual_df=fit.residual_df,
        residual_sum_of_squares=fit.residual,
        total_df=model.n - 1,
        total_sum_of_squares=fit.total,
        dispersions=dispersions,
        remarks=(*distances.remarks, *untested, *_remarks(dispersions)),
    )


def _fit(squares: Squares, model: Model, columns: Sequence[Numbers]) -> tuple[_Fit, list[Numbers]]:
    a = squares.a
    before = intercept(model.n)
    sequential = []
    for own in columns:
        added = basis(own, before)
        before = np.hstack([before, added])
        sequential.append(added)
    total = float(np.trace(a) - a.sum() / model.n)
    if total <= 0:
        raise TrialistMust("All samples are the same to this distance; there is nothing to explain.")
    explained = before[:, 1:]
    residual = total - float(np.sum(explained * (a @ explained)))
    return _Fit(squares, residual, model.n - before.shape[1], total), sequential


def _refuse_too_few(model: Model, columns: Sequence[Numbers], sampled: Sampled, fit: _Fit) -> None:
    if fit.residual_df < 1:
        raise TrialistMust(
            f"The formula has as many columns as there are samples ({model.n}), so nothing is left to judge it "
            "by; leave terms out."
        )
    first = np.unique(sampled.subjects, return_index=True)[1]
    constant = [
        own[first]
        for term, own in zip(model.terms, columns, strict=True)
        if all(sampled.constant_within_subjects(model.variables[name].codes) for name in term.variables)
    ]
    rank = _orthonormal([scaled(own) for own in constant], len(first)).shape[1]
    if rank >= sampled.n_subjects:
        raise TrialistMust(
            f"There are {sampled.n_subjects} subjects for {rank} columns that differ between subjects; nothing is "
            "left to judge them by. Leave terms out, or add subjects."
        )


def _orthonormal(columns: Sequence[Numbers], n: int) -> Numbers:
    """An orthonormal basis of the intercept and all columns."""
    first = intercept(n)
    return np.hstack([first, basis(np.hstack(columns), first)]) if columns else first


def _refuse_confounded(term: Term, columns: Numbers, added: Numbers) -> None:
    missing = columns.shape[1] - added.shape[1]
    if added.shape[1] == 0 or (missing and len(term.variables) == 1):
        raise TrialistMust(
            f"{term.name} cannot be told apart from the terms beside it: {missing} of its {columns.shape[1]} "
            "columns follow from theirs. Leave one of them out."
        )


def _tested(
    term: Term,
    exchange: Exchange,
    model: Model,
    sampled: Sampled,
    fit: _Fit,
    explained: float,
    df: int,
    *,
    before: Sequence[Term],
    before_columns: Sequence[Numbers],
    permutations: int,
    generator: np.random.Generator,
    wanted_p: float,
) -> PermanovaRow:
    dealt = [model.variables[name] for name in exchange.dealt]
    arrangements = deal(
        exchange.labels, exchange.strata, permutations, generator,
        groups=len(dealt) == 1 and (dealt[0].is_groups or int(dealt[0].codes.max()) == 1),
        wanted_p=wanted_p, what=term.name,
    )  # fmt: skip
    moving, keeping = _columns_of(term, exchange, model)
    taken_out = np.hstack(before_columns) if before else np.zeros((model.n, 0))
    ready = DealtTerm(fit.squares, exchange, sampled.subjects, moving, keeping, taken_out)
    found = ready.test(arrangements.places)
    if found.rank == 0:
        raise TrialistMust(
            f"{term.name}: within subjects it follows from {', '.join(other.name for other in before)}, so it "
            "cannot be tested. If it belongs to the subject, give its value at baseline; otherwise leave one of "
            "them out."
        )
    notes = list(exchange.notes)
    beside = [other.name for other in before if exchange.kind in ("samples", "between subjects")]
    if len(term.variables) > 1 and exchange.kind in ("samples", "between subjects"):
        notes.append("The main effects stay where they are; the p-value is approximate, good for many subjects.")
    elif beside:
        notes.append(
            f"Exact where {term.name} was allotted by chance; approximate where it goes along with "
            f"{', '.join(beside)}."
        )
    if df < moving.shape[1] * keeping.shape[1]:
        notes.append("Some combinations have no samples, so the term has fewer degrees of freedom.")
    if any(not model.variables[name].is_groups for name in term.variables):
        numbers = [name for name in term.variables if not model.variables[name].is_groups]
        notes.append(f"{' and '.join(numbers)} is taken as a number: a straight-line effect.")
    after = [*(["each subject's mean"] if exchange.takes_subjects_out else []), *(other.name for other in before)]
    return PermanovaRow(
        term=term.name,
        df=df,
        sum_of_squares=explained,
        r2=explained / fit.total,
        f=_f(explained, df, fit),
        p=(1 + found.at_least_as_large) / (1 + found.permutations),
        permutations=found.permutations,
        all_arrangements=arrangements.are_all,
        smallest_p=arrangements.smallest_p,
        tested_sum_of_squares=found.sum_of_squares,
        tested_f=found.f,
        tested_after=", ".join(after) or "nothing",
        permuted_units=exchange.units,
        scheme=exchange.scheme,
        null=exchange.null,
        notes=tuple(notes),
    )


def _columns_of(term: Term, exchange: Exchange, model: Model) -> tuple[Numbers, Numbers]:
    """(what is dealt, one row for each unit; what stays, one row for each sample)."""
    first = np.unique(exchange.unit_of, return_index=True)[1]
    if exchange.kind != "courses":
        return term.columns[first], np.ones((model.n, 1))
    moving = _products([model.variables[name] for name in exchange.dealt])[first]
    staying = _products([model.variables[name] for name in exchange.kept])
    return moving, staying / np.linalg.norm(staying, axis=0)


def _products(variables: Sequence[Variable]) -> Numbers:
    found = variables[0].columns
    for variable in variables[1:]:
        found = (found[:, :, None] * variable.columns[:, None, :]).reshape(found.shape[0], -1)
    return found


def _f(explained: float, df: int, fit: _Fit) -> float | None:
    # Semi-metric distances can leave a residual below zero; an F of that would mean nothing.
    return explained / df / (fit.residual / fit.residual_df) if fit.residual > 0 else None


def _remarks(dispersions: Sequence[Dispersion]) -> tuple[str, ...]:
    spread = [found.groups_of for found in dispersions if found.p is not None and found.p < 0.05]
    if not spread:
        return ()
    return (
        f"The groups of {', '.join(spread)} differ in spread (PERMDISP p below 0.05): part of what PERMANOVA "
        "finds for them may be spread, not location.",
    )
