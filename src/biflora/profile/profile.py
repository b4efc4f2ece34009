"""The Profile: what lives on the skin and in the gut, how severe it is, and what was not measured."""

from __future__ import annotations

from typing import Literal

from biflora.profile.patient import Patient
from biflora.values import Finding, Record, State, Value

SiteName = Literal["skin", "gut"]


class TaxonShare(Value):
    name: str
    """Today's name where knowledge knows it, else the file's own."""
    ncbi_taxid: int | None = None
    rank: str = ""
    reads: float | None = None
    """Reads or counts; None when the file holds shares only."""
    share: float
    """Share of the sample's classified reads without the host, 0-1."""
    low: float | None = None
    high: float | None = None
    """95 % interval from counting alone (Dirichlet-multinomial); None without counts."""
    known: bool = True
    """False when biflora's taxon table holds neither its species nor its genus: kept, named, in no guild."""


class Reference(Value):
    """Where the share stands in a reference cohort; None fields where no honest comparison exists."""

    cohort: str
    n: int
    median: float
    low: float
    high: float
    limits: str
    """Which limits low and high are, e.g. `IQR`, `p5-p95`."""
    percentile: float | None = None
    percentile_low: float | None = None
    percentile_high: float | None = None
    """95 % interval of the percentile, from the number of persons."""
    mismatch: tuple[str, ...] = ()
    """What differs (platform, region, body site, age); a comparison with a mismatch is shown with a warning."""
    source: str
    verification: str


class GuildShare(Value):
    """One guild (a named group of taxa) in the sample."""

    guild: str
    label: str
    state: State
    share: float | None = None
    low: float | None = None
    high: float | None = None
    """95 % interval from counting alone (Dirichlet-multinomial/Beta); None without counts."""
    reads: float | None = None
    detection_limit: float | None = None
    """Share that the depth could still have seen with 95 % probability, when below detection."""
    members_found: tuple[str, ...] = ()
    note: str = ""
    reference: Reference | None = None


class Quantity(Value):
    """A derived number: diversity, a log-ratio, a load. `value` is None unless `state` is measured."""

    key: str
    label: str
    unit: str
    state: State = State.MEASURED
    value: float | None = None
    low: float | None = None
    high: float | None = None
    bound: Literal["", "at least", "at most"] = ""
    """With one of two counts zero only `low` (`at least`) or `high` (`at most`) is known; `value` is a guess."""
    note: str = ""
    source: str = ""
    """Where the method or the index was published, with its licence where it has one."""
    verification: str = ""
    experimental: bool = False
    """True for what nobody outside biflora has validated."""


class Percentile(Value):
    """Where one number of the sample stands among the persons of a reference."""

    quantity: str
    """A guild's key, or the key of a quantity."""
    label: str
    unit: str
    value: float
    percent: float
    """Percent of the reference's persons below it (ties by half), 0-100."""
    low: float
    high: float
    """95 % interval of that percent, from the number of persons."""
    n: int
    at_most: bool = False
    """True where the sample lies below its detection limit: the percent is then an upper bound."""


class Placement(Value):
    """Where the sample stands in a whole reference table, or why no honest comparison exists."""

    state: Literal["placed", "outside the reference", "too few for percentiles", "no comparable reference"]
    reference: str = ""
    """Key of the reference that was used."""
    label: str = ""
    n: int = 0
    """Persons in it after matching."""
    samples: int = 0
    matched_on: tuple[str, ...] = ()
    """What agreed, one plain phrase each."""
    percentiles: tuple[Percentile, ...] = ()
    novelty_distance: float | None = None
    """Mean Aitchison distance to the nearest persons of the reference."""
    novelty_limit: float | None = None
    """99th percentile of the same distance with each person of the reference left out once."""
    why: str
    """One or two sentences: what the state means and what to do."""
    passed_over: tuple[str, ...] = ()
    """Each other reference with what did not match, e.g. `CSB5: age children 0.3-11 years, sample 34`."""
    source: str = ""
    verification: str = ""


class SiteProfile(Record):
    """One sample from one site."""

    site: SiteName
    sample_id: str
    file_name: str
    file_sha256: str
    format: str
    """What was recognised, e.g. `BIOM 2.1 (HDF5)`."""
    recognised_because: str
    assay: str = "unknown"
    """`16S V4`, `16S V1-V3`, `16S`, `shotgun`, `unknown`."""
    body_site: str = ""
    """Key of knowledge's body sites, as the clinic or the laboratory said; empty: not told."""
    profiler: str = ""
    """Program and database that named the taxa, as far as the file or the laboratory says."""
    provenance: tuple[str, ...] = ()
    """What the file says of how it was made (a QIIME 2 uuid, actions, a generating program), one line each."""
    has_counts: bool
    depth_reads: float | None = None
    host_share: float | None = None
    taxa: tuple[TaxonShare, ...] = ()
    guilds: tuple[GuildShare, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    unmatched_names: int = 0
    unmatched_share: float = 0.0
    placement: Placement | None = None
    """Where the whole sample stands in a loaded reference; None when none was looked for."""
    findings: tuple[Finding, ...] = ()

    def guild(self, key: str) -> GuildShare | None:
        """The guild of that key, or None when this site does not list it."""
        return next((g for g in self.guilds if g.guild == key), None)

    def quantity(self, key: str) -> Quantity | None:
        return next((q for q in self.quantities if q.key == key), None)


class Score(Value):
    """One instrument's result."""

    instrument: str
    label: str
    value: float
    minimum: float
    maximum: float
    unit: str = "points"
    band: str = ""
    band_source: str = ""
    smallest_important_difference: float | None = None
    computed: bool
    """True when biflora computed it from items, False when the total was entered."""
    source: str = ""
    verification: str = ""
    estimated: bool = False
    """True when it was converted from another instrument (always said to the reader)."""


class Profile(Record):
    """The whole person as far as measured: intake, scores, skin, gut."""

    patient: Patient
    scores: tuple[Score, ...] = ()
    skin: SiteProfile | None = None
    gut: SiteProfile | None = None
    quantities: tuple[Quantity, ...] = ()
    """What needs both sites, e.g. an index of skin and gut together."""
    findings: tuple[Finding, ...] = ()

    def score(self, instrument: str) -> Score | None:
        return next((s for s in self.scores if s.instrument == instrument), None)
