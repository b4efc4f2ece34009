"""Whether a sample may be compared with a reference, and with which of its persons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from biflora.errors import ClinicianMust
from biflora.knowledge.body_sites import BodySiteRow, age_band, body_site_named, body_sites, find_body_site
from biflora.knowledge.taxa import limit
from biflora.profile.patient import Sampling
from biflora.profile.profile import SiteName
from biflora.profile.reference.library import ReferenceCard, WholeReference

Integers = NDArray[np.int64]
AS_FAR_AS_TOLD = " (no further version or database is told by the reference, so none was compared)"
NOT_TOLD = re.compile(r"\([^()]*not in the file\)")
"""How the readers say that a file does not name its database."""


@dataclass(frozen=True)
class SampleKeys:
    """What of a sample decides with whom it may be compared; empty or None: not told."""

    site: SiteName
    assay: str = "unknown"
    profiler: str = ""
    body_site: str = ""
    """A key of knowledge's body sites."""
    age_years: float | None = None
    lesional: bool | None = None
    laboratory: str = ""
    extraction: str = ""
    reads: float | None = None
    """Reads of the sample without the host; None when the file holds shares only."""
    names_taxa: bool = True


@dataclass(frozen=True)
class Match:
    """A sample against one reference: what agreed, what did not, and the one sample of each matched person."""

    card: ReferenceCard
    agreed: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()
    chosen: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    samples: int = 0
    """Samples of the matched persons that would have fitted, the repeated ones too."""
    same_place: bool = False

    @property
    def persons(self) -> int:
        return len(self.chosen)


def sample_keys(
    site: SiteName,
    *,
    assay: str,
    profiler: str = "",
    age_years: float | None = None,
    sampling: Sampling | None = None,
) -> SampleKeys:
    """The keys from what the file says (it goes first) and what the clinic or the laboratory says.

    Raises ClinicianMust when the body site is no word that biflora knows. A stool sample is assumed in the gut.
    """
    told = sampling or Sampling()
    place: BodySiteRow | None = None
    if told.body_site:
        place = body_site_named(told.body_site, where=f"'{site}_sampling.body_site'")
        if place.site != site:
            raise ClinicianMust(f"'{site}_sampling.body_site': is a place of the {place.site}, not of the {site}.")
    lesional = told.lesional if told.lesional is not None else (place.lesional if place else None)
    return SampleKeys(
        site=site,
        assay=more_exact(assay, told.assay or ""),
        profiler=joined_profiler(profiler, told.profiler or ""),
        body_site=place.key if place else ("stool" if site == "gut" else ""),
        age_years=age_years,
        lesional=lesional,
        laboratory=told.laboratory or "",
        extraction=told.extraction or "",
    )


def more_exact(in_file: str, told: str) -> str:
    """The file's assay, or the told one where the file says nothing or less (`16S`, told `16S V4`)."""
    if told and (in_file in ("", "unknown") or (in_file == "16S" and told.startswith("16S"))):
        return told
    return in_file or "unknown"


def assay_mismatch(sample: str, reference: str) -> str:
    """What differs between two assays, empty when nothing does. A 16S region that nobody told never agrees."""
    if sample in ("", "unknown"):
        return f"assay: reference {reference}, the sample's is not known"
    if sample.split(" ")[0] != reference.split(" ")[0]:
        return f"platform: sample {sample}, reference {reference}"
    if sample != reference:
        return f"region: sample {sample}, reference {reference}"
    return "region: of neither is it known" if sample == "16S" else ""


def profiler_mismatch(sample: str, reference: str) -> str:
    """What the reference's profiler tells and the sample's does not, or tells differently; empty when all agrees.

    A part that the reference does not tell (a database, a version) is not compared.
    """
    if not reference:
        return ""
    if not sample:
        return f"profiler: reference {reference}, the sample's is not told"
    mine = _parts(sample)
    for name, version in _parts(reference).items():
        other = mine.get(name)
        if other is None:
            return f"profiler: sample {sample}, reference {reference}"
        if version and not other:
            return f"profiler version: reference {reference}, the sample's is not told"
        if version and not _same_version(version, other):
            return f"profiler version: sample {sample}, reference {reference}"
    return ""


