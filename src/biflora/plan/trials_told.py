"""What trials found of each arm where no model of the condition stands behind it, a sentence an arm."""

from __future__ import annotations

from biflora.plan.plan import Condition
from biflora.twin.forecast import ARM_LABELS, ARMS
from biflora.twin.pooled import pooled_effects


def trials_said(condition: Condition) -> tuple[str, ...]:
    """A line for each arm: pooled difference with intervals, k and n; which trials found none; or no trial."""
    pooled = {found.arm: found for found in pooled_effects(condition.value)}
    said = []
    for arm in ARMS:
        found = pooled.get(arm)
        if found is None:
            said.append(f"{ARM_LABELS[arm]}: no trial found.")
            continue
        against = f" No difference, or worse, in {', '.join(found.not_positive)}." if found.not_positive else ""
        said.append(f"{ARM_LABELS[arm]}: {found.words[0].lower()}{found.words[1:]}{against}")
    return tuple(said)
