"""Hints of reads that went to the wrong sample: index hopping over the run, splashes between wells of a plate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from biflora.errors import LaboratoryMust
from biflora.knowledge.taxa import limit, quality_limits
from biflora.profile.metadata import Metadata
from biflora.profile.names import name_feature
from biflora.profile.table import LabTable, Numbers
from biflora.values import Finding, Value, Who

WELL = re.compile(r"([A-Pa-p])0?([1-9]|1\d|2[0-4])")
SHUFFLES = 999
SEED = 2026
"""The permutations of the wells are the same at each run, so that the same table gives the same answer."""
Wells = Mapping[str, tuple[str, int, int]]
"""Plate, row and column of each sample whose well is known."""


class HoppingHint(Value):
    """A taxon that one sample is full of and many others hold a trace of. A hint: nothing is taken out for it."""

    feature: str
    name: str
    source: str
    """The sample that holds by far the most."""
    source_share: float
    samples_with_trace: int
    controls_with_trace: int
    samples: int
    """Other samples of the run."""
    median_trace: float
    """Median of the traces as a part of the source's reads."""
    neighbour_p: float | None = None
    """Permutation p that traces are larger in wells nearer to the source; None without wells."""
    neighbours_with_trace: int | None = None
    neighbours: int | None = None
    """Wells that touch the source's, on its plate."""


def plate_wells(samples: Sequence[str], metadata: Metadata, *, plate: str | None, well: str) -> Wells:
    """The wells from the descriptions' columns, e.g. `A1` or `h12`; a cell that is no well is left out.

    Raises LaboratoryMust when no cell of the column is a well.
    """
    rows = metadata.of(samples)
    plates = rows.texts(plate) if plate else ("",) * len(samples)
    found = {}
    for sample, of_plate, cell in zip(samples, plates, rows.texts(well), strict=True):
        place = WELL.fullmatch(cell.strip())
        if place:
            found[sample] = (of_plate, ord(place.group(1).upper()) - ord("A"), int(place.group(2)))
    if not found:
        raise LaboratoryMust(
            f"{metadata.file_name}: the column '{well[:60]}' holds no well such as A1 or H12; name another."
        )
    return found


def hopping_hints(
    table: LabTable, *, controls: Sequence[str] = (), wells: Wells | None = None, most: int = 20
) -> tuple[HoppingHint, ...]:
    """Taxa abundant in one sample and present at a trace of it in many others, those in most samples first.

    Only from counts: shares of different depths cannot tell a trace. Empty for fewer than eight samples.
    """
    if not table.has_counts or len(table.samples) < limit("run_depth_samples"):
        return ()
    from scipy.sparse import csr_array

    shape = (len(table.samples), len(table.features))
    matrix = csr_array((table.values, table.places, table.starts), shape=shape).tocsc()
    depths = np.maximum(table.totals(), 1.0)
    is_control = np.isin(table.samples, list(controls))
    trace, fewest = limit("hopping_trace"), limit("hopping_fewest")
    found = []
    for column in range(shape[1]):
        part = slice(int(matrix.indptr[column]), int(matrix.indptr[column + 1]))
        holders, reads = matrix.indices[part], matrix.data[part]
        if len(reads) <= fewest:
            continue
        top = int(np.argmax(reads))
        if reads[top] / depths[holders[top]] < limit("hopping_source_share"):
            continue
        others, homes = np.delete(reads, top), np.delete(holders, top)
        small = others <= trace * reads[top]
        if (~small).sum() > limit("hopping_own") * len(others):
            continue  # too many samples hold the taxon in their own right
        if small.sum() < max(fewest, limit("hopping_samples") * (shape[0] - 1)):
            continue
        name = name_feature(table.features[column])
        if name.is_host:
            continue
        source = table.samples[holders[top]]
        dense = np.zeros(shape[0])
        dense[homes[small]] = others[small]
        found.append(
            HoppingHint(
                feature=table.features[column].name,
                name=name.name,
                source=source,
                source_share=float(reads[top] / depths[holders[top]]),
                samples_with_trace=int(small.sum()),
                controls_with_trace=int(is_control[homes[small]].sum()),
                samples=shape[0] - 1,
                median_trace=float(np.median(others[small]) / reads[top]),
                **(_neighbourhood(table.samples, dense, source, wells) if wells else {}),
            )
        )
    found.sort(key=lambda hint: (-hint.samples_with_trace, hint.feature))
    return tuple(found[:most])


def _neighbourhood(samples: Sequence[str], reads: Numbers, source: str, wells: Wells) -> dict[str, float | int]:
    """Whether the traces on the source's plate grow towards its well: rank correlation, wells shuffled."""
    if source not in wells:
        return {}
    from scipy.stats import rankdata

    plate, row, column = wells[source]
    mine = [
        (reads[i], max(abs(wells[s][1] - row), abs(wells[s][2] - column)))
        for i, s in enumerate(samples)
        if s in wells and wells[s][0] == plate and s != source
    ]
    if len(mine) < limit("run_depth_samples"):
        return {}
    traces, distances = np.array(mine, dtype=np.float64).T
    beside = distances <= 1
    told: dict[str, float | int] = {
        "neighbours": int(beside.sum()),
        "neighbours_with_trace": int((traces[beside] > 0).sum()),
    }
    if traces.max() > traces.min() and distances.max() > distances.min():
        ranks = rankdata(traces) - (len(traces) + 1) / 2
        nearness = -(rankdata(distances) - (len(traces) + 1) / 2)
        shuffled = np.random.default_rng(SEED).permuted(np.tile(nearness, (SHUFFLES, 1)), axis=1) @ ranks
        told["neighbour_p"] = float((1 + (shuffled >= nearness @ ranks - 1e-9).sum()) / (1 + SHUFFLES))
    return told


def hopping_findings(table: LabTable, hints: Sequence[HoppingHint]) -> tuple[Finding, ...]:
    """The hints in sentences: one for the run, one where the traces lie around the source's well."""
    if not hints:
        return ()
    trace, beside = quality_limits()["hopping_trace"], quality_limits()["neighbour_p"]
    first = hints[0]
    blanks = f", {first.controls_with_trace} of them blanks" if first.controls_with_trace else ""
    found = [
        Finding(
            level="note", rule="index_hopping_hint", subject=first.name, who=Who.LABORATORY,
            message=f"{len(hints)} taxa fill one sample and stand as traces in many others, as when reads hop to "
            f"another index: {first.name} is in {first.samples_with_trace} of {first.samples} other "
            f"samples{blanks}, at {100 * first.median_trace:.2g} % of its source at the median. A hint only: ask "
            "the laboratory whether it used unique dual indexes.",
            source=trace.source, verification=trace.verification,
        )
    ]  # fmt: skip
    near = [hint for hint in hints if hint.neighbour_p is not None and hint.neighbour_p < beside.value]
    if near:
        names = ", ".join(dict.fromkeys(hint.name for hint in near[:4]))
        found.append(
            Finding(
                level="warn", rule="plate_neighbours", subject=near[0].name, who=Who.LABORATORY,
                message=f"Traces of {len(near)} taxa ({names}) are larger in wells nearer to the sample that is "
                "full of them: well-to-well contamination. The laboratory repeats the neighbours, or reads "
                "their rare taxa as unknown.",
                source=beside.source, verification=beside.verification,
            )
        )  # fmt: skip
    return tuple(found)
