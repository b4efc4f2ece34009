"""UniFrac and Faith's diversity beside published values, and ssu beside scikit-bio."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from real_tables import table_of

from biflora.errors import OperatorMust, TrialistMust
from biflora.profile.cohort import unifrac as module
from biflora.profile.cohort.unifrac import faith_diversity, unifrac
from biflora.profile.table import LabTable

TREE = "(((a:1,b:2):1,c:3):1,d:4);"


def crawford(shared: Path) -> tuple[LabTable, str]:
    import biom

    folder = shared / "format_examples/unifrac_crawford"
    table = biom.load_table(str(folder / "crawford.biom"))
    samples, taxa = [str(x) for x in table.ids()], [str(x) for x in table.ids("observation")]
    return table_of(samples, taxa, table.matrix_data.T.toarray()), (folder / "crawford.tre").read_text()


def test_by_hand() -> None:
    # s0 holds a (path 1 + 1 + 1 = 3), s1 holds b (2 + 1 + 1 = 4): shared 2, all 1 + 2 + 2 = 5; 3 / 5
    table = table_of(["s0", "s1"], ["a", "b", "c", "d"], np.array([[5.0, 0, 0, 0], [0, 2, 0, 0]]))
    assert unifrac(table, TREE).matrix[0, 1] == pytest.approx(0.6)
    # Weighted: |1 - 0| x 1 + |0 - 1| x 2 = 3; divided by the paths 3 + 4: 3 / 7
    assert unifrac(table, TREE, weighted=True, normalised=False).matrix[0, 1] == pytest.approx(3.0)
    assert unifrac(table, TREE, weighted=True).matrix[0, 1] == pytest.approx(3 / 7)
    np.testing.assert_allclose(faith_diversity(table, TREE), [3, 4])


def test_crawford_as_published(shared_data: Path) -> None:
    from skbio import TreeNode

    table, tree = crawford(shared_data)
    expected = (shared_data / "format_examples/unifrac_crawford/test.faith.exp").read_text().split("\n")
    faith = dict(zip(table.samples, faith_diversity(table, tree), strict=True))
    for line in filter(None, expected):
        sample, value = line.split("\t")
        assert faith[sample] == pytest.approx(float(value), abs=1e-6)
    assert faith["10084.PC.481"] == pytest.approx(8.268050017, abs=1e-6)
    # The values of check 6 were computed with the tree rooted at its midpoint.
    rooted = str(TreeNode.read([tree]).root_at_midpoint())
    row = unifrac(table, rooted).matrix[0]
    assert row[table.samples.index("10084.PC.593")] == pytest.approx(0.73834466, abs=5e-9)
    assert row[table.samples.index("10084.PC.356")] == pytest.approx(0.73132258, abs=5e-9)


@pytest.mark.parametrize("given", [{}, {"weighted": True}, {"weighted": True, "normalised": False}])
def test_ssu_gives_what_skbio_gives(
    shared_data: Path, given: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("ssu") is None:
        pytest.skip("ssu (unifrac-tools) is not on the PATH")
    table, tree = crawford(shared_data)
    small = unifrac(table, tree, **given)
    monkeypatch.setattr(module, "WITHOUT_SSU", 2)
    large = unifrac(table, tree, **given)
    np.testing.assert_allclose(large.matrix, small.matrix, atol=1e-8)
    assert "ssu" in large.remarks[-1]


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(["s0", "s1", "s2"], ["a", "b", "z"], np.array([[5.0, 0, 1], [0, 2, 0], [1, 1, 0]]))
    with pytest.raises(TrialistMust, match="1 of the 3 taxa are no tips"):
        unifrac(table, TREE)
    fine = table_of(["s0", "s1", "s2"], ["a", "b", "c"], np.array([[5.0, 0, 1], [0, 2, 0], [1, 1, 0]]))
    with pytest.raises(TrialistMust, match="Newick"):
        unifrac(fine, "((a,b")
    monkeypatch.setattr(module, "WITHOUT_SSU", 2)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(OperatorMust, match="unifrac-tools"):
        unifrac(fine, TREE)
    monkeypatch.undo()
    empty = table_of(["s0", "s1"], ["a", "b"], np.array([[5.0, 0], [0, 0]]))
    with pytest.raises(TrialistMust, match="no reads"):
        unifrac(empty, TREE)


def test_a_tree_without_root_is_rooted_and_says_so() -> None:
    table = table_of(["s0", "s1"], ["a", "b", "c"], np.array([[5.0, 0, 0], [0, 2, 1]]))
    found = unifrac(table, "(a:1,b:2,c:3);")
    assert "rooted at its midpoint" in found.remarks[0]
