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
    note: str = ""


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
    has_counts: bool
    depth_reads: float | None = None
    host_share: float | None = None
    taxa: tuple[TaxonShare, ...] = ()
    guilds: tuple[GuildShare, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    unmatched_names: int = 0
    unmatched_share: float = 0.0
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
    findings: tuple[Finding, ...] = ()

    def score(self, instrument: str) -> Score | None:
        return next((s for s in self.scores if s.instrument == instrument), None)
