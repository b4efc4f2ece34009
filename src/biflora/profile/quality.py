"""What a reader of one sample must know before trusting it: depth, host, contaminants, unnamed staphylococci."""

from __future__ import annotations

import re

import numpy as np

from biflora.knowledge.taxa import contaminants, limit, quality_limits
from biflora.profile.composition import Composition, unmatched, unnamed_staphylococci
from biflora.profile.names import is_virus
from biflora.profile.profile import SiteName
from biflora.values import Finding, Level, Who

ORGANELLE = re.compile(r"(?:mitochondria|chloroplast|streptophyta)\b", re.I)
"""SILVA writes Mitochondria and Chloroplast, Greengenes mitochondria and Streptophyta."""
NOTES = ("taxonomy_incomplete", "columns_left_out", "one_label_read", "tiny_values")
"""Remarks of readers that are told without a warning."""


def quality_findings(composition: Composition, site: SiteName) -> tuple[Finding, ...]:
    """All quality findings of one sample, gravest first."""
    found = [
        *_remarks(composition),
        *_depth(composition),
        *_run_depth(composition),
        *_host(composition),
        *_unclassified(composition),
        *_contaminants(composition, site),
        *_staphylococci(composition, site),
        *_viruses(composition),
        *_organelles(composition),
        *_names(composition),
    ]
    order = {"stop": 0, "warn": 1, "note": 2}
    return tuple(sorted(found, key=lambda finding: order[finding.level]))


def _finding(level: Level, rule: str, subject: str, message: str, limit_key: str | None = None) -> Finding:
    row = quality_limits()[limit_key] if limit_key else None
    return Finding(
        level=level,
        rule=rule,
        subject=subject,
        message=message,
        who=Who.LABORATORY,
        source=row.source if row else "counted in the file itself",
        verification=row.verification if row else "computed",
    )


def _remarks(composition: Composition) -> list[Finding]:
    return [
        _finding("note" if rule in NOTES else "warn", rule, composition.table.file_name, message)
        for rule, message in composition.table.remarks
    ]


def _depth(composition: Composition) -> list[Finding]:
    name = composition.table.file_name
    if not composition.has_counts:
        return [
            _finding(
                "note", "shares_only", name,
                f"{composition.no_counts_because} No counting interval and no detection limit can be given."
                + ("" if composition.table.assay == "array" else " Ask the laboratory for the read counts."),
            )
        ]  # fmt: skip
    depth = composition.total
    key = "min_reads_any"
    if depth >= limit(key):
        key = {"16S": "min_reads_16s", "shotgun": "min_reads_shotgun"}.get(
            composition.table.assay.split(" ")[0], key
        )
    if depth >= limit(key):
        return []
    return [
        _finding(
            "warn", "low_depth", name,
            f"The sample holds {depth:.0f} classified reads, fewer than {limit(key):.0f}: rare taxa cannot "
            "be told from "
            "absent ones. The laboratory sequences it deeper or a new swab is sent.",
            key,
        )
    ]  # fmt: skip


def _run_depth(composition: Composition) -> list[Finding]:
    """A sample far shallower than its run failed somewhere between swab and sequencer, whatever its reads."""
    table = composition.table
    if not composition.has_counts or len(table.samples) < limit("run_depth_samples"):
        return []
    running = np.concatenate(([0.0], np.cumsum(table.values)))
    totals = running[table.starts[1:]] - running[table.starts[:-1]]
    middle = float(np.median(totals[totals > 0]))
    mine = float(totals[table.samples.index(composition.sample)])
    if mine >= limit("run_depth_low") * middle:
        return []
    return [
        _finding(
            "warn", "shallow_in_its_run", table.file_name,
            f"The sample holds {mine:,.0f} reads, the median of the table's {len(table.samples)} samples "
            f"{middle:,.0f}: extraction or amplification may have failed. The laboratory repeats it.",
            "run_depth_low",
        )
    ]  # fmt: skip


def _host(composition: Composition) -> list[Finding]:
    if composition.host <= 0:
        return []
    percent = 100 * composition.host
    many = composition.host > limit("host_share")
    low_biomass = []
    if composition.host > limit("low_biomass_host"):
        low_biomass.append(
            _finding(
                "warn", "low_biomass", composition.table.file_name,
                "Hardly anything but human DNA: the sample held few microbes, so what reagents brought weighs "
                "more. Compare with the blanks of the run (biflora controls).", "low_biomass_host",
            )
        )  # fmt: skip
    return [
        *low_biomass,
        _finding(
            "warn" if many else "note", "host_reads", composition.table.file_name,
            f"{percent:.1f} % of the classified reads are human; they are left out of all shares."
            + (" The laboratory removes the host before classifying." if many else ""),
            "host_share",
        ),
    ]  # fmt: skip


