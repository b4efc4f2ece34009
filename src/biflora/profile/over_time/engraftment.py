"""Whether the species of a given strain shows in the samples before, during and after it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from biflora.errors import NameAnother
from biflora.knowledge.strains import oral_strains
from biflora.knowledge.taxa import TaxonRow, find_taxon, limit, taxa
from biflora.profile.composition import counting_interval
from biflora.profile.over_time.change import Change, Course
from biflora.profile.profile import SiteProfile, TaxonShare
from biflora.values import State, Value

Phase = Literal["before", "during", "after"]
SpeciesVerdict = Literal[
    "seen only once it was given",
    "seen before, and more once it was given",
    "seen before, and no more once it was given",
    "seen while it was given, not afterwards",
    "not seen",
    "cannot be told",
]
NAMED = re.compile(r"\b([A-Z][a-z]+|[A-Z]\.)\s([a-z]{4,})\b")
NO_PROOF = (
    "A species is not a strain: food, other products and the person's own bacteria hold the same species. Only a "
    "strain-specific qPCR or a strain-resolved reading of shotgun data proves that the given strain lives on."
)


class GivenSample(Value):
    """One sample with its place in the course of the strain."""

    phase: Phase
    profile: SiteProfile
    taken_on: date | None = None
    strain_log10_copies: float | None = None
    """Strain-specific qPCR as entered, log10 copies per gram (or per cm2 on the skin)."""


class SpeciesSeen(Value):
    """One species in one sample."""

    phase: Phase
    sample_id: str
    taken_on: date | None = None
    state: State
    share: float | None = None
    low: float | None = None
    high: float | None = None
    """95 % counting interval; None without counts."""
    detection_limit: float | None = None
    note: str = ""


class SpeciesCourse(Value):
    species: str
    verdict: SpeciesVerdict
    seen: tuple[SpeciesSeen, ...]
    why: str


class Engraftment(Value):
    """The given strain's species over the samples, and what that does and does not prove."""

    strain: str
    species: tuple[SpeciesCourse, ...]
    not_told: tuple[str, ...] = ()
    """Parts of the product that no species name tells."""
    strain_level: Literal["strain named in a table", "strain-specific qPCR entered", "not measured"]
    strain_log10_copies: tuple[tuple[Phase, float], ...] = ()
    dead: bool = False
    """True for a killed product: nothing of it can engraft, its DNA may still be read."""
    caution: str = NO_PROOF


class SamplesOverTime(Value):
    """All that several samples of one person say together."""

    steps: tuple[Change, ...]
    course: Course | None = None
    """None when the days of sampling are not known."""
    engraftment: Engraftment | None = None
    """None when no strain was named."""


def engraftment(strain: str, samples: Sequence[GivenSample]) -> Engraftment:
    """Species of a strain of knowledge (its key or strain id), or a species by name, over the samples.

    Raises NameAnother when the strain is unknown or no sample is given.
    """
    if not samples:
        raise NameAnother("No sample was named; name at least one taken while or after the strain was given.")
    row = oral_strains().get(strain) or next((r for r in oral_strains().values() if r.strain_id == strain), None)
    text = row.species if row is not None else strain
    found, not_told = species_in(text)
    if not found:
        raise NameAnother(
            f"'{strain[:60]}' is no strain of knowledge's oral_strains and names no species that biflora knows; "
            "write a key of that table or a species, e.g. Lacticaseibacillus rhamnosus."
        )
    phases = {"before": 0, "during": 1, "after": 2}
    ordered = sorted(samples, key=lambda s: (phases[s.phase], s.taken_on or date.min))
    tokens = {text for text in (row.strain_id, row.key) if len(text) > 2} if row is not None else set()
    named = any(_names_strain(taxon, tokens) for given in ordered for taxon in given.profile.taxa)
    copies = tuple(
        (given.phase, given.strain_log10_copies) for given in ordered if given.strain_log10_copies is not None
    )
    return Engraftment(
        strain=row.strain_id if row is not None else strain,
        species=tuple(_course(species, ordered) for species in found),
        not_told=not_told,
        strain_level=(
            "strain-specific qPCR entered" if copies else "strain named in a table" if named else "not measured"
        ),
        strain_log10_copies=copies,
        dead=row is not None and row.live == "no",
    )


def species_in(text: str) -> tuple[tuple[TaxonRow, ...], tuple[str, ...]]:
    """Today's species that a product's text names (`L. casei` by initial and epithet), and what names none."""
    found: dict[str, TaxonRow] = {}
    not_told = []
    for part in re.split(r"\s*(?:\+|,| and | or )\s*", text):
        rows = [_species(genus, epithet) for genus, epithet in NAMED.findall(part)]
        found |= {row.key: row for row in rows if row is not None}
        if not any(rows):
            not_told.append(part.strip())
    return tuple(found.values()), tuple(not_told)


def _species(genus: str, epithet: str) -> TaxonRow | None:
    if not genus.endswith("."):
        row = find_taxon(f"{genus} {epithet}")
        return row if row is not None and row.rank == "species" else None
    rows = {row.key: row for row in _by_initial().get((genus[0], epithet), ())}
    return next(iter(rows.values())) if len(rows) == 1 else None


