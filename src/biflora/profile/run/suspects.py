"""Which taxa the controls of a run point to, what one sample holds of them, and a table without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from biflora.errors import LaboratoryMust
from biflora.knowledge.taxa import contaminants, limit, quality_limits
from biflora.profile.names import Named, name_feature
from biflora.profile.run.contamination import (
    Combine,
    Flags,
    fisher_combined,
    frequency_scores,
    over_batches,
    prevalence_scores,
    share_scores,
)
from biflora.profile.run.controls import BatchControls, ControlReport, Controls, Rule, TaxonInControls
from biflora.profile.table import LabTable, Numbers, listed
from biflora.values import Finding, Level, Who

AT_A_TIME = 2_000
"""Taxa whose shares are held as a full matrix at once."""
Places = NDArray[np.int64]


def read_controls(
    table: LabTable, controls: Controls, *, combine: Combine = "minimum", apart: Sequence[str] = ()
) -> ControlReport:
    """Scores of every taxon, the suspects, and their share in each sample.

    `apart`: samples that are neither patients nor blanks (mock communities), left out.

    Empty samples are left out. Raises LaboratoryMust when no sample or no control with reads is left.
    """
    work = _Work.of(table, controls, frozenset(apart))
    scored: list[TaxonInControls] = []
    saturated = _saturated(work)
    rules: tuple[Rule, ...] = ("share",) if saturated else ("prevalence",)
    if work.concentration is not None:
        rules = ("frequency", "share") if saturated else ("combined", "prevalence")
    belongs = np.zeros(len(work.samples))
    for columns, shares in work.parts():
        taxa, in_batches = _scored(work, columns, shares, rules, combine)
        scored.extend(taxa)
        belongs += (shares * in_batches[work.batch]).sum(axis=1)
    scored.sort(key=lambda taxon: (-taxon.share_in_controls, -taxon.share_in_samples, taxon.feature))
    people = np.flatnonzero(~work.negative)
    by_sample = tuple((work.samples[i], float(belongs[i])) for i in people)
    report = ControlReport(
        file_name=table.file_name,
        samples=len(people),
        controls=tuple(work.samples[i] for i in np.flatnonzero(work.negative)),
        because=controls.because,
        batches=tuple(
            BatchControls(
                batch=name,
                samples=int((~work.negative[work.batch == i]).sum()),
                controls=int(work.negative[work.batch == i].sum()),
            )
            for i, name in enumerate(work.batch_names)
        ),
        rules=rules,
        prevalence_tells=not saturated,
        taxa=tuple(scored),
        suspects_in_samples=by_sample,
        findings=(),
    )
    return report.model_copy(update={"findings": _run_findings(report, work)})


def control_findings(
    table: LabTable, sample: str, controls: Controls, *, report: ControlReport | None = None
) -> tuple[Finding, ...]:
    """Which suspects of its run one sample holds, with their share; `report` saves reading the run again."""
    report = report or read_controls(table, controls)
    batch = controls.batches.get(sample, "")
    row = table.row(sample)
    kept = np.array([not name_feature(feature).is_host for feature in table.features], dtype=bool)
    total = float(row[kept].sum())
    shares = {feature.name: float(value) for feature, value in zip(table.features, row, strict=True) if value > 0}
    held = [
        (shares[taxon.feature] / total, taxon)
        for taxon in report.suspects
        if taxon.feature in shares and (not controls.batches or batch in taxon.suspect_in)
    ]
    share = sum(part for part, _ in held)
    if total <= 0 or share < limit("suspect_share"):
        return ()
    held.sort(key=lambda item: -item[0])
    names = ", ".join(f"{taxon.name} {100 * part:.1f} %" for part, taxon in held[:4])
    more = f" and {len(held) - 4} more" if len(held) > 4 else ""
    grave = share >= limit("suspect_share_grave")
    message = (
        f"{100 * share:.1f} % of the reads belong to taxa that the {len(report.controls)} negative controls of "
        f"this run point to as contamination ({names}{more}). Nothing was taken out here; read the other shares "
        "knowing that these reads dilute them."
    )
    found = [
        _finding("warn" if grave else "note", "suspects_in_sample", held[0][1].name, message, "suspect_share")
    ]
    if share >= limit("low_biomass_suspects"):
        found.append(
            _finding(
                "warn", "low_biomass", table.file_name,
                "So much contamination means that the swab held little microbial DNA: rare taxa and small shares "
                "are not to be trusted. Take another swab, from a larger area.", "low_biomass_suspects",
            )
        )  # fmt: skip
    return tuple(found)


def without_suspects(table: LabTable, report: ControlReport) -> tuple[LabTable, tuple[TaxonInControls, ...]]:
    """The table without the suspects' features, and what was taken out. The controls stay in it."""
    out = {taxon.feature for taxon in report.suspects}
    kept = np.array([feature.name not in out for feature in table.features], dtype=bool)
    if not kept.any():
        raise LaboratoryMust(f"{table.file_name}: every taxon is a suspect; nothing would be left of the table.")
    place = np.cumsum(kept) - 1
    stays = kept[table.places]
    of_sample = np.repeat(np.arange(len(table.samples)), np.diff(table.starts))
    starts = np.zeros(len(table.samples) + 1, dtype=np.int64)
    np.cumsum(np.bincount(of_sample[stays], minlength=len(table.samples)), out=starts[1:])
    cleaned = replace(
        table,
        features=tuple(feature for feature, keep in zip(table.features, kept, strict=True) if keep),
        starts=starts,
        places=place[table.places[stays]].astype(np.int64),
        values=table.values[stays],
        remarks=(*table.remarks, ("suspects_removed", f"{len(out)} contamination suspects were taken out.")),
    )
    return cleaned, report.suspects


