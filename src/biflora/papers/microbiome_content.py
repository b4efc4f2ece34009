"""What the microbiome page and the printed profile say, arranged once for screen and paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from biflora.papers.chart import Chart
from biflora.papers.charts_microbiome import (
    composition,
    in_the_bar,
    log_ratio,
    outside_in_words,
    value_or_limit,
)
from biflora.papers.grid import Grid
from biflora.papers.report_content import FOOTER, out_of_line, quantity_cells
from biflora.papers.wording import DASH, MINUS, number, percent, share_interval, verification_words
from biflora.profile.meaning import Said, meanings_of
from biflora.profile.patient import Condition
from biflora.profile.profile import Placement, Quantity, SiteName, SiteProfile, TaxonShare
from biflora.values import Finding, State

TAXA_SHOWN = 15
PLACED = {
    "placed": ("ok", "Placed"),
    "outside the reference": ("warn", "Outside the reference"),
    "too few for percentiles": ("note", "Too few for percentiles"),
    "no comparable reference": ("note", "No comparable reference"),
}
"""Level and words of each state of a placement."""


@dataclass(frozen=True)
class Place:
    """Where the sample stands among a reference's persons, in words and as a table."""

    level: str
    words: str
    why: str
    about: str
    percentiles: Grid | None
    passed_over: tuple[str, ...]
    source: str
    verification: str


