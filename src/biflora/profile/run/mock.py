"""A mock community that was sequenced beside the patients: what the laboratory's method loses, adds and bends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from biflora.errors import NameAnother
from biflora.knowledge.mock_communities import MockMember, find_mock, mocks
from biflora.knowledge.taxa import find_taxon, limit, quality_limits
from biflora.profile.composition import Composition, compose
from biflora.profile.names import Named
from biflora.profile.table import LabTable, listed
from biflora.values import Finding, Level, State, Value, Who


class MockMemberSeen(Value):
    """One member: what is in the tube and what the table holds, as shares of all members, 0-1."""

    species: str
    expected: float
    seen: float
    fold: float | None = None
    """Seen over expected; None when nothing was seen."""
    state: State
    """`not measured` where the assay is blind to it."""
    could_be_seen: bool
    """False where so little was expected that this depth could miss it."""


class MockCheck(Value):
    """How a named mock sample compares with what its maker states."""

    file_name: str
    sample: str
    mock: str
    label: str
    by: str
    """The figures used, 16S genes or genomic DNA, and the rank at which names were compared."""
    members: tuple[MockMemberSeen, ...]
    missing: tuple[str, ...]
    unexpected: tuple[tuple[str, float], ...]
    """Taxa that are no members, with their share of all reads, largest first."""
    unexpected_share: float
    mean_fold_error: float | None
    """Geometric mean of the members' fold errors, 1 is perfect."""
    aitchison_distance: float | None
    """Between seen and expected, over the members that this depth could see; half a read for one unseen."""
    findings: tuple[Finding, ...]
    source: str
    verification: str


@dataclass(frozen=True)
class _Matched:
    expected: np.ndarray
    seen: np.ndarray
    is_member: np.ndarray
    """Of each feature in the sample, whether it belongs to any member."""


def check_mock(table: LabTable, sample: str, mock: str | None = None) -> MockCheck:
    """The check of one sample; without `mock` the community whose members it shows.

    Raises NameAnother when the community is unknown, or none fits the sample.
    """
    composition = compose(table, table.choose(sample))
    if composition is None:
        raise NameAnother(f"{table.file_name}: the mock sample holds no microbial read; name another sample.")
    key = _named(composition, mock)
    by_16s = table.assay.startswith("16S")
    by_genus = by_16s or not any(name.rank == "species" for name in composition.named)
    members = tuple(row for row in mocks()[key] if not by_16s or row.share_16s_percent != 0)
    blind = [row for row in members if row.kingdom == "fungi" and not _sees_fungi(composition)]
    visible = tuple(row for row in members if row not in blind)
    matched = _match(composition, visible, by_16s=by_16s, by_genus=by_genus)
    of_members = float(matched.seen.sum())
    depth = composition.total * (of_members or 1.0) if composition.has_counts else math.inf
    found = [
        MockMemberSeen(
            species=row.species,
            expected=float(expected),
            seen=float(seen / of_members) if seen > 0 else 0.0,
            fold=float(seen / of_members / expected) if seen > 0 else None,
            state=State.MEASURED if seen > 0 else State.BELOW_DETECTION,
            could_be_seen=bool(seen > 0 or expected * depth >= limit("rule_of_three")),
        )
        for row, expected, seen in zip(visible, matched.expected, matched.seen, strict=True)
    ]
    found += [
        MockMemberSeen(species=row.species, expected=0.0, seen=0.0, state=State.NOT_MEASURED, could_be_seen=False)
        for row in blind
    ]
    strangers = _strangers(composition, matched)
    check = MockCheck(
        file_name=table.file_name,
        sample=composition.sample,
        mock=key,
        label=members[0].label,
        by=("16S genes" if by_16s else "genomic DNA") + (", by genus" if by_genus else ", by species"),
        members=tuple(found),
        missing=tuple(m.species for m in found if m.could_be_seen and m.seen == 0),
        unexpected=strangers,
        unexpected_share=float(sum(share for _, share in strangers)),
        mean_fold_error=_mean_fold_error(found),
        aitchison_distance=_aitchison(found, depth),
        findings=(),
        source=members[0].source,
        verification=members[0].verification,
    )
    return check.model_copy(update={"findings": _findings(check)})


def _named(composition: Composition, mock: str | None) -> str:
    if mock is not None:
        key = find_mock(mock)
        if key is None:
            raise NameAnother(f"There is no mock community of that name; biflora knows {listed(sorted(mocks()))}.")
        return key
    genera = {_first_genus(name.genus) for name in composition.named}
    fits = {
        key: float(np.mean([row.species.split(" ")[0] in genera for row in rows if row.kingdom != "fungi"]))
        for key, rows in mocks().items()
    }
    best = max(fits, key=lambda key: fits[key])
    if fits[best] < limit("mock_recognised"):
        raise NameAnother(
            f"{composition.table.file_name}: the sample shows the members of no mock community that biflora knows "
            f"(at best {100 * fits[best]:.0f} % of those of {best}); name it, or leave it out of the check."
        )
    return best


