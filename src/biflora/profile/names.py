"""From the many ways in which files write a taxon to one name, its rank and its guilds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from biflora.knowledge.taxa import TaxonRow, find_taxon, genus_row, guilds_of
from biflora.profile.table import Feature

PREFIX = re.compile(r"^(?:[dkpcofgst]|sk)__|^D_\d{1,2}__")
NOTHING = re.compile(
    r"^(?:_*|na|nan|none|-1|unclassified|unassigned|unknown|uncultured|unidentified|ambiguous_taxa)$", re.I
)
SEQUENCE = re.compile(r"^[ACGTN]{50,}$")
HASH = re.compile(r"^[0-9a-f]{32}$")
VIRUS = re.compile(r"\b(?:phage|virus|\w*viridae|viroid|prophage|\w*virales|\w*viricetes)\b", re.I)
FUNGI = re.compile(r"^(?:Eukaryota|Fungi|Ascomycota|Basidiomycota|Eumycota)$", re.I)
DOTTED = re.compile(r"[A-Z][a-z]+\.[a-z]+")
SPACES = re.compile(r"\s+")
GENUS = re.compile(r"[A-Z][a-z]+(?:[-/][A-Z][a-z]+)?")
EPITHET = re.compile(r"[a-z]{3,}(?:-[a-z]+)?")
SUFFIX_OF_RANK = {"aceae": "family", "ales": "order"}
RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")


@dataclass(frozen=True, slots=True)
class Named:
    """One feature with the name that biflora gives it."""

    name: str
    rank: str
    taxid: int | None
    known: bool
    """True when knowledge holds its species or its genus."""
    guilds: frozenset[str]
    genus: str = ""
    kingdom: str = ""

    @property
    def is_host(self) -> bool:
        return self.kingdom == "host"


@lru_cache(maxsize=50_000)
def clean(text: str) -> str:
    """One name without rank prefix, brackets and underscores; empty for `uncultured`, `NA` and the like."""
    text = PREFIX.sub("", text.strip().strip('"')).replace("_", " ").replace("[", "").replace("]", "").strip()
    if "." in text and DOTTED.fullmatch(text):
        text = text.replace(".", " ")
    return "" if NOTHING.match(text.replace(" ", "_")) or NOTHING.match(text) else SPACES.sub(" ", text)


def clean_lineage(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Cleaned names by rank, cut after the deepest one that says something."""
    cleaned = [clean(part) for part in parts]
    while cleaned and not cleaned[-1]:
        cleaned.pop()
    return tuple(cleaned)


def split_lineage(text: str) -> tuple[str, ...]:
    """Parts of `k__Bacteria; p__...`, `k__Bacteria|p__...` or dotted `Bacteria.Firmicutes...` names."""
    for separator in (";", "|"):
        if separator in text:
            return tuple(part.strip() for part in text.split(separator))
    return dotted_lineage(text) if text.count(".") >= 3 else (text,)


def dotted_lineage(text: str) -> tuple[str, ...]:
    """Seven ranks from a lineage whose separators and spaces have all become dots (R's make.names).

    The family is found by its ending, the genus by its capital after it, the species by a second genus name.
    """
    tokens = text.split(".")
    family = max((i for i, token in enumerate(tokens) if token.endswith("aceae")), default=-1)
    if family < 0:
        return tuple(token for token in tokens if token)
    above = tokens[: min(family, 4)] + [""] * max(0, 4 - family)
    rest = tokens[family + 1 :]
    genus = next((token for token in rest if GENUS.fullmatch(token)), "")
    species = ""
    for first, second in pairwise(rest):
        if first == genus and binomial(f"{first} {second}")[1]:
            species = f"{first} {second}"
    return (*above[:4], tokens[family], genus, species)


def binomial(text: str) -> tuple[str, str]:
    """(genus, species epithet) of a cleaned name; the epithet is empty for `sp.`, strains without name, phages."""
    words = text.split(" ")
    if words and words[0].lower() in ("uncultured", "candidatus", "unclassified"):
        words = words[1:]
    if not words or not GENUS.fullmatch(words[0]):
        return "", ""
    epithet = words[1] if len(words) > 1 else ""
    if VIRUS.search(text):
        return "", ""
    named = EPITHET.fullmatch(epithet) and epithet not in (
        "bacterium", "genomosp", "metagenome", "group", "clade", "cf", "aff", "sensu", "incertae", "unclassified",
        "unknown", "uncultured", "unidentified", "genus", "species",
    )  # fmt: skip
    return words[0], epithet if named else ""