def _unclassified(composition: Composition) -> list[Finding]:
    table = composition.table
    unnamed = table.unclassified_reads.get(composition.sample, 0.0)
    share = unnamed / (unnamed + float(table.row(composition.sample).sum()))
    if share < limit("unclassified_share"):
        return []
    return [
        _finding(
            "warn" if share > limit("unclassified_share_grave") else "note", "unclassified", table.file_name,
            f"{100 * share:.0f} % of what was sequenced matched nothing in the classifier's database; all shares "
            "are of the rest.",
            "unclassified_share",
        )
    ]  # fmt: skip


def _contaminants(composition: Composition, site: SiteName) -> list[Finding]:
    threshold, total = limit("contaminant_share"), 0.0
    named: list[tuple[float, str]] = []
    sources: list[str] = []
    for row in contaminants().values():
        if site not in row.sites:
            continue
        share = float(composition.values[composition.of_genus(row.genus)].sum()) / composition.total
        total += share
        if share > 0:
            named.append((share, row.genus))
            sources.append(row.source)
    if total < threshold:
        return []
    named.sort(reverse=True)
    list_of_names = ", ".join(f"{genus} {100 * share:.1f} %" for share, genus in named[:4])
    return [
        Finding(
            level="warn",
            rule="contamination_suspect",
            subject=named[0][1],
            message=f"{100 * total:.1f} % of {_whole(composition)} belong to genera that reagents and water often "
            f"bring in ({list_of_names}). The laboratory compares with its blanks; nothing was taken out here.",
            who=Who.LABORATORY,
            source="; ".join(dict.fromkeys(sources)),
            verification=contaminants()[named[0][1].lower()].verification,
        )
    ]


def _staphylococci(composition: Composition, site: SiteName) -> list[Finding]:
    missing = unnamed_staphylococci(composition) if site == "skin" else 0.0
    if missing <= limit("unresolved_staphylococcus"):
        return []
    return [
        _finding(
            "warn", "staphylococcus_unresolved", "Staphylococcus",
            f"{100 * missing:.0f} % of the staphylococci have no species name, so S. aureus and the "
            "commensal staphylococci "
            "may both be larger than shown. Ask for shotgun sequencing, or a qPCR of S. aureus.",
            "unresolved_staphylococcus",
        )
    ]  # fmt: skip


def _names(composition: Composition) -> list[Finding]:
    count, share = unmatched(composition)
    if not any(name.rank for name in composition.named):
        return [
            _finding(
                "warn", "no_taxonomy", composition.table.file_name,
                "The table names no taxon (sequences or codes only): no guild can be counted. Put the "
                "taxonomy beside it "
                "(taxonomy.qza, or the same name with _tax or _taxa).",
            )
        ]  # fmt: skip
    if count == 0:
        return []
    return [
        _finding(
            "warn" if share > limit("unmatched_share_grave") else "note", "unmatched_names",
            composition.table.file_name,
            f"{count} names ({100 * share:.1f} % of {_whole(composition)}) are not in biflora's taxon table; they "
            "are kept as the file wrote them and count in no guild.",
        )
    ]  # fmt: skip


def _whole(composition: Composition) -> str:
    """What shares are parts of, in words."""
    if composition.has_counts:
        return "the reads"
    return "the signal" if composition.table.assay == "array" else "the whole"


def _organelles(composition: Composition) -> list[Finding]:
    """Mitochondria and chloroplasts carry a 16S gene; many laboratories take their reads out, others do not."""
    share = sum(
        float(value)
        for name, value in zip(composition.named, composition.values, strict=True)
        if ORGANELLE.match(name.name)
    ) / composition.total  # fmt: skip
    if share < limit("organelle_share"):
        return []
    return [
        _finding(
            "note", "organelles_in_the_whole", composition.table.file_name,
            f"{100 * share:.1f} % of {_whole(composition)} come from mitochondria or chloroplasts (of the person, "
            "of food or of plants), not from bacteria; the other shares are parts of a whole that holds them.",
            "organelle_share",
        )
    ]  # fmt: skip


def _viruses(composition: Composition) -> list[Finding]:
    share = sum(
        float(value)
        for name, value in zip(composition.named, composition.values, strict=True)
        if is_virus(name)
    ) / composition.total  # fmt: skip
    if share < limit("virus_share"):
        return []
    return [
        _finding(
            "warn" if share > limit("virus_share_grave") else "note", "viruses_in_the_whole",
            composition.table.file_name,
            f"{100 * share:.0f} % of {_whole(composition)} are viruses, mostly phages. The shares of bacteria are "
            "parts of a whole that holds them, so they are smaller than in a list without viruses.",
            "virus_share",
        )
    ]  # fmt: skip