def _first_genus(genus: str) -> str:
    """`Escherichia-Shigella`, as SILVA writes, counts as its first genus."""
    return genus.split("-")[0]


def _sees_fungi(composition: Composition) -> bool:
    return composition.table.names_fungi or any(name.kingdom == "fungi" for name in composition.named)


def _match(composition: Composition, members: tuple[MockMember, ...], *, by_16s: bool, by_genus: bool) -> _Matched:
    """Expected shares of the members and the shares of all reads that carry their name."""
    wanted = [_names_of(row.species) for row in members]
    stated = [row.share_16s_percent if by_16s else row.share_dna_percent for row in members]
    expected = np.array([value or 0.0 for value in stated])
    seen = np.zeros(len(members))
    is_member = np.zeros(len(composition.named), dtype=bool)
    for place, (name, share) in enumerate(zip(composition.named, composition.shares, strict=True)):
        # Old names last: Clostridioides difficile was once a Clostridium, and another member still is one.
        for old in (False, True):
            hits = [i for i, names in enumerate(wanted) if _is_it(name, names[1:] if old else names[:1], by_genus)]
            if hits:
                seen[hits[0]] += share
                is_member[place] = True
                break
    return _Matched(expected=expected / expected.sum(), seen=seen, is_member=is_member)


def _is_it(name: Named, species: tuple[str, ...], by_genus: bool) -> bool:
    """Whether the feature is one of these names: by genus, or a species with its strains, or the bare genus."""
    for each in species:
        if _first_genus(name.genus) == each.split(" ")[0] and (
            by_genus or name.name == each or name.rank == "genus" or name.name.startswith(f"{each} ")
        ):
            return True
    return False


def _names_of(species: str) -> tuple[str, ...]:
    """Today's name first, then the old ones."""
    row = find_taxon(species)
    return (row.name, *row.synonyms) if row is not None else (species,)


def _strangers(composition: Composition, matched: _Matched) -> tuple[tuple[str, float], ...]:
    sums: dict[str, float] = {}
    for name, share, member in zip(composition.named, composition.shares, matched.is_member, strict=True):
        if not member:
            sums[name.name] = sums.get(name.name, 0.0) + float(share)
    return tuple(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _mean_fold_error(members: list[MockMemberSeen]) -> float | None:
    folds = [abs(math.log(member.fold)) for member in members if member.fold]
    return math.exp(float(np.mean(folds))) if folds else None


def _aitchison(members: list[MockMemberSeen], depth: float) -> float | None:
    """Euclidean distance of the centred log-ratios; a member unseen counts half a read."""
    judged = [member for member in members if member.could_be_seen]
    if len(judged) < 2 or (math.isinf(depth) and any(member.seen == 0 for member in judged)):
        return None
    seen = np.array([max(member.seen, 0.5 / depth if depth < math.inf else member.seen) for member in judged])
    ratio = np.log(seen) - np.log([member.expected for member in judged])
    return float(np.linalg.norm(ratio - ratio.mean()))


def _findings(check: MockCheck) -> tuple[Finding, ...]:
    found = []
    if check.missing:
        found.append(
            _finding(
                "warn", "mock_missing", check.missing[0],
                f"The mock community lacks {listed(check.missing)}, which this depth should have shown: the "
                "method loses them, so their absence in a patient's sample means nothing.", "rule_of_three",
            )
        )  # fmt: skip
    fold = limit("mock_fold")
    bent = [m for m in check.members if m.fold is not None and not 1 / fold <= m.fold <= fold]
    if bent:
        bent.sort(key=lambda member: -abs(math.log(member.fold or 1)))
        names = ", ".join(f"{member.species} {member.fold:.2g}-fold" for member in bent[:4])
        found.append(
            _finding(
                "warn", "mock_bent", bent[0].species,
                f"{len(bent)} of {len(check.members)} members are seen at less than half or more than twice their "
                f"share ({names}): shares of the same taxa in patients carry that error too.", "mock_fold",
            )
        )  # fmt: skip
    if check.unexpected_share > limit("mock_unexpected"):
        names = ", ".join(f"{name} {100 * share:.1f} %" for name, share in check.unexpected[:4])
        found.append(
            _finding(
                "warn", "mock_unexpected", check.unexpected[0][0],
                f"{100 * check.unexpected_share:.1f} % of the mock sample's reads are no members ({names}): "
                "contamination, index hopping or wrong names.", "mock_unexpected",
            )
        )  # fmt: skip
    if not found:
        found.append(
            _finding(
                "note", "mock_passed", check.label,
                f"All members of the mock community were seen within {fold:g}-fold of their share.", "mock_fold",
            )
        )  # fmt: skip
    return tuple(found)


def _finding(level: Level, rule: str, subject: str, message: str, key: str) -> Finding:
    row = quality_limits()[key]
    return Finding(
        level=level, rule=rule, subject=subject, message=message, who=Who.LABORATORY, source=row.source,
        verification=row.verification,
    )  # fmt: skip