@lru_cache(maxsize=200_000)
def name_feature(feature: Feature) -> Named:
    """The name, rank and guilds of one feature; a name that knowledge lacks is kept as the file wrote it."""
    lineage = clean_lineage(feature.lineage)
    genus, epithet = _genus_and_epithet(feature, lineage)
    species_name = f"{genus} {epithet}" if genus and epithet else ""
    species = find_taxon(species_name, feature.taxid) if species_name else _by_number(feature)
    if species is not None and species.rank == "genus":
        species = None
    if species is not None:
        genus = species.name.split(" ")[0]
    genus_entry = genus_row(genus)
    if species is not None:
        name, rank, taxid = species.name, "species", species.ncbi_taxid or feature.taxid
    elif species_name:
        name, rank, taxid = species_name, "species", feature.taxid
    elif genus:
        plain = clean(feature.name) if not feature.lineage and not _is_code(feature.name) else ""
        name = plain if " " in plain else (genus_entry.name if genus_entry else genus)
        rank = "species" if " " in plain and feature.rank in ("", "species") else "genus"
        taxid = feature.taxid if rank == "species" or genus_entry is None else genus_entry.ncbi_taxid
    else:
        name, rank, taxid = _above_genus(feature, lineage)
    kingdom = species.kingdom if species else genus_entry.kingdom if genus_entry else _kingdom(lineage)
    return Named(
        name=name,
        rank=rank,
        taxid=taxid,
        known=species is not None or genus_entry is not None,
        guilds=guilds_of(species, genus_entry),
        genus=genus_entry.name if genus_entry else genus,
        kingdom=kingdom,
    )


def _genus_and_epithet(feature: Feature, lineage: tuple[str, ...]) -> tuple[str, str]:
    if feature.lineage:
        genus, epithet = _from_lineage(lineage)
        if genus or _is_code(feature.name) or PREFIX.match(feature.name) or ";" in feature.name:
            return genus, epithet
    if _is_code(feature.name):
        return "", ""
    if feature.rank and feature.rank not in ("species", "genus", "strain", "subspecies"):
        return "", ""
    text = clean(feature.name)
    if text.endswith(" et rel."):  # phylogenetic arrays: a probe group named after its best-known member
        return text.split(" ")[0], ""
    genus, epithet = binomial(text)
    if genus and not epithet and any(genus.endswith(ending) for ending in SUFFIX_OF_RANK):
        return "", ""
    return genus, epithet


def _from_lineage(lineage: tuple[str, ...]) -> tuple[str, str]:
    if len(lineage) < 6:
        return "", ""
    genus_text, species_text = lineage[5], lineage[6] if len(lineage) > 6 else ""
    genus = binomial(genus_text)[0]
    if not genus:
        return binomial(species_text) if species_text else ("", "")
    if not species_text:
        return genus, ""
    joined = re.fullmatch(rf"{re.escape(genus)}([a-z]{{3,}})", species_text)  # phyloseq drops the space
    if joined:
        return genus, joined.group(1)
    if EPITHET.fullmatch(species_text):
        return genus, binomial(f"{genus} {species_text}")[1]
    written, epithet = binomial(species_text)
    if not epithet:
        return genus, ""
    row = find_taxon(f"{written} {epithet}")
    same = (
        written == genus
        or (row is not None and row.name.split(" ")[0] == genus)
        or genus_row(genus) is genus_row(written)
    )
    # A species of another genus under this one is the classifier's contradiction: only the genus stands.
    return (written, epithet) if same else (genus, "")


def _by_number(feature: Feature) -> TaxonRow | None:
    if feature.taxid is None or VIRUS.search(feature.name):
        return None
    row = find_taxon("", feature.taxid)
    return row if row is not None and row.rank == "species" and feature.rank in ("", "species") else None


def is_virus(name: Named) -> bool:
    """Whether the name is a virus's or a phage's, by its kingdom or by its words."""
    return name.kingdom == "viruses" or bool(VIRUS.search(name.name))


def contradictions(features: Iterable[Feature]) -> int:
    """How many features carry a name and an NCBI number that knowledge holds for two different taxa."""
    count = 0
    for feature in features:
        numbered = find_taxon("", feature.taxid) if feature.taxid is not None else None
        if numbered is None or feature.rank not in ("", numbered.rank):
            continue
        named = name_feature(replace(feature, taxid=None))
        count += named.known and named.rank == numbered.rank and named.name != numbered.name
    return count


def _is_code(name: str) -> bool:
    return (
        bool(SEQUENCE.match(name) or HASH.match(name))
        or name.isdigit()
        or bool(re.match(r"^(?:ASV|OTU|Zotu|SV)_?\d+$", name, re.I))
    )


def _above_genus(feature: Feature, lineage: tuple[str, ...]) -> tuple[str, str, int | None]:
    deepest = [(i, name) for i, name in enumerate(lineage) if name]
    if deepest:
        place, name = deepest[-1]
        if VIRUS.search(name):
            return name, RANKS[min(place, 6)], feature.taxid
        return f"{name} (no genus)", RANKS[min(place, 6)], None
    if SEQUENCE.match(feature.name):
        return f"sequence {hashlib.md5(feature.name.encode(), usedforsecurity=False).hexdigest()[:8]}", "", None
    if _is_code(feature.name):
        return f"feature {feature.name[:12]}", "", None
    written = clean(feature.name)
    return written or f"unassigned (written {feature.name[:20]})", feature.rank if written else "", feature.taxid


def _kingdom(lineage: tuple[str, ...]) -> str:
    first = lineage[0] if lineage else ""
    if FUNGI.match(first):
        return "fungi"
    return {"bacteria": "bacteria", "archaea": "archaea", "viruses": "viruses"}.get(first.lower(), "")
