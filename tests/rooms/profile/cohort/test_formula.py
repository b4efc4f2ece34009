"""Formulas: what passes, what it means, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from real_tables import made_up

from biflora.errors import NameAnother, TrialistMust
from biflora.profile.cohort.formula import read_model
from biflora.profile.cohort.mixed_design import mixed_design

ROWS = made_up(
    arm=["a", "b", "a", "b", "c", "c"],
    visit=[1, 1, 2, 2, 3, 3],
    **{"age at entry": [30, 31, 32.5, 40, 41, 50], "empty": ["", "x", "", "y", "x", "x"], "same": ["z"] * 6},
)


def test_columns_of_groups_and_numbers() -> None:
    model = read_model("~ arm * C(visit) + `age at entry`", ROWS)
    assert [term.name for term in model.terms] == ["arm", "visit", "age at entry", "arm:visit"]
    # three groups give two columns, the interaction 2 x 2, the number itself one
    assert [term.columns.shape[1] for term in model.terms] == [2, 2, 1, 4]
    np.testing.assert_array_equal(model.terms[0].columns, [[0, 0], [1, 0], [0, 0], [1, 0], [0, 1], [0, 1]])
    assert model.variables["visit"].levels == ("1", "2", "3")
    assert not model.variables["age at entry"].is_groups
    assert read_model("visit", ROWS).terms[0].columns[:, 0].tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("arm + __import__('os').system('true')", "'__import__'"),
        ("arm + log(visit)", "'log'"),
        ("arm + visit ** 2", "'2' is none of these"),
        ("arm - visit", "'-' is none of these"),
        ("arm + 0", "'0' is none of these"),
        ("distance ~ arm", "only what explains"),
        ("", "names no column"),
        ("arm + (visit", "cannot be read"),
        ("arms", "the nearest are arm"),
        ("arm:C(visit)", "without its main effects"),
        ("empty", "missing in 2 of 6 rows"),
        ("same", "same in every row"),
        ("arm" * 200, "500 characters"),
    ],
)
def test_what_is_refused(formula: str, words: str) -> None:
    with pytest.raises(TrialistMust) as told:
        read_model(formula, ROWS)
    assert words in str(told.value)


def test_a_name_of_every_sample_is_no_factor() -> None:
    rows = made_up(name=[f"person {place}" for place in range(300)])
    with pytest.raises(TrialistMust, match="300 groups"):
        read_model("name", rows)


def test_a_name_with_dots_is_one_column_for_both_readers() -> None:
    """As R and phyloseq write names; the permutations and the models must read one formula alike."""
    rows = made_up(**{"Body.Site": ["L", "R"] * 4, "visit.no": [1, 1, 2, 2, 3, 3, 5, 5]})
    permuted = read_model("Body.Site + visit.no", rows)
    modelled = mixed_design("Body.Site + visit.no + (1 | `Body.Site`)", rows)
    assert [term.name for term in permuted.terms] == ["Body.Site", "visit.no"]
    assert modelled.terms == ("Intercept", "Body.Site[T.R]", "visit.no")
    assert np.array_equal(modelled.matrix[:, 1:], np.hstack([term.columns for term in permuted.terms]))


def test_dots_reach_into_nothing() -> None:
    rows = made_up(visit=[1, 2, 3, 4])
    for formula in ("log10(visit.__class__)", "visit.mean", "np.linalg + visit"):
        with pytest.raises(NameAnother, match="no column"):
            mixed_design(formula, rows)