@dataclass(frozen=True)
class _Work:
    """The table's columns with what is known of its rows; empty samples left out."""

    table: LabTable
    samples: tuple[str, ...]
    rows: Places
    """Number of each kept sample in the table."""
    totals: Numbers
    """Reads without the host, by kept sample."""
    negative: Flags
    batch: Places
    batch_names: tuple[str, ...]
    concentration: Numbers | None
    named: tuple[Named, ...]
    microbial: Flags

    @classmethod
    def of(cls, table: LabTable, controls: Controls, apart: frozenset[str]) -> _Work:
        named = tuple(name_feature(feature) for feature in table.features)
        microbial = np.array([not name.is_host for name in named], dtype=bool)
        counted = np.where(microbial[table.places], table.values, 0.0)
        sums = np.array([counted[a:b].sum() for a, b in pairwise(table.starts)])
        rows = np.array(
            [i for i, sample in enumerate(table.samples) if sums[i] > 0 and sample not in apart], dtype=int
        )
        samples = tuple(table.samples[i] for i in rows)
        negative = np.isin(samples, controls.negative)
        if negative.all() or not negative.any():
            what = "sample" if negative.all() else "negative control"
            raise LaboratoryMust(f"{table.file_name}: no {what} with reads is left, so nothing can be compared.")
        batch_of = [controls.batches.get(sample, "") for sample in samples]
        names = tuple(sorted(set(batch_of)))
        amounts = np.array([controls.concentration.get(sample, np.nan) for sample in samples])
        return cls(
            table=table,
            samples=samples,
            rows=rows.astype(np.int64),
            totals=sums[rows],
            negative=negative,
            batch=np.array([names.index(name) for name in batch_of]),
            batch_names=names,
            concentration=amounts if controls.concentration else None,
            named=named,
            microbial=microbial,
        )

    def parts(self) -> Iterator[tuple[Places, Numbers]]:
        """Columns and the shares of kept samples there, a few thousand at a time; host and unseen left out."""
        from scipy.sparse import csr_array

        table = self.table
        shape = (len(table.samples), len(table.features))
        matrix = csr_array((table.values, table.places, table.starts), shape=shape)[self.rows].tocsc()
        seen = np.flatnonzero((np.diff(matrix.indptr) > 0) & self.microbial)
        for start in range(0, len(seen), AT_A_TIME):
            columns = seen[start : start + AT_A_TIME]
            yield columns, matrix[:, columns].toarray() / self.totals[:, None]


def _saturated(work: _Work) -> bool:
    """True when the taxa that nearly every sample and every control holds make up most of the samples' reads."""
    needed, share = limit("saturated_prevalence"), 0.0
    for _, shares in work.parts():
        in_controls = (shares[work.negative] > 0).mean(axis=0)
        in_samples = (shares[~work.negative] > 0).mean(axis=0)
        everywhere = (in_controls >= needed) & (in_samples >= needed)
        share += float(shares[~work.negative][:, everywhere].sum(axis=1).mean())
    return share > limit("saturated_share")


