"""Alpha diversity of a cohort at one depth, and how it differs by the formula.

Not one random rarefaction but the mean over all of them, in closed form, so that the same table gives the same
numbers and none is thrown away by a seed (Hurlbert 1971 for richness; Faith's sum of branches by Nipperess and
Matsen 2013, Methods Ecol Evol 4:566; the others in profile/numbers/diversity.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biflora.errors import LaboratoryMust, TrialistMust
from biflora.knowledge.cohort_models import model_setting
from biflora.profile.cohort.contrasts import Ask, each_term
from biflora.profile.cohort.model_table import ModelTable
from biflora.profile.cohort.outcome_models import Adjust, model_outcomes
from biflora.profile.metadata import Metadata
from biflora.profile.numbers.diversity import expected_richness, expected_shannon
from biflora.profile.table import listed

Numbers = NDArray[np.float64]
UNITS = {
    "shannon": "nats", "observed": "features", "simpson": "1 - sum of squares", "faith_pd": "branch length",
}  # fmt: skip


@dataclass(frozen=True)
class AlphaTable:
    """Expected diversity of each sample among `depth` reads; NaN where a sample has fewer."""

    samples: tuple[str, ...]
    depth: int
    values: Mapping[str, Numbers]
    """`shannon` (nats), `observed`, `simpson`, and `faith_pd` where a tree was given; each (samples,)."""
    too_shallow: tuple[str, ...]

    def to_csv(self) -> str:
        """The table as CSV text, empty where a sample is too shallow."""
        lines = [",".join(["sample", "depth", *self.values])]
        for place, sample in enumerate(self.samples):
            found = (float(column[place]) for column in self.values.values())
            cells = (f"{number:.12g}" if np.isfinite(number) else "" for number in found)
            lines.append(",".join([sample, str(self.depth), *cells]))
        return "\n".join(lines) + "\n"


def alpha_at_depth(
    counts: ArrayLike,
    samples: Sequence[str],
    *,
    depth: int | None = None,
    tree: str | None = None,
    taxa: Sequence[str] = (),
) -> AlphaTable:
    """Expected Shannon, richness, Simpson and Faith's diversity of each sample at a common depth.

    `counts` (samples, taxa), rounded to whole reads; `depth`: by default the fewest reads of a sample that has at
    least `alpha_least_depth` (a row of knowledge); `tree`: rooted, in Newick, with branch lengths and the names
    `taxa` at its tips. Raises LaboratoryMust for a table without such samples or a tree without the taxa.
    """
    table: Numbers = np.rint(np.asarray(counts, dtype=np.float64))
    totals = table.sum(axis=1)
    if depth is None:
        least = model_setting("alpha_least_depth")
        enough = totals[totals >= least]
        if len(enough) == 0:
            raise LaboratoryMust(f"No sample has {least:g} reads; give a depth, or send deeper samples.")
        depth = int(enough.min())
    deep = np.flatnonzero(totals >= depth)
    if len(deep) == 0 or depth < 1:
        raise LaboratoryMust(f"No sample has {depth} reads; give a smaller depth.")

    def spread(numbers: Sequence[float] | Numbers) -> Numbers:
        column = np.full(len(samples), np.nan)
        column[deep] = numbers
        return column

    values = {
        "shannon": spread([expected_shannon(table[i], depth) for i in deep]),
        "observed": spread([expected_richness(table[i], depth) for i in deep]),
        "simpson": spread(_expected_simpson(table[deep], depth)),
    }
    if tree is not None:
        values["faith_pd"] = spread(expected_faith(table[deep], taxa, tree, depth))
    shallow = tuple(name for name, total in zip(samples, totals, strict=True) if total < depth)
    return AlphaTable(tuple(samples), depth, values, shallow)


def alpha_models(
    alpha: AlphaTable,
    formula: str,
    metadata: Metadata,
    *,
    ask: Ask = each_term,
    adjust: Adjust = "Holm",
    reference: Mapping[str, str] | None = None,
    categorical: Sequence[str] = (),
) -> ModelTable:
    """A linear (mixed) model of each diversity by the formula; p adjusted over contrasts, each diversity apart.

    Richness and Faith's diversity enter as they are, so a contrast reads in features or branch length.
    Raises TrialistMust or NameAnother as the formula does.
    """
    place = {name: number for number, name in enumerate(alpha.samples)}
    known = [name for name in metadata.samples if name in place and name not in set(alpha.too_shallow)]
    if not known:
        raise TrialistMust("None of the samples with enough reads is in the descriptions; match the names.")
    rows = [place[name] for name in known]
    units = ", ".join(f"{name} in {UNITS[name]}" for name in alpha.values)
    notes = [f"Expected among {alpha.depth} reads of each sample; nothing was drawn at random."]
    if alpha.too_shallow:
        notes.append(f"{len(alpha.too_shallow)} samples have fewer reads and are left out.")
    table = model_outcomes(
        {name: column[rows] for name, column in alpha.values.items()}, formula, metadata.of(known),
        title="Alpha diversity", unit=units, ask=ask, adjust=adjust, reference=reference, categorical=categorical,
        notes=tuple(notes),
    )  # fmt: skip
    return table.model_copy(update={"left_out": (*alpha.too_shallow, *table.left_out)})


def expected_faith(counts: Numbers, taxa: Sequence[str], tree: str, depth: int) -> Numbers:
    """Faith's diversity expected among `depth` reads of each sample: each branch by its chance of being seen.

    Counts the branches down from the root, as scikit-bio does. Raises LaboratoryMust where the tree lacks a taxon
    that has reads.
    """
    import io

    from skbio import TreeNode

    try:
        root = TreeNode.read(io.StringIO(tree), format="newick", convert_underscores=False)
    except Exception:  # scikit-bio raises several kinds
        raise LaboratoryMust("The tree is not readable as Newick; export it again.") from None
    column = {name: number for number, name in enumerate(taxa)}
    below: dict[int, Numbers] = {}
    covered = np.zeros(counts.shape[1], dtype=bool)
    lengths: list[float] = []
    reads: list[Numbers] = []
    for node in root.postorder(include_self=True):
        if node.is_tip():
            here = np.zeros(counts.shape[0])
            if node.name in column:
                covered[column[node.name]] = True
                here = counts[:, column[node.name]]
        else:
            here = np.sum([below.pop(id(child)) for child in node.children], axis=0)
        below[id(node)] = here
        if node.length:
            lengths.append(float(node.length))
            reads.append(here)
    lost = [taxa[int(k)] for k in np.flatnonzero((counts.sum(axis=0) > 0) & ~covered)]
    if lost:
        raise LaboratoryMust(
            f"The tree lacks {len(lost)} taxa of the table ({listed(lost[:3])}); send its own tree."
        )
    if not lengths:
        raise LaboratoryMust("The tree has no branch lengths; export it with them.")
    totals = counts.sum(axis=1, keepdims=True)
    found: Numbers = (1.0 - _chance_missed(np.array(reads).T, totals, depth)) @ np.array(lengths)
    return found


def _chance_missed(reads: Numbers, totals: Numbers, depth: int) -> Numbers:
    """Chance that none of `reads` is among `depth` drawn of `totals` without replacement."""
    from scipy.special import gammaln

    left = totals - reads
    open_ = left >= depth
    safe = np.where(open_, left, depth)
    log = gammaln(safe + 1) - gammaln(safe - depth + 1) - gammaln(totals + 1) + gammaln(totals - depth + 1)
    found: Numbers = np.where(open_, np.exp(log), 0.0)
    return found


def _expected_simpson(counts: Numbers, depth: int) -> Numbers:
    """Mean of 1 - sum p^2 over all draws: the hypergeometric's mean and variance give it."""
    totals = counts.sum(axis=1, keepdims=True)
    share = counts / totals
    mean = depth * share
    variance = mean * (1.0 - share) * (totals - depth) / np.maximum(totals - 1.0, 1.0)
    found: Numbers = 1.0 - ((variance + mean**2).sum(axis=1) / depth**2)
    return found
