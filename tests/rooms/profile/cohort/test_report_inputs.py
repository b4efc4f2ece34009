"""What a cohort's report leans on: which samples are used, columns of scores, trees, reads, further ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_tables import made_up, table_of

from biflora.errors import LaboratoryMust, NameAnother, TrialistMust
from biflora.profile.cohort.analyse import analyse_cohort
from biflora.profile.cohort.cohort import Question
from biflora.profile.cohort.scores import scores_of
from biflora.profile.cohort.tested_taxa import reads_differ
from biflora.profile.cohort.tree import read_tree
from biflora.profile.cohort.usable import usable


def test_samples_left_out_are_counted_by_reason_and_nothing_is_said_of_none() -> None:
    table = table_of([f"s{k}" for k in range(10)], ["a", "b"], np.array([[1.0, 2.0]] * 9 + [[0.0, 0.0]]))
    rows = made_up(arm=["x", "y"] * 4 + ["", "y"], visit=["1"] * 8 + ["1", "2"])
    kept, said = usable(table, rows, Question(formula="arm", site="skin", independent_samples=True))
    assert kept.samples == tuple(f"s{k}" for k in range(8))
    assert said == ("1 sample without a read", "1 sample without a value of arm")
    asked = Question(formula="arm", site="skin", independent_samples=True, where={"visit": ("1",)})
    assert usable(table, rows, asked)[1] == said  # nobody is left out by the visit, so nothing is said of it
    few = asked.model_copy(update={"where": {"visit": ("2",)}})
    with pytest.raises(TrialistMust, match="Only 0 samples"):
        usable(table, rows, few)


def test_a_score_with_a_few_words_is_used_and_they_are_counted() -> None:
    rows = made_up(score=["1", "NR", "", "2.5", "3", "4"], arm=list("ababab"))
    numbers, said = scores_of(rows, "score")
    np.testing.assert_array_equal(numbers, [1.0, np.nan, np.nan, 2.5, 3.0, 4.0])
    assert said.startswith("1 of its cells hold words")
    with pytest.raises(NameAnother, match="no numbers"):
        scores_of(rows, "arm")


def test_a_tree_is_read_from_newick_and_from_qiime(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "moving_pictures_qiime2"
    tree = read_tree(folder / "rooted-tree.qza")
    assert tree.strip().startswith("(")
    assert tree.strip().endswith(";")
    plain = tmp_path / "tree.nwk"
    plain.write_text("((a:1,b:2):1,c:3);")
    assert read_tree(plain) == "((a:1,b:2):1,c:3);"
    with pytest.raises(NameAnother, match="no rooted tree"):
        read_tree(folder / "table.qza")
    damaged = tmp_path / "cut.qza"
    damaged.write_bytes((folder / "rooted-tree.qza").read_bytes()[:2000])
    with pytest.raises(LaboratoryMust):
        read_tree(damaged)
    with pytest.raises(NameAnother, match="cannot be read"):
        read_tree(tmp_path / "absent.nwk")


def test_reads_that_differ_with_the_groups_are_told_from_threefold_on() -> None:
    rows = made_up(arm=list("aabb"))
    apart = table_of([f"s{k}" for k in range(4)], ["t"], np.array([[1000.0], [1200.0], [3300.0], [3300.0]]))
    near = table_of([f"s{k}" for k in range(4)], ["t"], np.array([[1000.0], [1200.0], [3200.0], [3200.0]]))
    assert "1,100 at the median in a, 3,300 in b" in reads_differ(apart, rows, "arm")
    assert reads_differ(near, rows, "arm") == ""  # 3,200 / 1,100 = 2.9
    assert reads_differ(apart, rows, "") == ""


def test_real_children_whose_groups_differ_in_reads(shared_data: Path) -> None:
    """57 children, one skin site; the authors' own table has S. aureus higher in atopic children, all else lower.

    Their libraries hold 16 times fewer reads than the controls'. Much depends on the filling of zeros, what
    is robust is few, and S. aureus is among them, found by ANCOM-BC too.
    """
    folder = shared_data / "ad_skin_shotgun_csb5_bracken"
    found = analyse_cohort(
        folder / "bracken_species_counts.biom", folder / "sample_metadata_counts.tsv",
        Question(formula="C(child_disease_state)", site="skin", independent_samples=True, permutations=99,
                 where={"body_region": ("AC",), "sample_category": ("child",)}, also_at=("genus",)),
    )  # fmt: skip
    assert (found.samples, found.persons) == (57, 57)
    assert any(text.startswith("Reads differ with child_disease_state: 151,") for text in found.asked_words)
    term = "child_disease_state: 1 against 0"
    verdicts = {row.outcome: row.verdict for row in found.sensitivity}
    robust = {name for name, verdict in verdicts.items() if verdict == "robust"}
    assert "Staphylococcus aureus" in robust
    assert len(robust) < sum(verdict == "depends on the pseudocount" for verdict in verdicts.values())
    assert found.taxa is not None
    assert found.taxa.row("Staphylococcus aureus", term).low > 0
    assert found.second_opinion is not None
    assert found.second_opinion.row("Staphylococcus aureus", term).p_adjusted <= 0.05
    [genus] = found.other_ranks
    assert genus.rank == "genus"
    assert len(genus.taxa.rows) < len(found.taxa.rows)