def _parts(profiler: str) -> dict[str, str]:
    """`MetaPhlAn 4.0.6, mpa_vOct22` becomes {"metaphlan": "4.0.6", "mpavoct22": ""}."""
    found: dict[str, str] = {}
    for part in re.split(r"[,;/+()]| and | with | on ", NOT_TOLD.sub("", profiler)):
        words = part.strip().split()
        number = next((i for i, word in enumerate(words) if i and re.fullmatch(r"v?\d[\w.\-]*", word, re.I)), None)
        name = re.sub(r"[^a-z0-9]", "", "".join(words[:number]).lower())
        version = words[number].lower().removeprefix("v") if number is not None else ""
        if name:
            found[name] = found.get(name) or version
    return found


def joined_profiler(in_file: str, told: str) -> str:
    """What the file says of its profiler, then what the clinic or the laboratory adds (a database, a version)."""
    return "; ".join(dict.fromkeys(text for text in (in_file, told) if text))


def _same_version(one: str, other: str) -> bool:
    """Equal as far as both tell: 4 and 4.0.6 agree, 3 and 4 do not."""
    return all(a == b for a, b in zip(one.split("."), other.split("."), strict=False))


def card_mismatches(sample: SampleKeys, card: ReferenceCard) -> tuple[str, ...]:
    """What differs as far as the card tells, without reading the persons."""
    found = []
    if sample.site != card.site:
        found.append(f"site: sample {sample.site}, reference {card.site}")
    found.append(assay_mismatch(sample.assay, card.assay))
    found.append(profiler_mismatch(sample.profiler, card.profiler))
    found.append(_age_mismatch(sample, card))
    found.append(_place_mismatch(sample, card))
    found.append(_health_mismatch(sample, card))
    for word, mine, theirs in (
        ("laboratory", sample.laboratory, card.laboratory),
        ("extraction", sample.extraction, card.extraction),
    ):
        if mine and theirs and mine.strip().lower() != theirs.strip().lower():
            found.append(f"{word}: sample {mine}, reference {theirs}")
    if card.has_reads and sample.reads is not None and sample.reads < limit("min_reads_any"):
        found.append(f"depth: the sample holds fewer than {limit('min_reads_any'):.0f} reads")
    if not sample.names_taxa:
        found.append("names: the sample's file names no taxon")
    return tuple(text for text in found if text)


def _age_mismatch(sample: SampleKeys, card: ReferenceCard) -> str:
    if card.age_min is None or card.age_max is None:
        return "age: the reference's is not known"
    if sample.age_years is None:
        return f"age: reference {_ages(card)}, the sample's is not given"
    # A person is of an age until the next birthday: 69.8 years belong to a reference of 6 to 69.
    if not card.age_min <= sample.age_years < card.age_max + 1:
        return f"age: reference {_ages(card)}, sample {sample.age_years:g}"
    return ""


def _ages(card: ReferenceCard) -> str:
    return f"{card.age_min:g}-{card.age_max:g} years"


def _place_mismatch(sample: SampleKeys, card: ReferenceCard) -> str:
    if sample.site != card.site:
        return ""
    place = find_body_site(sample.body_site)
    there = _labels(card.body_sites)
    if place is None:
        return f"body site: reference {there}, the sample's is not told"
    if not set(alike_places(place)) & set(card.body_sites):
        return f"body site: sample {place.label}, reference {there}"
    return ""


def _labels(keys: Iterable[str]) -> str:
    return ", ".join(body_sites()[key].label for key in keys if key in body_sites())


def alike_places(place: BodySiteRow) -> tuple[str, ...]:
    """Keys of the places whose skin is of the same class; a mixed place is like itself only."""
    if place.site_class == "mixed":
        return (place.key,)
    return tuple(
        key for key, row in body_sites().items() if row.site_class == place.site_class and row.site == place.site
    )


