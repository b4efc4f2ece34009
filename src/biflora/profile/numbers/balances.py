"""Ratios of counts: log-ratios of guilds with their counting intervals, and the clr of a whole composition."""

from __future__ import annotations

import math

import numpy as np

from biflora.knowledge.indices import Balance, balances, balances_at, setting
from biflora.profile.composition import INTERVAL
from biflora.profile.numbers.special_functions import beta_quantiles
from biflora.profile.profile import GuildShare, Quantity, SiteName
from biflora.profile.table import Numbers
from biflora.values import State


def clr(shares: Numbers) -> Numbers:
    """Centred log-ratio: ln p minus the mean of ln p. Raises ValueError where a share is not above zero."""
    if np.any(shares <= 0):
        raise ValueError("clr needs shares above zero; add a pseudocount, or take rclr")
    logs = np.log(shares)
    return np.asarray(logs - logs.mean(axis=-1, keepdims=True))


def rclr(values: Numbers) -> Numbers:
    """Robust clr (Martino 2019): the clr of what was seen; NaN stands where nothing was, never a number."""
    seen = values > 0
    logs = np.where(seen, np.log(np.where(seen, values, 1.0)), 0.0)
    mean = logs.sum(axis=-1, keepdims=True) / np.maximum(seen.sum(axis=-1, keepdims=True), 1)
    return np.where(seen, logs - mean, np.nan)


def log10_ratio_of_counts(above: float, below: float) -> tuple[float, float, float]:
    """log10 of two counts' ratio with its 95 % limits: (value, low, high).

    The value is log10((x + 0.5) / (y + 0.5)); x/(x + y) has a Beta(x + 0.5, y + 0.5) posterior, whose limits p
    give log10(p / (1 - p)).
    """
    prior = setting("counting_prior")
    low, high = (float(limit[0]) for limit in beta_quantiles(INTERVAL, above + prior, below + prior))
    return math.log10((above + prior) / (below + prior)), _log_odds(low), _log_odds(high)


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-12), 1 - 1e-12)
    return math.log10(p / (1 - p))


def balances_of(guilds: tuple[GuildShare, ...], site: SiteName) -> tuple[Quantity, ...]:
    """Every balance of the site, each with its interval or with why there is no number."""
    by_key = {guild.guild: guild for guild in guilds}
    return tuple(balance(row, by_key.get(row.above), by_key.get(row.below)) for row in balances_at(site))


def log_ratio(s_aureus: GuildShare | None, cons: GuildShare | None) -> Quantity:
    """log10 of S. aureus over CoNS, with the 95 % interval of the two counts."""
    return balance(balances()["log10_s_aureus_to_cons"], s_aureus, cons)


def balance(row: Balance, above: GuildShare | None, below: GuildShare | None) -> Quantity:
    """One guild over another, log10."""
    blank = {
        "key": row.key,
        "label": row.label,
        "unit": "log10",
        "source": row.source,
        "verification": row.verification,
    }
    if above is None or below is None:
        return Quantity(**blank, state=State.NOT_MEASURED, note=f"Only for {row.site}.")
    for guild in (above, below):
        if guild.state in (State.NOT_RESOLVED, State.NOT_MEASURED):
            return Quantity(**blank, state=guild.state, note=guild.note)
    if above.state is State.BELOW_DETECTION and below.state is State.BELOW_DETECTION:
        return Quantity(**blank, state=State.BELOW_DETECTION, note="Neither was found.")
    if above.reads is None or below.reads is None:
        if above.share and below.share:
            return Quantity(
                **blank,
                value=math.log10(above.share / below.share),
                note="From shares without reads; no counting interval.",
            )
        missing = below.label if above.share else above.label
        return Quantity(
            **blank, state=State.BELOW_DETECTION, note=f"{missing}: not found, and nothing was counted."
        )
    value, low, high = log10_ratio_of_counts(above.reads, below.reads)
    if above.reads and below.reads:
        return Quantity(**blank, value=value, low=low, high=high, note="Interval from counting alone.")
    return _bound(blank, above, below, (value, low, high))


def _bound(
    blank: dict[str, str], above: GuildShare, below: GuildShare, ratio: tuple[float, float, float]
) -> Quantity:
    """With no read of one of the two only a limit of the ratio is known: its 95 % limit on that side.

    The unseen one's detection limit counts where it is the wider (relatives without a name could belong to it).
    """
    value, low, high = ratio
    unseen = below if above.reads else above
    note = f"{unseen.label}: no read, so only a limit of the ratio is known; the value stands for half a read."
    if above.reads and above.share:
        if below.detection_limit:
            low = min(low, math.log10(above.share / below.detection_limit))
        return Quantity(**blank, value=max(value, low), low=low, bound="at least", note=note)
    if above.detection_limit and below.share:
        high = max(high, math.log10(above.detection_limit / below.share))
    return Quantity(**blank, value=min(value, high), high=high, bound="at most", note=note)
