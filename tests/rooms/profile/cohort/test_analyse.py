"""A whole cohort: a made-up trial whose answer is known, and the real atopic children."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biflora.errors import TrialistMust
from biflora.profile.cohort.analyse import analyse_cohort
from biflora.profile.cohort.cohort import Question
from biflora.profile.cohort.taxon_table import dense, taxon_table
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.table import Feature, LabTable, from_dense
from made_up_trial import made_up_trial


def asked(**changed: object) -> Question:
    return Question.model_validate(
        {"formula": "arm * C(visit)", "site": "skin", "subject": "person", "time": "visit", "against": ("score",),
         "permutations": 199} | changed
    )  # fmt: skip


def test_a_known_effect_is_found_where_it_is(tmp_path: Path) -> None:
    found = analyse_cohort(*made_up_trial(tmp_path), asked())
    assert (found.samples, found.persons, found.not_done) == (48, 16, ())
    assert found.permanova is not None
    assert found.permanova.row("arm:visit").p <= 0.02  # the arms part after visit 1
    assert found.guilds is not None
    [change] = [row for row in found.guilds.rows if row.term == "arm: B against A, change from visit 1 to 3"]
    # S. aureus falls 8-fold: log10(1/8) = -0.90 in the ratio to the commensal staphylococci
    assert change.low < -0.90 < change.high
    assert change.p < 0.01
    aureus = next(row for row in found.associations if row.quantity == "s_aureus")
    assert aureus.spearman > 0.8  # the score was made from it
    assert aureus.within > 0.8
    assert found.taxa is not None
    robust = {row.outcome for row in found.sensitivity if row.verdict == "robust" and "B against A" in row.term}
    assert "Staphylococcus aureus" in robust


def test_no_effect_is_not_found(tmp_path: Path) -> None:
    found = analyse_cohort(*made_up_trial(tmp_path, fold=1.0), asked())
    assert found.permanova is not None
    assert found.permanova.row("arm:visit").p > 0.05
    assert not [row for row in found.sensitivity if row.verdict == "robust" and "B against A" in row.term]


def test_the_host_is_left_out_and_names_are_added_up() -> None:
    names = ("Homo sapiens", "Propionibacterium acnes", "Cutibacterium acnes", "Xyz q")
    features = tuple(Feature(name) for name in names)
    matrix = np.array([[50.0, 1.0, 2.0, 0.0], [9.0, 0.0, 4.0, 0.0]])
    table = LabTable("t", "f", "b", ("a", "b"), features, *from_dense(("a", "b"), matrix), has_counts=True)
    species = taxon_table(table, ("b", "a"), "species")
    assert [f.name for f in species.features] == [
        "Cutibacterium acnes"
    ]  # old and new name together; Xyz q: no read
    assert dense(species).tolist() == [[4.0], [3.0]]
    assert [f.name for f in taxon_table(table, ("a",), "feature").features] == [
        "Propionibacterium acnes", "Cutibacterium acnes",
    ]  # fmt: skip


def test_a_design_whose_p_would_mean_nothing_is_refused(tmp_path: Path) -> None:
    files = made_up_trial(tmp_path)
    with pytest.raises(TrialistMust, match="whom the samples come from"):
        analyse_cohort(*files, asked(subject=None))
    with pytest.raises(TrialistMust):  # persons have three samples each
        analyse_cohort(*files, asked(subject=None, independent_samples=True))
    with pytest.raises(TrialistMust, match="tree"):
        analyse_cohort(*files, asked(distance="weighted_unifrac"))
    with pytest.raises(TrialistMust, match="six"):
        analyse_cohort(*files, asked(where={"person": ("p1",)}))


def test_loads_below_their_limit_are_censored_and_the_limit_may_be_a_column(tmp_path: Path) -> None:
    table, people = made_up_trial(tmp_path)
    lines = people.read_text().splitlines()
    header, rows = lines[0], lines[1:]
    random = np.random.default_rng(3)
    out = [f"{header},load"]
    for line in rows:
        _, _, arm, visit, _ = line.split(",")
        value = 4.0 - (1.5 if arm == "B" and visit != "1" else 0.0) + random.normal(0, 0.4)
        out.append(f"{line},{max(value, 3.0):.3f}")  # values below 3.0 are printed as the limit
    people.write_text("\n".join(out) + "\n")
    found = analyse_cohort(table, people, asked(loads={"load": "3.0"}))
    assert found.loads is not None
    [row] = [r for r in found.loads.censored.rows if r.term == "arm: B against A, change from visit 1 to 3"]
    assert row.low < -1.5 < row.high  # the truth
    [half] = [r for r in found.loads.at_limit.rows if r.term == "arm: B against A, change from visit 1 to 3"]
    assert half.estimate > row.estimate  # the limit put in for what lies below it hides part of the fall


def test_unifrac_and_faith_need_features_and_a_tree(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "format_examples/unifrac_crawford"
    table = folder / "crawford.biom"
    names = read_laboratory_file(table).table.samples
    people = tmp_path / "people.csv"
    people.write_text(
        "sample,diet\n" + "".join(f"{n},{'fast' if i % 2 else 'fed'}\n" for i, n in enumerate(names))
    )
    found = analyse_cohort(
        table, people,
        Question(formula="diet", site="gut", independent_samples=True, distance="unweighted_unifrac",
                 tree=str(folder / "crawford.tre"), rank="feature", depth=100),
    )  # fmt: skip
    assert "faith_pd" in found.alpha_values
    assert found.permanova is not None


def test_real_children(shared_data: Path) -> None:
    """Khadka 2021: child 9 stands in the other arm at visit 5, so that column is refused with that visit."""
    folder = shared_data / "ad_skin_trial_khadka2021"
    files = (folder / "sample_per_timepoint_no_forearm.csv", folder / "meta_sample_per_timepoint_no_forearm.csv")
    question = Question(
        formula="ChlorineBath + C(Visit)", site="skin", subject="Subject", time="Visit", against=("ScoradTotal",)
    )
    with pytest.raises(TrialistMust, match="An arm never changes"):
        analyse_cohort(*files, question)
    found = analyse_cohort(*files, question.model_copy(update={"where": {"Visit": ("1", "2", "3", "4")}}))
    aureus = next(row for row in found.associations if row.quantity == "s_aureus")
    assert 0.4 < aureus.spearman < 0.9  # seen 0.70; a meta-analysis of seven trials has r .42 (.31 to .52)
    assert aureus.within_low > 0.0
    yeast = next(seen for seen in found.seen if seen.guild == "malassezia")
    assert yeast.not_measured == found.samples  # said, never zero
    assert any("shares without reads" in text for text in found.not_done)
