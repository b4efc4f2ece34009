"""How far each person moved from one visit, and whether that differs by the formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from biflora.profile.cohort.baseline import between_changes, changes_from_baseline
from biflora.profile.cohort.design import Design
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.formula import Model, Term, read_model
from biflora.profile.cohort.permanova import By, PermanovaTable, permanova
from biflora.profile.metadata import Metadata
from biflora.values import Value


class MovedGroup(Value):
    """Distances from the first visit in one group at one later visit."""

    group: str
    time: str
    samples: int
    lower_quartile: float
    median: float
    upper_quartile: float


class Moved(Value):
    """Distance, not direction: a person who moved as far the other way counts the same."""

    baseline: str
    groups: tuple[MovedGroup, ...]
    tested: PermanovaTable


def moved_from(
    distances: Distances, rows: Metadata, formula: str, design: Design, baseline: str, *, grouped_by: str,
    permutations: int, seed: int, by: By = "terms",
) -> Moved:  # fmt: skip
    """The distances of all later samples from the same person's sample at `baseline`, by group and by the formula.

    Where one later visit is left, the formula's terms with time fall away, for nothing varies over it. Raises
    TrialistMust as `permanova` does, and when nobody has such a pair of samples.
    """
    later, changes = changes_from_baseline(distances, rows, design, baseline)
    apart = between_changes(distances, rows, design, baseline)
    described = rows.of(later)
    assert design.time is not None
    times = described.texts(design.time)
    labels = described.texts(grouped_by) if grouped_by and grouped_by != design.time else ("all",) * len(later)
    order = list(dict.fromkeys(rows.texts(design.time)))
    found = []
    for group in sorted(set(labels)):
        for time in sorted(set(times), key=_in_order(order)):
            mine = [c for c, g, t in zip(changes, labels, times, strict=True) if (g, t) == (group, time)]
            if mine:
                low, middle, high = (float(x) for x in np.quantile(mine, [0.25, 0.5, 0.75]))
                found.append(
                    MovedGroup(
                        group=group, time=time, samples=len(mine), lower_quartile=low, median=middle,
                        upper_quartile=high,
                    )
                )  # fmt: skip
    model = read_model(formula, rows)
    lost = {name for name in model.variables if len(set(described.texts(name))) < 2}
    left = [term for term in model.terms if not lost & set(term.variables)]
    tested = permanova(
        apart, described, " + ".join(_written(term, model) for term in left), design,
        permutations=permutations, seed=seed, by=by, with_dispersion=False,
    )  # fmt: skip
    return Moved(baseline=baseline, groups=tuple(found), tested=tested)


def _written(term: Term, model: Model) -> str:
    names = []
    for name in term.variables:
        quoted = name if name.isidentifier() else f"`{name}`"
        names.append(f"C({quoted})" if model.variables[name].is_groups else quoted)
    return ":".join(names)


def _in_order(order: list[str]) -> Callable[[str], tuple[float, int]]:
    """Numbers by size, other times as they stand in the table."""

    def key(text: str) -> tuple[float, int]:
        try:
            return float(text), 0
        except ValueError:
            return 0.0, order.index(text)

    return key