@dataclass(frozen=True)
class Side:
    """One sample; without one only `missing` speaks."""

    site: SiteName
    heading: str
    missing: str = ""
    sample: str = ""
    in_short: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    means: tuple[Said, ...] = ()
    sure: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    """What was not measured or not resolved, one line each."""
    below: tuple[str, ...] = ()
    place: Place | None = None
    out_of_line: tuple[str, ...] = ()
    numbers: Grid | None = None
    experimental: Grid | None = None
    taxa: Grid | None = None
    strangers: Grid | None = None
    findings: tuple[Finding, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    """How the numbers came about: file, format, provenance."""


@dataclass(frozen=True)
class MicrobiomeContent:
    title: str
    facts: tuple[tuple[str, str], ...]
    synthetic: bool
    sides: tuple[Side, ...]
    made_at: str
    release: str
    both: Grid | None = None
    """What needs the two sites together."""
    footer: str = FOOTER


def microbiome_content(
    sites: tuple[SiteProfile | None, ...],
    *,
    title: str,
    made_at: datetime,
    facts: tuple[tuple[str, str], ...] = (),
    condition: Condition | None = None,
    synthetic: bool = False,
    both: tuple[Quantity, ...] = (),
) -> MicrobiomeContent:
    """Arrange samples for reading, skin first; a None among two says that the other site was not measured."""
    given = [site for site in sites if site is not None]
    names: tuple[SiteName, ...] = ("skin", "gut") if len(sites) > 1 else tuple(site.site for site in given)
    by_name = {site.site: site for site in given}
    return MicrobiomeContent(
        title=title,
        facts=facts,
        synthetic=synthetic,
        sides=tuple(_side(name, by_name.get(name), condition) for name in names),
        made_at=made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        release=given[0].knowledge_release if given else "",
        both=_numbers("Skin and gut together", both),
    )


def _side(name: SiteName, site: SiteProfile | None, condition: Condition | None) -> Side:
    heading = name.capitalize()
    if site is None:
        what = (
            "A swab of the worst site, before treatment,"
            if name == "skin"
            else "One stool sample, before antibiotics,"
        )
        return Side(
            name, heading, missing=f"No {name} sample was sent, so nothing is said about it. {what} would tell."
        )
    plain = tuple(q for q in site.quantities if not q.experimental)
    trial = tuple(q for q in site.quantities if q.experimental)
    return Side(
        site=name,
        heading=heading,
        sample=_sample(site),
        in_short=_in_short(site),
        charts=(composition(site), *(log_ratio(site) if name == "skin" else ())),
        means=meanings_of(site, condition),
        sure=_how_sure(site),
        unseen=tuple(_unseen(site)),
        below=tuple(_below(site)),
        place=_place(site.placement),
        out_of_line=tuple(out_of_line(site)),
        numbers=_numbers("Numbers", plain),
        experimental=_numbers("Experimental: nobody outside biflora has validated these", trial),
        taxa=_taxa(f"The {TAXA_SHOWN} largest taxa", site.taxa[:TAXA_SHOWN]),
        strangers=_taxa("Names that biflora's taxon table lacks, kept as the file wrote them",
                        tuple(t for t in site.taxa if not t.known)[:TAXA_SHOWN]),
        findings=site.findings,
        made=_made(site),
    )  # fmt: skip


def _sample(site: SiteProfile) -> str:
    depth = "shares only, no counts" if site.depth_reads is None else f"{site.depth_reads:,.0f} reads"
    where = site.body_site.replace("_", " ")
    return "; ".join(part for part in (f"Sample {site.sample_id}", where, site.assay, depth) if part)


def _in_short(site: SiteProfile) -> tuple[str, ...]:
    """Two or three sentences that stand above everything else."""
    found = []
    named = in_the_bar(site.guilds)
    if named:
        first = [f"{g.label} {percent(g.share or 0.0)}" for g in named[:3]]
        found.append(f"Most of what could be named: {', '.join(first)}.")
    found.extend(
        outside_in_words([g for g in site.guilds if g.reference is not None and not g.reference.mismatch])
    )
    blind = [g.label for g in site.guilds if g.state in (State.NOT_MEASURED, State.NOT_RESOLVED)]
    if blind:
        found.append(f"This sample cannot answer for: {', '.join(blind)}.")
    return tuple(found)


def _how_sure(site: SiteProfile) -> tuple[str, ...]:
    """What limits the trust in this sample, most important first."""
    grave = [f for f in site.findings if f.level in ("stop", "warn")]
    found = []
    if grave:
        found.append(
            f"{len(grave)} quality warning{'s' if len(grave) > 1 else ''} below; read them before the numbers."
        )
    if site.has_counts and site.depth_reads is not None:
        found.append(
            f"Intervals come from counting {site.depth_reads:,.0f} reads and hold nothing else: a second swab "
            "or stool of the same day differs by more."
        )
    else:
        found.append("The file holds shares without reads, so no interval and no detection limit can be given.")
    if site.assay.startswith("16S"):
        found.append(f"{site.assay}: names below the genus are a best guess; yeasts are not seen.")
    if site.assay == "unknown":
        found.append("The assay is not known; say it (assay) so that the right limits apply.")
    if site.unmatched_names:
        what = "the reads" if site.has_counts else "the whole"
        found.append(f"{site.unmatched_names} names ({percent(site.unmatched_share)} of {what}) are in no guild.")
    if site.placement is None:
        found.append("No whole reference table was asked, so no percentile is given.")
    return tuple(found)


def _unseen(site: SiteProfile) -> list[str]:
    """What this assay or file cannot tell, those of one reason in one line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for g in site.guilds:
        if g.state in (State.NOT_MEASURED, State.NOT_RESOLVED):
            alike.setdefault((g.state.value, g.note), []).append(g.label)
    return [f"{', '.join(labels)}: {state}. {note}".strip() for (state, note), labels in alike.items()]


def _below(site: SiteProfile) -> list[str]:
    """What was looked for and not found, each with its limit; those without one share a line."""
    below = [g for g in site.guilds if g.state is State.BELOW_DETECTION]
    found = [f"{g.label}: not found, so below {percent(g.detection_limit)}" for g in below if g.detection_limit]
    unlimited = [g.label for g in below if not g.detection_limit]
    if unlimited:
        found.append(f"{', '.join(unlimited)}: not found; the file gives no limit of detection")
    return found


def _place(given: Placement | None) -> Place | None:
    if given is None:
        return None
    level, words = PLACED[given.state]
    about = f"{given.label}, n = {given.n} persons" if given.label else ""
    if given.matched_on:
        about += f"; agrees in {', '.join(given.matched_on)}"
    if given.novelty_distance is not None and given.novelty_limit is not None:
        about += (
            f". Distance to the nearest persons {number(given.novelty_distance, 1)}; "
            f"99 % of the reference's own lie within {number(given.novelty_limit, 1)}"
        )
    rows = tuple(
        (p.label, _value(p.value, p.unit), number(p.percent), f"{number(p.low)} to {number(p.high)}", str(p.n))
        for p in sorted(given.percentiles, key=lambda p: p.quantity.endswith("_clr"))
    )
    columns = ("Quantity", "This sample", "Percentile", "95 % interval", "Persons")
    return Place(
        level=level, words=words, why=given.why, about=about,
        percentiles=Grid("Percentiles in the reference", columns, rows, right=(1, 2, 3, 4)) if rows else None,
        passed_over=given.passed_over, source=given.source, verification=given.verification,
    )  # fmt: skip


def _value(value: float, unit: str) -> str:
    return percent(value) if unit == "share" else f"{number(value, 2)} {unit}".strip()


def _numbers(title: str, quantities: tuple[Quantity, ...]) -> Grid | None:
    """Numbers first; what has none follows, those of one reason in one row."""
    rows = []
    without: dict[str, list[str]] = {}
    for q in quantities:
        label, value, spread, note = quantity_cells(q)
        if q.value is None and q.high is None and q.low is None:
            without.setdefault(f"{q.state}|{note}", []).append(label)
            continue
        if q.bound:
            value, spread = f"{value_or_limit(q)} {q.unit}".strip(), DASH
        elif q.value is None:
            value = f"{q.state}, at most {number(q.high or 0.0, 2)} {q.unit}".strip()
        elif q.unit == "features":
            value = f"{number(q.value)} features"
        source = "; ".join(
            x for x in (q.source, verification_words(q.verification) if q.verification else "") if x
        )
        rows.append((label, value, spread, " ".join(x for x in (note, f"({source})" if source else "") if x)))
    for why, labels in without.items():
        state, _, note = why.partition("|")
        rows.append(("; ".join(labels), state, DASH, note))
    columns = ("Quantity", "Value", "95 % interval", "Note and source")
    return Grid(title, columns, tuple(rows), right=(1, 2)) if rows else None


def _taxa(title: str, taxa: tuple[TaxonShare, ...]) -> Grid | None:
    rows = tuple(
        (
            t.name,
            t.rank or DASH,
            percent(t.share),
            DASH if t.low is None or t.high is None else share_interval(t.low, t.high),
            DASH if t.reads is None else f"{t.reads:,.0f}".replace("-", MINUS),
            DASH if t.ncbi_taxid is None else str(t.ncbi_taxid),
        )
        for t in taxa
    )
    columns = ("Taxon", "Rank", "Share", "95 % interval", "Reads", "NCBI taxid")
    return Grid(title, columns, rows, right=(2, 3, 4, 5)) if rows else None


def _made(site: SiteProfile) -> tuple[tuple[str, str], ...]:
    host = "not told by the file" if site.host_share is None else percent(site.host_share)
    rows = [
        ("File", f"{site.file_name}, SHA-256 {site.file_sha256[:16]}…"),
        ("Recognised as", f"{site.format}, because {site.recognised_because}"),
        ("Profiler", site.profiler or "not told"),
        ("Host reads left out", host),
        ("Profile", site.id),
        ("Knowledge release", site.knowledge_release),
    ]
    rows.extend((f"Made by ({place})", line) for place, line in enumerate(site.provenance, start=1))
    return tuple(rows)
