"""How far each sample lies from the same subject's baseline: the change, where levels differ before treatment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.design import Design
from biflora.profile.cohort.distances import Distances
from biflora.profile.metadata import Metadata

Numbers = NDArray[np.float64]


def changes_from_baseline(
    distances: Distances, metadata: Metadata, design: Design, baseline: str
) -> tuple[tuple[str, ...], Numbers]:
    """The samples after baseline, and the distance of each to its subject's baseline sample.

    `baseline`: what stands in the design's column of time at baseline. Subjects without that sample, or with it
    alone, give nothing. Raises TrialistMust when a subject has two baselines, or nobody has any.
    """
    if design.subject is None or design.time is None:
        raise TrialistMust("A change from baseline needs the columns of subject and time; name both.")
    described = metadata.of(distances.samples)
    subjects, times = described.texts(design.subject), described.texts(design.time)
    first: dict[str, int] = {}
    for place, (subject, time) in enumerate(zip(subjects, times, strict=True)):
        if time == baseline and subject:
            if subject in first:
                raise TrialistMust(
                    f"{metadata.file_name}: a subject has two samples at baseline; keep one, or look at one body "
                    "site at a time."
                )
            first[subject] = place
    later = [
        place
        for place, (subject, time) in enumerate(zip(subjects, times, strict=True))
        if subject in first and time and time != baseline
    ]
    if not later:
        raise TrialistMust(
            f"{metadata.file_name}: no subject has a sample at baseline and one after it; mend the name of the "
            f"baseline in '{design.time[:60]}'."
        )
    places = np.array(later, dtype=np.int64)
    starts = np.array([first[subjects[place]] for place in later], dtype=np.int64)
    return tuple(distances.samples[place] for place in later), distances.matrix[places, starts]


def between_changes(distances: Distances, metadata: Metadata, design: Design, baseline: str) -> Distances:
    """Differences between the changes of all pairs of samples, for `permanova` with the same formula and design.

    It then compares how far subjects moved, not where they moved to.
    """
    samples, changes = changes_from_baseline(distances, metadata, design, baseline)
    before = len(distances.samples) - len(samples)
    return Distances(
        samples,
        np.abs(np.subtract.outer(changes, changes)),
        f"difference in how far samples moved from baseline ({distances.metric})",
        (*distances.remarks, f"{before} samples are baselines or have none."),
    )
