"""The one table type that every reader gives: samples by taxa, with what is known of each taxon's name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from biflora.errors import LaboratoryMust, NameAnother

Numbers = NDArray[np.float64]
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MOST_NAMES = 200_000
"""Taxa, or samples, of one table: more than any study holds, and as many as fit in memory."""
MOST_ENTRIES = 10_000_000
"""Values above zero of one table: 1,000 samples with 10,000 taxa each."""
LARGEST_COUNT = 1e13
"""Far above the reads of a whole flow cell (about 1e11); infinite values are named by their own message."""
SMALLEST_VALUE = 1e-15
"""What is smaller is rounding noise of a program, no read and no share."""
SHOWN = 12
"""How many sample names an error lists before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One row of the laboratory's table, as the file names it."""

    name: str
    lineage: tuple[str, ...] = ()
    """Names from kingdom down to the deepest rank given, without rank prefixes; empty: no taxonomy."""
    taxid: int | None = None
    rank: str = ""
    """`species`, `genus`, ... where the file says so; empty: to be seen from the name."""
    sequence: str = ""


@dataclass(frozen=True)
class LabTable:
    """A laboratory's table in rows of samples (compressed: only what is not zero is kept)."""

    file_name: str
    format: str
    because: str
    samples: tuple[str, ...]
    features: tuple[Feature, ...]
    starts: NDArray[np.int64]
    """Where each sample's entries start; one longer than `samples`."""
    places: NDArray[np.int64]
    """Which feature each entry belongs to."""
    values: Numbers
    has_counts: bool
    assay: str = "unknown"
    assay_because: str = ""
    unclassified_reads: Mapping[str, float] = field(default_factory=dict)
    """Reads, or shares, that the classifier could not name, by sample, where the file says so."""
    remarks: tuple[tuple[str, str], ...] = ()
    """(rule, sentence) for what the reader noticed and the profile must report."""
    names_fungi: bool = False
    """True when at least one fungus stands in the table, so that its database could see fungi."""
    provenance: tuple[str, ...] = ()
    """What the file says of how it was made (artifact, actions in order, generating program), one line each."""
    profiler: str = ""
    """Program and database that named the taxa, as far as the file says."""

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.samples), len(self.features)

    def row(self, sample: str) -> Numbers:
        """The values of one sample, one per feature."""
        number = self.samples.index(sample)
        part = slice(int(self.starts[number]), int(self.starts[number + 1]))
        dense = np.zeros(len(self.features))
        np.add.at(dense, self.places[part], self.values[part])
        return dense

    def totals(self) -> Numbers:
        """Sum of each sample."""
        return np.array([self.values[a:b].sum() for a, b in pairwise(self.starts)])

    def choose(self, wanted: str | None) -> str:
        """The sample's name, or LaboratoryMust that lists what there is."""
        if wanted is None:
            if len(self.samples) == 1:
                return self.samples[0]
            raise NameAnother(
                f"{self.file_name}: the table holds {len(self.samples)} samples and none was named; name one with "
                f"--sample (or --skin-sample, --gut-sample). There are: {listed(self.samples)}."
            )
        if wanted in self.samples:
            return wanted
        near = difflib.get_close_matches(wanted, self.samples, n=5, cutoff=0.5)
        hint = f"the nearest names are {listed(near)}" if near else f"there are {listed(self.samples)}"
        raise NameAnother(
            f"{self.file_name}: the table holds no sample of the name that was asked for; {hint}. Mend the name, "
            "or send the table that holds it."
        )


def listed(names: Sequence[str]) -> str:
    """Names in a row, shortened."""
    shown = ", ".join(name[:60] for name in names[:SHOWN])
    more = len(names) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def from_dense(samples: Sequence[str], matrix: Numbers) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """(starts, places, values) of a samples-by-features matrix."""
    rows, columns = np.nonzero(matrix)
    starts = np.zeros(len(samples) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(samples)), out=starts[1:])
    return starts, columns.astype(np.int64), matrix[rows, columns].astype(np.float64)


