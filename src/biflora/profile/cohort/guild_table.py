"""Every sample's guilds side by side, with what the assay could not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.taxa import guilds_at
from biflora.profile.composition import compose, guild_shares
from biflora.profile.profile import SiteName
from biflora.profile.table import LabTable
from biflora.values import State, Value


class Seen(Value):
    """How often one guild was seen in a cohort, and why not."""

    guild: str
    label: str
    measured: int
    below_detection: int
    not_resolved: int
    not_measured: int
    median: float | None = None
    """Median share among the samples where it was measured or below detection (then 0); None: never answered."""
    note: str = ""


@dataclass(frozen=True)
class GuildTable:
    """Guild shares of a cohort. `shares[guild]` is NaN where the assay gave no answer, 0 below detection."""

    samples: tuple[str, ...]
    labels: dict[str, str]
    shares: dict[str, NDArray[np.float64]]
    states: dict[str, tuple[State, ...]]
    notes: dict[str, str]
    empty: tuple[str, ...] = ()
    """Samples without a microbial read; NaN everywhere."""

    def seen(self) -> tuple[Seen, ...]:
        found = []
        for key, label in self.labels.items():
            states, shares = self.states[key], self.shares[key]
            answered = shares[~np.isnan(shares)]
            found.append(
                Seen(
                    guild=key,
                    label=label,
                    measured=states.count(State.MEASURED),
                    below_detection=states.count(State.BELOW_DETECTION),
                    not_resolved=states.count(State.NOT_RESOLVED),
                    not_measured=states.count(State.NOT_MEASURED),
                    median=float(np.median(answered)) if answered.size else None,
                    note=self.notes[key],
                )
            )
        return tuple(found)

    def log_ratio(self, above: str, below: str, pseudocount: float) -> NDArray[np.float64]:
        """log10((share + pseudocount) / (share + pseudocount)) per sample; NaN where one gave no answer."""
        return np.asarray(np.log10((self.shares[above] + pseudocount) / (self.shares[below] + pseudocount)))


def guild_table(table: LabTable, samples: Sequence[str], site: SiteName) -> GuildTable:
    """Shares and states of every guild of the site in these samples, host left out."""
    guilds = guilds_at(site)
    shares = {guild.key: np.full(len(samples), np.nan) for guild in guilds}
    states: dict[str, list[State]] = {guild.key: [] for guild in guilds}
    notes = {guild.key: "" for guild in guilds}
    empty = []
    for place, name in enumerate(samples):
        composition = compose(table, name)
        if composition is None:
            empty.append(name)
            for held in states.values():
                held.append(State.NOT_MEASURED)
            continue
        for found in guild_shares(composition, site, with_interval=False):
            states[found.guild].append(found.state)
            if found.state is State.MEASURED:
                shares[found.guild][place] = found.share
            elif found.state is State.BELOW_DETECTION:
                shares[found.guild][place] = 0.0
            else:
                notes[found.guild] = notes[found.guild] or found.note
    return GuildTable(
        samples=tuple(samples),
        labels={guild.key: guild.label for guild in guilds},
        shares=shares,
        states={key: tuple(held) for key, held in states.items()},
        notes=notes,
        empty=tuple(empty),
    )
