"""What is in the tube of a mock community, so that a laboratory's method can be checked with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from biflora.knowledge.rows import Row, read_table
from biflora.knowledge.taxa import Kingdom


class MockMember(Row):
    """One member of one mock community, as its maker states it."""

    mock: str
    """Key of the community; several catalogue numbers can hold the same one."""
    label: str
    catalogue: tuple[str, ...]
    species: str
    """Today's name."""
    kingdom: Kingdom
    share_dna_percent: float
    """Of the genomic DNA: what shotgun sequencing should find."""
    share_16s_percent: float | None = None
    """Of the 16S genes; 0 for a yeast, empty where the maker states none."""
    note: str = ""


def mock_members() -> Mapping[str, MockMember]:
    return read_table("mock_communities", MockMember)


@cache
def mocks() -> Mapping[str, tuple[MockMember, ...]]:
    """The members by mock community."""
    found: dict[str, tuple[MockMember, ...]] = {}
    for row in mock_members().values():
        found[row.mock] = (*found.get(row.mock, ()), row)
    return found


def find_mock(words: str) -> str | None:
    """Key of the community of that key or catalogue number, in any case; None when none fits."""
    wanted = words.strip().lower().replace(" ", "_")
    for key, members in mocks().items():
        if wanted == key or wanted in {number.lower() for number in members[0].catalogue}:
            return key
    return None


TABLES: dict[str, type[Row]] = {"mock_communities": MockMember}
