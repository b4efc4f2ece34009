"""Published indices of one sample, and biflora's own over both sites: each with its licence and its limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from biflora.knowledge.indices import index_definitions, names_in, setting
from biflora.profile.composition import Composition, Mask
from biflora.profile.names import PREFIX, clean
from biflora.profile.numbers.balances import log10_ratio_of_counts
from biflora.profile.profile import Quantity, SiteName, SiteProfile
from biflora.profile.table import Numbers
from biflora.values import State

FAMILY, GENUS = 4, 5
"""Places in a lineage of seven ranks."""
SKIN_BALANCE = "log10_s_aureus_to_cons"
GUT_BALANCE = "log10_butyrate_producers_to_escherichia_shigella"


def _blank(key: str) -> dict[str, object]:
    row = index_definitions()[key]
    return {
        "key": key,
        "label": row.label,
        "unit": row.unit,
        "source": f"{row.source}; licence: {row.licence}",
        "verification": row.verification,
        "experimental": row.experimental,
    }


def md_index(composition: Composition, site: SiteName) -> Quantity:
    """log10 of the taxa that rose over those that fell in new-onset Crohn's disease of children (Gevers 2014)."""
    blank, row = _blank("md_index"), index_definitions()["md_index"]
    refusal = ""
    if site != "gut":
        refusal = "The index was made for the gut."
    elif composition.table.assay in ("array", "ITS"):
        refusal = f"The index was made by sequencing bacteria; this is {composition.table.assay}."
    if refusal:
        return Quantity.model_validate({**blank, "state": State.NOT_MEASURED, "note": refusal})
    if not any(name.genus for name in composition.named):
        note = "The file names no genus; the index counts genera."
        return Quantity.model_validate({**blank, "state": State.NOT_RESOLVED, "note": note})
    rose, fell = (
        float(composition.values[_in_side(composition, side)].sum()) for side in ("increased", "decreased")
    )
    note = f"{row.meaning} {row.limits}"
    if rose <= 0 or fell <= 0:
        which = "rose" if rose <= 0 else "fell"
        note = f"None of the taxa that {which} in that disease was found. {note}"
        return Quantity.model_validate({**blank, "state": State.BELOW_DETECTION, "note": note})
    if not composition.has_counts:
        return Quantity.model_validate({**blank, "value": math.log10(rose / fell), "note": note})
    value, low, high = log10_ratio_of_counts(rose, fell)
    note = f"Interval from counting alone. {note}"
    return Quantity.model_validate({**blank, "value": value, "low": low, "high": high, "note": note})


def _in_side(composition: Composition, side: str) -> Mask:
    genera, families = names_in("md_index", side, "genus"), names_in("md_index", side, "family")
    belongs = []
    for name, feature in zip(composition.named, composition.features, strict=True):
        written = feature.lineage[GENUS] if len(feature.lineage) > GENUS else ""
        # The list speaks the names of its time: the file's own genus goes before today's. "[Ruminococcus]" in
        # brackets is another genus that awaits its name; the list does not mean it.
        genus = clean(written) or name.genus
        is_listed = genus in genera and not PREFIX.sub("", written or feature.name).startswith("[")
        belongs.append(is_listed or (not genus and _family(feature.lineage) in families))
    return np.array(belongs, dtype=bool)


def _family(lineage: tuple[str, ...]) -> str:
    return clean(lineage[FAMILY]) if len(lineage) > FAMILY else ""


class Distance(NamedTuple):
    """How far a sample lies from healthy persons."""

    value: float
    """Median Bray-Curtis dissimilarity to them, 0-1."""
    cut: float
    """The same of the healthy persons themselves, at the stated quantile."""
    is_far: bool
    n: int
    """Healthy samples."""


