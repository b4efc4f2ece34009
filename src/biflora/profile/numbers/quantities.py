"""All derived numbers of one sample in the order in which they are shown."""

from __future__ import annotations

from biflora.knowledge.taxa import guilds as guild_rows
from biflora.profile.composition import Composition
from biflora.profile.numbers.balances import balances_of, log_ratio
from biflora.profile.numbers.diversity import diversity, shannon
from biflora.profile.numbers.gmwi2 import gmwi2
from biflora.profile.numbers.indices import md_index
from biflora.profile.numbers.loads import copy_corrected_shares, loads
from biflora.profile.patient import Laboratory, Sampling
from biflora.profile.profile import GuildShare, Quantity, SiteName

__all__ = ["diversity", "loads", "log_ratio", "proxies", "quantities_of", "shannon"]


def quantities_of(
    composition: Composition,
    site: SiteName,
    guilds: tuple[GuildShare, ...],
    laboratory: Laboratory,
    sampling: Sampling,
) -> tuple[Quantity, ...]:
    """Diversity, balances, loads, corrected shares, proxies and published indices of one sample.

    What cannot be said keeps its place with a state and the reason; only what does not belong to the site is left
    out.
    """
    return (
        *diversity(composition),
        *balances_of(guilds, site),
        *loads(site, guilds, laboratory, sampling, composition),
        *copy_corrected_shares(composition, site, guilds),
        *proxies(guilds),
        *((gmwi2(composition, site), md_index(composition, site)) if site == "gut" else ()),
    )


def proxies(guilds: tuple[GuildShare, ...]) -> tuple[Quantity, ...]:
    """The butyrate producers' sum as a quantity, labelled as what it is."""
    producers = next((guild for guild in guilds if guild.guild == "butyrate_producers"), None)
    if producers is None:
        return ()
    row = guild_rows()["butyrate_producers"]
    return (
        Quantity(
            key="butyrate_producer_share",
            label="Butyrate producers (proxy for capacity)",
            unit="share",
            state=producers.state,
            value=producers.share,
            low=producers.low,
            high=producers.high,
            note="A sum of names, not a measurement of butyrate.",
            source=row.source,
            verification=row.verification,
        ),
    )
