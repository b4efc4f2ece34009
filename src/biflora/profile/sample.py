"""One sample of one laboratory file as a SiteProfile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from biflora.errors import LaboratoryMust
from biflora.knowledge.rows import release
from biflora.profile.compare import with_reference
from biflora.profile.composition import compose, guild_shares, taxon_shares, unmatched
from biflora.profile.laboratory_file import LaboratoryFile, read_laboratory_file
from biflora.profile.numbers.quantities import quantities_of
from biflora.profile.patient import Laboratory, Sampling
from biflora.profile.profile import SiteName, SiteProfile
from biflora.profile.quality import quality_findings
from biflora.profile.reference.library import Library
from biflora.profile.reference.match import sample_keys
from biflora.profile.reference.place import place
from biflora.profile.run.controls import ControlReport, Controls
from biflora.profile.run.suspects import control_findings
from biflora.profile.table import LabTable
from biflora.values import Finding, Who


def profile_site(
    path: Path,
    site: SiteName,
    *,
    sample: str | None = None,
    age_years: float | None = None,
    laboratory: Laboratory | None = None,
    sampling: Sampling | None = None,
    library: Library | None = None,
) -> SiteProfile:
    """What one sample says: taxa, guilds with states, quantities, where it stands, findings.

    `age_years`, `laboratory` (qPCR) and `sampling` sharpen references and loads; `library` holds the whole
    references to place it in (None: it is placed nowhere). Raises LaboratoryMust for a file or sample that
    cannot be read.
    """
    file = read_laboratory_file(Path(path))
    return profile_sample(
        file,
        site,
        sample=sample,
        age_years=age_years,
        laboratory=laboratory,
        sampling=sampling,
        library=library,
    )


def profile_sample(
    file: LaboratoryFile,
    site: SiteName,
    *,
    sample: str | None = None,
    age_years: float | None = None,
    laboratory: Laboratory | None = None,
    sampling: Sampling | None = None,
    library: Library | None = None,
    controls: Controls | None = None,
    control_report: ControlReport | None = None,
) -> SiteProfile:
    """The same from a file already read (a cohort reads its file once).

    `controls`: the blanks of the same run, which name contaminants; `control_report`: what they said of the run
    already, so that it is not worked out again for each sample.
    """
    taken = sampling or Sampling()
    table, contradicted = with_sampling(file.table, taken)
    name = table.choose(sample)
    composition = compose(table, name, taken.spike_in_taxon)
    if composition is None:
        raise LaboratoryMust(
            f"{table.file_name}: the sample '{name}' holds no microbial read; sequence it again or send "
            "another swab."
        )
    keys = sample_keys(site, assay=table.assay, profiler=table.profiler, age_years=age_years, sampling=taken)
    guilds = tuple(
        with_reference(
            guild,
            site,
            table.assay,
            age_years,
            body_site=keys.body_site,
            profiler=keys.profiler,
            lesional=keys.lesional,
        )
        for guild in guild_shares(composition, site)
    )
    quantities = quantities_of(composition, site, guilds, laboratory or Laboratory(), taken)
    placed = None if library is None else place(composition, guilds, keys, library)
    if placed is not None and placed.distance is not None:
        quantities = (*quantities, placed.distance)
    of_the_run = () if controls is None else control_findings(table, name, controls, report=control_report)
    strangers, strangers_share = unmatched(composition)
    return SiteProfile.make(
        "site",
        release=release(),
        site=site,
        sample_id=name,
        file_name=table.file_name,
        file_sha256=file.sha256,
        format=table.format,
        recognised_because=table.because + (f"; assay: {table.assay_because}" if table.assay_because else ""),
        assay=table.assay,
        body_site=keys.body_site,
        profiler=table.profiler,
        provenance=table.provenance,
        has_counts=composition.has_counts,
        depth_reads=composition.total if composition.has_counts else None,
        host_share=composition.host,
        taxa=taxon_shares(composition),
        guilds=guilds,
        quantities=quantities,
        unmatched_names=strangers,
        unmatched_share=strangers_share,
        placement=None if placed is None else placed.placement,
        findings=(*contradicted, *quality_findings(composition, site), *of_the_run),
    )


def with_sampling(table: LabTable, taken: Sampling) -> tuple[LabTable, tuple[Finding, ...]]:
    """The table with what the clinic or the laboratory says of its assay and profiler where the file says nothing.

    Where the two contradict each other the file goes first and a finding says so.
    """
    told, seen = taken.assay, table.assay
    changed = replace(table, profiler=table.profiler or taken.profiler or "")
    if told is None or told == seen:
        return changed, ()
    if seen == "unknown" or (seen == "16S" and told.startswith("16S ")):
        return replace(changed, assay=told, assay_because="said by the clinic or the laboratory"), ()
    if told == "16S" and seen.startswith("16S "):
        return changed, ()
    finding = Finding(
        level="warn",
        rule="assay_contradicted",
        subject=table.file_name,
        message=f"The file looks like {seen}, but {told} was entered; the file was believed. Whoever entered it "
        "asks the laboratory.",
        who=Who.LABORATORY,
        source="the file itself",
        verification="computed",
    )
    return changed, (finding,)
