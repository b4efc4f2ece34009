"""Diversity of one sample: as it is, and as expected at a stated depth.

Plain NumPy; tests hold it equal to scikit-bio and vegan, which would cost one sample seconds and 190 MB to import.
"""

from __future__ import annotations

import math

import numpy as np

from biflora.knowledge.indices import quantity_settings
from biflora.profile.composition import Composition
from biflora.profile.numbers.special_functions import log_gamma
from biflora.profile.profile import Quantity
from biflora.profile.table import Numbers
from biflora.values import State

SPREADS = 12.0
"""How many standard deviations around its mean a count is followed; what lies outside is below 1e-16."""


def shannon(values: Numbers) -> float:
    """Shannon diversity in nats: -sum p ln p."""
    p = values[values > 0] / values.sum()
    return float(-(p * np.log(p)).sum())


def simpson(values: Numbers) -> float:
    """Simpson diversity 1 - sum p^2."""
    p = values / values.sum()
    return float(1.0 - (p**2).sum())


def observed(values: Numbers) -> int:
    """Number of features with at least one read."""
    return int((values > 0).sum())


def pielou(values: Numbers) -> float:
    """Evenness: Shannon over the log of the number of features (1 for a single feature, as in scikit-bio)."""
    count = observed(values)
    return 1.0 if count == 1 else shannon(values) / math.log(count)


def chao1(counts: Numbers, *, bias_corrected: bool = True) -> float:
    """Chao's lower bound of the number of features, from those seen once and twice (1984; corrected 1987).

    The plain form f1^2 / (2 f2) needs a feature seen twice; without one, or without one seen once, the corrected
    form f1 (f1 - 1) / (2 (f2 + 1)) is taken, as in scikit-bio.
    """
    once, twice = float((counts == 1).sum()), float((counts == 2).sum())
    if bias_corrected or not once or not twice:
        return observed(counts) + once * (once - 1) / (2 * (twice + 1))
    return observed(counts) + once**2 / (2 * twice)


def expected_richness(counts: Numbers, depth: int) -> float:
    """Features expected among `depth` reads drawn without replacement (Hurlbert 1971; vegan's rarefy). Exact.

    Raises ValueError when the sample holds fewer reads.
    """
    sizes, repeats, total = _grouped(counts, depth)
    if depth == total:
        return float(repeats.sum())
    left = total - sizes
    can_miss = left >= depth
    left = left[can_miss]
    log_missed = (
        log_gamma(left + 1) - log_gamma(left - depth + 1) - log_gamma(total + 1) + log_gamma(total - depth + 1)
    )
    return float(repeats.sum() - (repeats[can_miss] * np.exp(log_missed)).sum())


def expected_shannon(counts: Numbers, depth: int) -> float:
    """Mean Shannon diversity (nats) of all draws of `depth` reads without replacement. Exact.

    The number of reads of one feature is hypergeometric; its -p ln p is summed over all numbers that can occur.
    Raises ValueError when the sample holds fewer reads.
    """
    sizes, repeats, total = _grouped(counts, depth)
    if depth == total or len(counts) == 1:
        return shannon(np.repeat(sizes, repeats.astype(np.int64)))
    mean = depth * sizes / total
    spread = np.sqrt(mean * (1 - sizes / total) * (total - depth) / (total - 1))
    first = np.maximum(np.maximum(1, depth - (total - sizes)), np.floor(mean - SPREADS * spread - SPREADS))
    last = np.minimum(np.minimum(sizes, depth), np.ceil(mean + SPREADS * spread + 2 * SPREADS))
    lengths = (last - first + 1).astype(np.int64)
    owner = np.repeat(np.arange(len(sizes)), lengths)
    drawn = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) + first[owner]
    log_factorial = log_gamma(np.arange(depth + 2) + 1.0)  # of the small numbers, all whole
    whole, kept = sizes[owner], drawn.astype(np.int64)
    log_chance = (
        (
            log_gamma(sizes + 1)
            - log_gamma(total + 1)
            + log_gamma(total - depth + 1)
            + log_gamma(total - sizes + 1)
        )[owner]
        + log_factorial[depth]
        - log_factorial[kept]
        - log_factorial[depth - kept]
        - log_gamma(whole - drawn + 1)
        - log_gamma(total - whole - depth + drawn + 1)
    )
    share = drawn / depth
    return float(-(np.exp(log_chance) * share * np.log(share) * repeats[owner]).sum())