def from_entries(
    n_samples: int, samples: NDArray[np.integer], features: NDArray[np.integer], values: Numbers
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """(starts, places, values) of entries in any order, given as three arrays; zeros are left out."""
    kept = np.flatnonzero(values)
    kept = kept[np.lexsort((features[kept], samples[kept]))]
    starts = np.zeros(n_samples + 1, dtype=np.int64)
    np.cumsum(np.bincount(samples[kept], minlength=n_samples), out=starts[1:])
    return starts, features[kept].astype(np.int64), values[kept].astype(np.float64)


def row_sums(starts: NDArray[np.int64], values: Numbers) -> Numbers:
    """Sum of each sample's entries, ignoring what is not a number (the check of the table names those)."""
    sums = np.add.reduceat(np.append(np.nan_to_num(values, posinf=0.0, neginf=0.0), 0.0), starts[:-1])
    return np.where(np.diff(starts) > 0, sums, 0.0)


def checked(table: LabTable) -> LabTable:
    """The table itself, or LaboratoryMust when it is empty, names a sample twice, or holds impossible numbers."""
    name = table.file_name
    if not table.samples or not table.features:
        raise LaboratoryMust(f"{name}: the table has no samples or no taxa; export it again with both.")
    if max(table.shape) > MOST_NAMES or len(table.values) > MOST_ENTRIES:
        raise too_large(name)
    twice = repeated(table.samples)
    if twice:
        raise LaboratoryMust(
            f"{name}: the sample name '{CONTROL.sub('?', twice)[:60]}' stands more than once; give each sample "
            "its own name and send again."
        )
    if any(CONTROL.search(text) for text in (*table.samples, *(feature.name for feature in table.features))):
        raise LaboratoryMust(
            f"{name}: a sample's or taxon's name holds control characters; rename it, send again."
        )
    if table.values.size and np.any((table.values > LARGEST_COUNT) & np.isfinite(table.values)):
        raise LaboratoryMust(
            f"{name}: a count is larger than any sequencer gives; export the table of reads again."
        )
    bad = ~np.isfinite(table.values) | (table.values < 0)
    if bad.any():
        entry = int(np.argmax(bad))
        sample = table.samples[int(np.searchsorted(table.starts, entry, side="right")) - 1]
        what = "negative" if np.isfinite(table.values[entry]) else "not a finite number"
        taxon = table.features[int(table.places[entry])].name[:60]
        sample = sample[:60]
        raise LaboratoryMust(
            f"{name}: the value of sample '{sample}', taxon '{taxon}' is {what} ({int(bad.sum())} such values in "
            "all); send the table of raw counts or shares, before any transformation."
        )
    return _without_noise(table)


def _without_noise(table: LabTable) -> LabTable:
    noise = (table.values > 0) & (table.values < SMALLEST_VALUE)
    if not noise.any():
        return table
    gone = np.concatenate([[0], np.cumsum(noise)])
    remark = (
        "tiny_values",
        f"Values below {SMALLEST_VALUE:g} are rounding noise and were taken as zero "
        f"({int(noise.sum())} in the table).",
    )
    return replace(
        table, starts=table.starts - gone[table.starts], places=table.places[~noise], values=table.values[~noise],
        remarks=(*table.remarks, remark),
    )  # fmt: skip


def too_large(file_name: str) -> LaboratoryMust:
    """The refusal of a table that would not fit in memory."""
    return LaboratoryMust(
        f"{file_name}: the table holds more than {MOST_NAMES} taxa or samples, or more than {MOST_ENTRIES} "
        "values; send the one patient's samples only."
    )


def repeated(names: Sequence[str]) -> str:
    """The first name that stands twice, or an empty text."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def looks_like_counts(values: Numbers, row_sums: Numbers) -> bool:
    """True when the numbers are reads: sums well above 100 that are no percentages."""
    if values.size == 0:
        return True
    whole = bool(np.all(values == np.floor(values)))
    sums = np.sort(row_sums[row_sums > 0])
    typical = float(sums[len(sums) // 2]) if len(sums) else 0.0  # np.median would first load masked arrays
    return (whole and typical > 1.5) or typical > 150.0
