"""ANOSIM through scikit-bio, for independent samples only."""

from __future__ import annotations

from biflora.errors import TrialistMust
from biflora.profile.cohort.design import Design, read_design
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.formula import read_variable
from biflora.profile.metadata import Metadata
from biflora.values import Value


class Anosim(Value):
    groups_of: str
    r: float
    p: float
    permutations: int


def anosim(
    distances: Distances,
    column: str,
    metadata: Metadata,
    design: Design,
    *,
    permutations: int = 999,
    seed: int = 0,
) -> Anosim:
    """Whether distances between groups rank above those inside.

    Raises TrialistMust where subjects repeat or blocks stand: scikit-bio permutes samples freely.
    """
    from skbio import DistanceMatrix
    from skbio.stats.distance import anosim as of_skbio

    described = metadata.of(distances.samples)
    sampled = read_design(design, described)
    if sampled.repeated or design.blocks is not None:
        raise TrialistMust("ANOSIM permutes samples freely, which this design does not allow; use PERMANOVA.")
    variable = read_variable(column, described, as_groups=True)
    found = of_skbio(
        DistanceMatrix(distances.matrix, list(distances.samples)),
        [variable.levels[code] for code in variable.codes],
        permutations=permutations,
        seed=seed,
    )
    return Anosim(
        groups_of=column,
        r=float(found["test statistic"]),
        p=float(found["p-value"]),
        permutations=permutations,
    )