def _health_mismatch(sample: SampleKeys, card: ReferenceCard) -> str:
    if card.healthy:
        return ""
    if card.lesional is None:
        return "" if card.site == "gut" else "inflamed skin: not told for the reference"
    if sample.lesional is None:
        return f"inflamed skin: reference {_yes(card.lesional)}, the sample's is not told"
    if sample.lesional != card.lesional:
        return f"inflamed skin: reference {_yes(card.lesional)}, sample {_yes(sample.lesional)}"
    return ""


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def match(sample: SampleKeys, whole: WholeReference) -> Match:
    """The reference's persons that may be compared with the sample, one sample each: the first that fits.

    The same place of the body goes first; when it has too few persons for percentiles, all places of its class.
    """
    card = whole.card
    mismatches = card_mismatches(sample, card)
    place = find_body_site(sample.body_site)
    if mismatches or place is None or sample.age_years is None:
        return Match(card, mismatches=mismatches)
    rows, age_said = _of_age(sample.site, sample.age_years, whole)
    if not rows.size:
        return Match(card, mismatches=(f"age: nobody of the sample's age band in the reference ({_ages(card)})",))
    rows, depth_said = _deep_enough(rows, whole)
    sites = np.array(whole.body_site)
    alike = rows[np.isin(sites[rows], alike_places(place))]
    if not alike.size:
        return Match(card, mismatches=(f"body site: none at {place.label} of that age and of enough reads",))
    same = alike[sites[alike] == place.key]
    enough = limit("reference_min_n")
    narrow, wide = _one_each(same, whole), _one_each(alike, whole)
    same_place = len(narrow) >= enough or (len(narrow) > 0 and len(wide) < enough)
    pool, chosen = (same, narrow) if same_place else (alike, wide)
    agreed = [
        f"assay {card.assay}",
        f"profiler {card.profiler}" + ("" if all(_parts(card.profiler).values()) else AS_FAR_AS_TOLD),
        f"body site {place.label}"
        if same_place
        else f"site class {place.site_class} (reference {_labels(np.unique(sites[alike]).tolist())})",
        age_said,
        *([depth_said] if depth_said else []),
        _health_said(sample, card),
        *_not_compared(sample, card),
    ]
    return Match(card, tuple(agreed), (), chosen, len(pool), same_place)


def _of_age(site: str, age_years: float, whole: WholeReference) -> tuple[Integers, str]:
    """(rows of the sample's age band, what agreed)."""
    if not whole.card.ages_known:
        return np.arange(len(whole.body_site)), f"age band {_ages(whole.card)} of the whole reference"
    band = age_band(site, age_years)
    if band is None:
        return np.zeros(0, dtype=np.int64), ""
    above = np.inf if band.age_below is None else band.age_below
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((whole.age >= band.age_at_least) & (whole.age < above))
    return rows, f"age {band.label}"


def _deep_enough(rows: Integers, whole: WholeReference) -> tuple[Integers, str]:
    """Without samples too shallow for this assay, so that depth alone sets nobody apart."""
    if not whole.card.has_reads:
        return rows, ""
    floor = limit({"16S": "min_reads_16s", "shotgun": "min_reads_shotgun"}.get(
        whole.card.assay.split(" ")[0], "min_reads_any"
    ))  # fmt: skip
    kept = rows[whole.totals[rows] >= floor]
    gone = len(rows) - len(kept)
    return kept, f"{gone} samples under {floor:.0f} reads left out" if gone else ""


def _one_each(rows: Integers, whole: WholeReference) -> Integers:
    """Each person's first sample among these."""
    if not rows.size:
        return rows
    by_person = rows[np.lexsort((rows, whole.order[rows], whole.person[rows]))]
    _, first = np.unique(whole.person[by_person], return_index=True)
    return by_person[first]


def _health_said(sample: SampleKeys, card: ReferenceCard) -> str:
    if not card.healthy:
        return f"inflamed skin {_yes(card.lesional)} ({card.group})" if card.lesional is not None else card.group
    return "healthy persons, beside a sample of inflamed skin" if sample.lesional else "healthy persons"


def _not_compared(sample: SampleKeys, card: ReferenceCard) -> tuple[str, ...]:
    unknown = [
        word
        for word, mine, theirs in (
            ("laboratory", sample.laboratory, card.laboratory),
            ("extraction", sample.extraction, card.extraction),
        )
        if not (mine and theirs)
    ]
    return (f"not compared, since not told: {' and '.join(unknown)}",) if unknown else ()
