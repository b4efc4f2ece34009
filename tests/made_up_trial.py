"""A made-up trial with a known effect, for tests of cohorts."""

from __future__ import annotations

import csv
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
    table, people = folder / "run.csv", folder / "people.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["taxon", *(row[0] for row in rows)])
        for place, taxon in enumerate(TAXA):
            writer.writerow([taxon, *(int(line[place]) for line in counts)])
    with people.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "person", "arm", "visit", "score"])
        writer.writerows(rows)
    return table, people
