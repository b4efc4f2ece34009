"""What one sample means, as far as rows of knowledge say so: never a diagnosis."""

from __future__ import annotations

from biflora.knowledge.meanings import holds, meanings
from biflora.profile.patient import Condition
from biflora.profile.profile import Quantity, SiteProfile
from biflora.values import State, Value


class Said(Value):
    """One sentence about one guild or quantity of the sample."""

    subject: str
    """Key of the guild or quantity."""
    label: str
    text: str
    source: str
    verification: str


def meanings_of(site: SiteProfile, condition: Condition | None = None) -> tuple[Said, ...]:
    """Every sentence that holds, in the order of the table; without a condition those told in every one and in
    atopic dermatitis."""
    told_in = condition or Condition.ATOPIC_DERMATITIS
    known: dict[str, tuple[str, State, tuple[float | None, ...]]] = {
        q.key: (q.label, q.state, (q.value, *_limit(q))) for q in site.quantities
    }
    known |= {guild.guild: (guild.label, guild.state, (guild.share,)) for guild in site.guilds}
    found = []
    for row in meanings().values():
        if row.site != site.site or row.subject not in known or (row.conditions and told_in not in row.conditions):
            continue
        label, state, values = known[row.subject]
        if row.assays and site.assay.split(" ")[0] not in row.assays:
            continue
        if all(holds(row, state=state, value=value) for value in values):
            found.append(
                Said(subject=row.subject, label=label, text=row.text, source=row.source,
                     verification=row.verification)
            )  # fmt: skip
    return tuple(found)


def _limit(quantity: Quantity) -> tuple[float, ...]:
    """The limit of a number of which only a limit is known: a sentence must hold there too."""
    found = {"at least": quantity.low, "at most": quantity.high}.get(quantity.bound)
    return () if found is None else (found,)