def distance_to_healthy(
    sample: Numbers, healthy: Numbers, *, cut: float | None = None, quantile: float | None = None
) -> Distance:
    """Median Bray-Curtis dissimilarity to a healthy set, and whether it lies beyond the set's own (HMP2).

    `sample` [taxa] and `healthy` [samples, taxa] hold shares of the same taxa in the same order. `cut` spares the
    set's own distances (see `healthy_cut`). Raises ValueError for an empty set or shapes that differ.
    """
    if healthy.ndim != 2 or healthy.shape[0] < 2 or sample.shape != healthy.shape[1:]:
        raise ValueError("the healthy set needs two samples or more, with the sample's taxa in its order")
    limit = healthy_cut(healthy, quantile=quantile) if cut is None else cut
    value = float(np.median(bray_curtis_to(sample, healthy)))
    return Distance(value=value, cut=limit, is_far=value > limit, n=healthy.shape[0])


def healthy_cut(healthy: Numbers, persons: Sequence[str] | None = None, quantile: float | None = None) -> float:
    """The stated quantile of each healthy sample's own median distance to the others.

    `persons` [samples] leaves out a person's own other samples, which lie near and would lower the cut.
    """
    who = np.arange(healthy.shape[0]) if persons is None else np.asarray(persons)
    own = [
        float(np.median(bray_curtis_to(healthy[place], healthy[who != who[place]])))
        for place in range(healthy.shape[0])
    ]
    return float(np.quantile(own, setting("distance_quantile") if quantile is None else quantile))


def bray_curtis_to(sample: Numbers, others: Numbers) -> Numbers:
    """Bray-Curtis dissimilarity of one sample [taxa] to each of others [samples, taxa]."""
    return np.asarray(np.abs(others - sample).sum(axis=1) / (others.sum(axis=1) + sample.sum()))


def distance_quantity(distance: Distance, reference: str, verification: str) -> Quantity:
    """The distance as a quantity; `reference` names the healthy set, `verification` how far that was verified."""
    row = index_definitions()["distance_to_healthy"]
    verdict = "far" if distance.is_far else "within"
    return Quantity.model_validate(
        {
            **_blank("distance_to_healthy"),
            "value": distance.value,
            "verification": f"{row.verification}; reference {verification}",
            "note": f"{'Beyond' if distance.is_far else 'Within'} the healthy set's own 90th percentile "
            f"({distance.cut:.3f}): {verdict}. Reference: {reference}, {distance.n} samples. {row.limits}",
        }
    )


def dual_site_index(skin: SiteProfile | None, gut: SiteProfile | None) -> Quantity:
    """biflora's own index: log10 CoNS over S. aureus plus log10 butyrate producers over Escherichia and Shigella.

    Experimental; no number unless both sites give theirs.
    """
    blank, row = _blank("dual_site_index"), index_definitions()["dual_site_index"]
    parts = (
        ("skin", skin.quantity(SKIN_BALANCE) if skin is not None else None),
        ("gut", gut.quantity(GUT_BALANCE) if gut is not None else None),
    )
    missing = [
        f"{site}: {'no sample' if part is None else part.state.value}"
        for site, part in parts
        if part is None or part.value is None
    ]
    if missing:
        states = {part.state for _, part in parts if part is not None and part.value is None}
        state = (
            states.pop() if len(states) == 1 and all(part is not None for _, part in parts) else State.NOT_MEASURED
        )
        note = f"It needs both balances ({'; '.join(missing)}). {row.limits}"
        return Quantity.model_validate({**blank, "state": state, "note": note})
    on_skin, in_gut = (part for _, part in parts if part is not None and part.value is not None)
    skin_value, gut_value = -float(on_skin.value or 0.0), float(in_gut.value or 0.0)
    value = skin_value + gut_value
    limits: dict[str, float] = {}
    if None not in (on_skin.low, on_skin.high, in_gut.low, in_gut.high):
        skin_low, skin_high = -float(on_skin.high or 0.0), -float(on_skin.low or 0.0)
        limits = {
            "low": value - math.hypot(skin_value - skin_low, gut_value - float(in_gut.low or 0.0)),
            "high": value + math.hypot(skin_high - skin_value, float(in_gut.high or 0.0) - gut_value),
        }
    note = f"Skin {skin_value:+.2f} plus gut {gut_value:+.2f}. {row.meaning} {row.limits}"
    return Quantity.model_validate({**blank, "value": value, **limits, "note": note})
