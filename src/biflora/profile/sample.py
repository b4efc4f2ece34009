"""One sample of one laboratory file as a SiteProfile."""

from __future__ import annotations

from pathlib import Path

from biflora.errors import LaboratoryMust
from biflora.knowledge.rows import release
from biflora.profile.compare import with_reference
from biflora.profile.composition import compose, guild_shares, taxon_shares, unmatched
from biflora.profile.laboratory_file import LaboratoryFile, read_laboratory_file
from biflora.profile.patient import Laboratory
from biflora.profile.profile import SiteName, SiteProfile
from biflora.profile.quality import quality_findings
from biflora.profile.quantities import diversity, loads, log_ratio, proxies


def profile_site(
    path: Path,
    site: SiteName,
    *,
    sample: str | None = None,
    age_years: float | None = None,
    laboratory: Laboratory | None = None,
) -> SiteProfile:
    """What one sample says: taxa, guilds with states, quantities, findings.

    `age_years` and `laboratory` (qPCR) sharpen references and loads. Raises LaboratoryMust for a file or sample
    that cannot be read.
    """
    return profile_sample(
        read_laboratory_file(Path(path)), site, sample=sample, age_years=age_years, laboratory=laboratory
    )


def profile_sample(
    file: LaboratoryFile,
    site: SiteName,
    *,
    sample: str | None = None,
    age_years: float | None = None,
    laboratory: Laboratory | None = None,
) -> SiteProfile:
    """The same from a file already read (a cohort reads its file once)."""
    table = file.table
    name = table.choose(sample)
    composition = compose(table, name)
    if composition is None:
        raise LaboratoryMust(
            f"{table.file_name}: the sample '{name}' holds no microbial read; sequence it again or send "
            "another swab."
        )
    guilds = guild_shares(composition, site)
    guilds = tuple(with_reference(guild, site, table.assay, age_years) for guild in guilds)
    by_key = {guild.guild: guild for guild in guilds}
    quantities = [*diversity(composition)]
    if site == "skin":
        quantities.append(log_ratio(by_key.get("s_aureus"), by_key.get("cons")))
        quantities.extend(loads(site, guilds, laboratory or Laboratory()))
    quantities.extend(proxies(guilds))
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
        has_counts=table.has_counts,
        depth_reads=composition.total if table.has_counts else None,
        host_share=composition.host,
        taxa=taxon_shares(composition),
        guilds=guilds,
        quantities=tuple(quantities),
        unmatched_names=strangers,
        unmatched_share=strangers_share,
        findings=quality_findings(composition, site),
    )