@cache
def _by_initial() -> Mapping[tuple[str, str], tuple[TaxonRow, ...]]:
    found: dict[tuple[str, str], tuple[TaxonRow, ...]] = {}
    for row in taxa().values():
        if row.rank != "species":
            continue
        for name in (row.name, *row.synonyms):
            words = name.split(" ")
            if len(words) > 1:
                key = (words[0][0], words[1])
                found[key] = (*found.get(key, ()), row)
    return MappingProxyType(found)


def _names_strain(taxon: TaxonShare, tokens: set[str]) -> bool:
    words = set(re.split(r"[\s_]+", taxon.name))
    return any(token in taxon.name if " " in token else token in words for token in tokens)


def _course(row: TaxonRow, samples: Sequence[GivenSample]) -> SpeciesCourse:
    seen = tuple(species_seen(row, given) for given in samples)
    verdict, why = _verdict(row.name, seen)
    return SpeciesCourse(species=row.name, verdict=verdict, seen=seen, why=why)


def species_seen(row: TaxonRow, given: GivenSample) -> SpeciesSeen:
    """The species in one sample: measured, below detection with the limit, or not resolved by this assay."""
    profile = given.profile
    blank: dict[str, Any] = {"phase": given.phase, "sample_id": profile.sample_id, "taken_on": given.taken_on}
    if profile.assay == "ITS" and row.kingdom != "fungi":
        return SpeciesSeen(**blank, state=State.NOT_MEASURED, note="ITS sequencing sees fungi only.")
    if profile.assay == "array":
        return SpeciesSeen(**blank, state=State.NOT_RESOLVED, note="The array reads groups of related species.")
    mine = [t for t in profile.taxa if t.name == row.name or t.name.startswith(f"{row.name} ")]
    short = profile.assay.startswith("16S")
    if mine:
        share = sum(taxon.share for taxon in mine)
        reads = sum(taxon.reads or 0.0 for taxon in mine)
        low, high = counting_interval(reads, profile.depth_reads) if profile.depth_reads else (None, None)
        note = "A species named from a short 16S region is a best guess." if short else ""
        return SpeciesSeen(**blank, state=State.MEASURED, share=share, low=low, high=high, note=note)
    genera = {name.split(" ")[0] for name in (row.name, *row.synonyms)}
    kin = [taxon for taxon in profile.taxa if taxon.name.split(" ")[0] in genera]
    unnamed = [taxon for taxon in kin if taxon.rank != "species"]
    if unnamed or (short and kin):
        relatives = ", ".join(taxon.name for taxon in (unnamed or kin)[:3])
        note = f"Relatives are there ({relatives}), and this assay may not tell the species among them."
        return SpeciesSeen(**blank, state=State.NOT_RESOLVED, note=note)
    if not any(taxon.rank == "species" for taxon in profile.taxa) and not kin and not short:
        return SpeciesSeen(**blank, state=State.NOT_RESOLVED, note="The file names no species.")
    depth = profile.depth_reads
    detection = min(1.0, limit("rule_of_three") / depth) if depth else None
    note = "" if depth else "The file holds shares only: how little it could have seen is not known."
    return SpeciesSeen(**blank, state=State.BELOW_DETECTION, detection_limit=detection, note=note)


def _verdict(name: str, seen: Sequence[SpeciesSeen]) -> tuple[SpeciesVerdict, str]:
    told = [each for each in seen if each.state in (State.MEASURED, State.BELOW_DETECTION)]
    before = [each for each in told if each.phase == "before"]
    during = [each for each in told if each.phase == "during"]
    after = [each for each in told if each.phase == "after"]
    given = [*during, *after]
    if not given:
        notes = "; ".join(dict.fromkeys(each.note for each in seen if each.note))
        return "cannot be told", notes or f"No sample taken once {name} was given could tell it."
    there = [each for each in given if each.share]
    if not there:
        limits = [each.detection_limit for each in given if each.detection_limit is not None]
        least = f" (it would have been seen above {100 * max(limits):.2g} % of the reads)" if limits else ""
        return "not seen", f"{name} stands in no sample taken once it was given{least}."
    if not before:
        return "cannot be told", f"{name} is there, but no sample from before tells whether it always was."
    earlier = [each for each in before if each.share]
    if during and after and any(each.share for each in during) and not any(each.share for each in after):
        return "seen while it was given, not afterwards", f"{name} left again: it passed through."
    if not earlier:
        # a shallow earlier sample that could not have seen the later share says nothing about before
        limits = [each.detection_limit for each in before if each.detection_limit is not None]
        most = max(each.share or 0.0 for each in there)
        if limits and min(limits) >= most:
            return "cannot be told", "The earlier samples are too shallow to have seen so little."
        return (
            "seen only once it was given",
            f"{name} was not seen before and reaches {100 * most:.2g} % of the reads.",
        )
    rose = max(each.low if each.low is not None else each.share or 0.0 for each in there) > max(
        each.high if each.high is not None else each.share or 0.0 for each in earlier
    )
    counted = all(each.low is not None for each in (*there, *earlier))
    noise = "beyond counting noise" if counted else "as far as shares without reads can say"
    if rose:
        return "seen before, and more once it was given", f"{name} was there before and rose {noise}."
    return "seen before, and no more once it was given", f"{name} was there before and did not rise {noise}."