def _grouped(counts: Numbers, depth: int) -> tuple[Numbers, Numbers, float]:
    """Different counts above zero, how often each occurs, and the reads in all."""
    present = counts[counts > 0]
    total = float(present.sum())
    if depth < 1 or depth > total:
        raise ValueError(f"the depth must lie between 1 and the sample's {total:.0f} reads")
    sizes, repeats = np.unique(present, return_counts=True)
    return sizes, repeats.astype(np.float64), total


def diversity(composition: Composition) -> tuple[Quantity, ...]:
    """The diversities of the file's own features without the host, then those at the assay's matched depth."""
    values = composition.values
    note = "" if composition.has_counts else f"{composition.no_counts_because} Taken from them as they are."
    count_note = "Grows with depth; compare only at equal depth." if composition.has_counts else note
    plain = (
        ("shannon", "Shannon diversity", "nats", shannon(values), note, "-sum p ln p (Shannon 1948)"),
        ("simpson", "Simpson diversity", "", simpson(values), note, "1 - sum p^2 (Simpson 1949)"),
        ("observed_taxa", "Observed features", "features", observed(values), count_note, "counted in the file"),
        ("pielou", "Pielou evenness", "", pielou(values), note, "Shannon / ln of the features (Pielou 1966)"),
    )
    return (
        *(
            Quantity(key=key, label=label, unit=unit, value=value, note=said, source=source,
                     verification="computed; equal to scikit-bio and vegan in tests")
            for key, label, unit, value, said, source in plain
        ),
        _chao1(composition),
        *_at_matched_depth(composition),
    )  # fmt: skip


def _chao1(composition: Composition) -> Quantity:
    blank = {
        "key": "chao1",
        "label": "Chao1 richness",
        "unit": "features",
        "source": "Chao 1984 Scand J Stat 11:265; bias-corrected form",
        "verification": "memory; equal to scikit-bio and phyloseq in tests",
    }
    values = composition.values
    if not composition.has_counts:
        return Quantity(**blank, state=State.NOT_MEASURED, note=composition.no_counts_because)
    if np.any(values != np.floor(values)):
        return Quantity(**blank, state=State.NOT_MEASURED, note="It needs whole reads; this table holds averages.")
    if not (values == 1).any():
        return Quantity(
            **blank,
            state=State.NOT_MEASURED,
            note="The table holds no feature with a single read; many pipelines take them out, and then Chao1 "
            "would only repeat the number of features.",
        )
    return Quantity(**blank, value=chao1(values), note="A lower bound; errors of sequencing raise it.")


def _at_matched_depth(composition: Composition) -> tuple[Quantity, Quantity]:
    kind = composition.table.assay.split(" ")[0].lower()
    rows = quantity_settings()
    row = rows.get(f"matched_depth_{kind}", rows["matched_depth_any"])
    depth = int(row.value)
    words = f"at {depth:,} reads"
    richness = {
        "key": "richness_at_depth",
        "label": f"Expected features {words}",
        "unit": "features",
        "source": f"Hurlbert 1971 Ecology 52:577; depth: {row.source}",
        "verification": f"memory; equal to scikit-bio and vegan in tests; depth {row.verification}",
    }
    entropy = {
        "key": "shannon_at_depth",
        "label": f"Expected Shannon diversity {words}",
        "unit": "nats",
        "source": f"mean over all draws without replacement; depth: {row.source}",
        "verification": f"computed; equal to repeated draws in tests; depth {row.verification}",
    }
    missing = ""
    if not composition.has_counts:
        missing = composition.no_counts_because
    elif composition.total < depth:
        missing = (
            f"The sample holds {composition.total:.0f} reads, fewer than the {depth:,} it would be compared at."
        )
    if missing:
        return tuple(Quantity(**blank, state=State.NOT_MEASURED, note=missing) for blank in (richness, entropy))  # type: ignore[return-value]
    note = f"Exact expectation of a draw of {depth:,} of {composition.total:,.0f} reads."
    return (
        Quantity(**richness, value=expected_richness(composition.values, depth), note=note),
        Quantity(**entropy, value=expected_shannon(composition.values, depth), note=note),
    )
