"""A made-up trial with a known effect, for tests of cohorts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

TAXA = (
    "Staphylococcus aureus", "Staphylococcus epidermidis", "Cutibacterium acnes", "Corynebacterium striatum",
    "Streptococcus mitis", "Micrococcus luteus", "Homo sapiens",
)  # fmt: skip


def made_up_trial(folder: Path, *, fold: float = 8.0, persons: int = 16) -> tuple[Path, Path]:
    """Two arms, three visits; from visit 2 on S. aureus falls `fold`-fold in arm B; severity follows S. aureus."""
    random = np.random.default_rng(11)
    counts, rows = [], []
    for person in range(persons):
        arm = "A" if person < persons // 2 else "B"
        own = random.gamma(2.0, size=len(TAXA))
        own[0] *= 4.0
        for visit in (1, 2, 3):
            mean = own.copy()
            if arm == "B" and visit > 1:
                mean[0] /= fold
            share = random.dirichlet(60 * mean / mean.sum() + 0.3)
            counts.append(random.multinomial(6000, share))
            rows.append((f"p{person}v{visit}", f"p{person}", arm, visit, 10 + 60 * share[0] + random.normal(0, 2)))
    return written(folder, "run.csv", TAXA, counts, rows, "score")


FOUR_ARMS = ("standard care", "oral", "topical", "both")
LOG10_FALL = {"standard care": 0.0, "oral": 0.0, "topical": 0.8, "both": 1.2}
"""By how much S. aureus reads over commensal ones fall from visit 1 to visit 4 (half of it at visits 2 and 3)."""
LATE = {1: 0.0, 2: 0.5, 3: 0.5, 4: 1.0}


OTHERS = (
    "Acinetobacter", "Actinomyces", "Aerococcus", "Anaerococcus", "Bifidobacterium", "Brachybacterium",
    "Brevibacterium", "Brevundimonas", "Campylobacter", "Chryseobacterium", "Corynebacterium", "Cutibacterium",
    "Deinococcus", "Dermabacter", "Dermacoccus", "Dialister", "Enterococcus", "Finegoldia", "Fusobacterium",
    "Gemella", "Granulicatella", "Haemophilus", "Janibacter", "Kocuria", "Lactobacillus", "Lawsonella",
    "Microbacterium", "Micrococcus", "Moraxella", "Neisseria", "Paracoccus", "Peptoniphilus", "Prevotella",
    "Pseudomonas", "Rothia", "Sphingomonas", "Streptococcus", "Veillonella",
)  # fmt: skip


def four_arm_trial(folder: Path, *, persons_an_arm: int = 12) -> tuple[Path, Path]:
    """Four arms, four visits; only S. aureus changes, by `LOG10_FALL`; loads (log10) fall by as much.

    The column `load` is printed as 2.0 where the load lies below that limit. Samples have about 8,000 reads.
    """
    random = np.random.default_rng(26)
    names = ["Staphylococcus aureus", "Staphylococcus epidermidis", *OTHERS]
    taxa = len(names)
    counts, rows = [], []
    for arm in FOUR_ARMS:
        for number in range(persons_an_arm):
            person = f"{arm[0]}{number}"
            own = random.normal(0.0, 1.0, taxa)
            own[:2] += 1.5
            load = random.normal(4.0, 0.6)
            for visit, part in LATE.items():
                logs = own + random.normal(0.0, 0.35, taxa)
                logs[0] -= LOG10_FALL[arm] * part * np.log(10.0)
                share = np.exp(logs) / np.exp(logs).sum()
                counts.append(random.multinomial(8000, share))
                seen = load - LOG10_FALL[arm] * part + random.normal(0.0, 0.3)
                rows.append((f"{person}v{visit}", person, arm, visit, round(max(seen, 2.0), 3)))
    return written(folder, "four.csv", names, counts, rows, "load")


def written(
    folder: Path, name: str, taxa: Sequence[str], counts: Sequence[np.ndarray], rows: Sequence[tuple], last: str
) -> tuple[Path, Path]:
    """The counts with taxa in rows, and what is known of each sample; `last`: the name of its last column."""
    table, people = folder / name, folder / "people.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["taxon", *(row[0] for row in rows)])
        for place, taxon in enumerate(taxa):
            writer.writerow([taxon, *(int(line[place]) for line in counts)])
    with people.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "person", "arm", "visit", last])
        writer.writerows(rows)
    return table, people