def _scored(
    work: _Work, columns: Places, shares: Numbers, rules: tuple[Rule, ...], combine: Combine
) -> tuple[list[TaxonInControls], Flags]:
    """Each column's scores, and which columns are suspects in which batch (batches by columns)."""
    number = len(work.batch_names)
    by_batch = {
        key: np.full((number, len(columns)), np.nan) for key in ("prevalence", "frequency", "share", "ratio")
    }
    for batch in range(number):
        mine = work.batch == batch
        negative = work.negative[mine]
        by_batch["prevalence"][batch] = prevalence_scores(shares[mine] > 0, negative)
        by_batch["share"][batch] = share_scores(shares[mine], negative)
        if negative.any() and not negative.all():
            above = np.median(shares[mine][negative], axis=0)
            below = np.median(shares[mine][~negative], axis=0)
            floor = 1 / np.median(work.totals[mine][~negative]) if work.table.has_counts else 1e-6
            by_batch["ratio"][batch] = above / np.maximum(below, floor)
        if work.concentration is not None:
            known = mine & ~work.negative & (work.concentration > 0)
            by_batch["frequency"][batch] = frequency_scores(shares[known], work.concentration[known])
    prevalence = over_batches(by_batch["prevalence"], combine)
    frequency = over_batches(by_batch["frequency"], combine)
    combined = fisher_combined(np.vstack([prevalence, frequency]))
    share = over_batches(by_batch["share"], "minimum")
    every = np.ones((number, 1), dtype=bool)
    speaks: dict[Rule, Flags] = {
        "prevalence": every
        & (prevalence < limit("contaminant_score"))
        & (np.isnan(frequency) | ("combined" not in rules)),
        "frequency": every & (frequency < limit("contaminant_score")),
        "combined": every & (combined < limit("contaminant_score")),
        "share": (by_batch["share"] < limit("contaminant_share_score"))
        & (by_batch["ratio"] >= limit("contaminant_share_ratio")),
    }
    suspect = np.logical_or.reduce([speaks[rule] for rule in rules])
    usual = {row.genus for row in contaminants().values()}
    ratio = by_batch["ratio"]
    taxa = [
        TaxonInControls(
            feature=work.table.features[column].name,
            name=work.named[column].name,
            rank=work.named[column].rank,
            samples_with=int((shares[~work.negative, i] > 0).sum()),
            controls_with=int((shares[work.negative, i] > 0).sum()),
            share_in_samples=float(shares[~work.negative, i].mean()),
            share_in_controls=float(shares[work.negative, i].mean()),
            prevalence_score=_or_none(prevalence[i]),
            frequency_score=_or_none(frequency[i]),
            combined_score=_or_none(combined[i]),
            share_score=_or_none(share[i]),
            share_ratio=None if np.isnan(ratio[:, i]).all() else float(np.nanmax(ratio[:, i])),
            suspect_by=tuple(rule for rule in rules if speaks[rule][:, i].any()),
            suspect_in=tuple(name for b, name in enumerate(work.batch_names) if suspect[b, i]),
            usual_contaminant=work.named[column].genus in usual,
        )
        for i, column in enumerate(columns)
    ]
    return taxa, suspect


def _or_none(score: float) -> float | None:
    return None if np.isnan(score) else float(score)


def _finding(level: Level, rule: str, subject: str, message: str, key: str) -> Finding:
    row = quality_limits()[key]
    return Finding(
        level=level, rule=rule, subject=subject, message=message, who=Who.LABORATORY, source=row.source,
        verification=row.verification,
    )  # fmt: skip


def _run_findings(report: ControlReport, work: _Work) -> tuple[Finding, ...]:
    name, found = report.file_name, []
    fewest = int(limit("fewest_controls"))
    thin = [batch.batch or "the run" for batch in report.batches if batch.controls < fewest]
    if thin:
        found.append(
            _finding(
                "warn", "few_controls", name,
                f"Fewer than {fewest} negative controls in {listed(thin)}: a contaminant can be missed there. The "
                "laboratory adds extraction blanks to every batch.", "fewest_controls",
            )
        )  # fmt: skip
    if not report.prevalence_tells:
        found.append(
            _finding(
                "note", "prevalence_saturated", name,
                "Nearly every library holds the same taxa, so presence cannot tell a contaminant; the share in "
                "the controls against the samples is used instead (biflora's own rule, not decontam's).",
                "saturated_share",
            )
        )  # fmt: skip
    if work.table.has_counts:
        controls, samples = (float(np.median(work.totals[flag])) for flag in (work.negative, ~work.negative))
        if controls >= limit("control_depth_ratio") * samples:
            found.append(
                _finding(
                    "warn", "deep_controls", name,
                    f"The negative controls hold {controls:,.0f} reads at the median, the samples {samples:,.0f}: "
                    "either the libraries were brought to equal amounts before sequencing, or the samples held "
                    "hardly more DNA than the blanks. Ask the laboratory which.", "control_depth_ratio",
                )
            )  # fmt: skip
    return tuple(found)
