"""What a cohort's report says at its head and of its taxa, against counts made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from biflora.papers.charts_cohort import forest, groups_of, over_visits, p_words
from biflora.papers.cohort import cohort_html
from biflora.papers.cohort_content import CohortContent, cohort_content
from biflora.profile.cohort.analyse import analyse_cohort
from biflora.profile.cohort.cohort import Question
from made_up_trial import made_up_trial

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def content_of(folder: Path, **changed: object) -> CohortContent:
    asked = {"formula": "arm * C(visit)", "site": "skin", "subject": "person", "time": "visit", "permutations": 99}
    question = Question.model_validate(asked | {"against": ("score",)} | changed)
    return cohort_content(analyse_cohort(*made_up_trial(folder), question), made_at=NOW)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> CohortContent:
    return content_of(tmp_path_factory.mktemp("report"), change_from="1")


def test_every_taxon_that_was_tested_counts_not_only_the_drawn_ones() -> None:
    rows = [(f"t{k}", 1.0, 0.5, 1.5, 0.001 if k < 60 else 0.5, "robust" if k < 10 else "") for k in range(100)]
    [chart] = forest("x", "Taxa", "log2", rows)
    assert chart.sentence.startswith("60 of 100 taxa differ at 5 % false discoveries, 10 of them whatever")
    assert "24 with the smallest p are drawn, 40 listed" in chart.sentence
    assert len(chart.rows) == 40
    assert forest("x", "Taxa", "log2", []) == []


def test_the_head_tells_scores_distances_ratios_diversity_and_taxa(content: CohortContent) -> None:
    text = " ".join(content.in_short)
    assert "Staphylococcus aureus rises with score" in text
    assert "within persons over time" in text
    assert "arm:visit explains" in text
    assert "How far persons moved from visit 1: arm p" in text
    assert "arm: B against A, change from visit 1 to 3: difference −0." in text
    assert "change from visit 1 to 2" not in text  # the last visit only
    assert "taxa differ (arm: B against A, change from visit 1 to 3" in text
    assert "= <" not in text


def test_places_of_one_visit_are_not_called_time(tmp_path: Path) -> None:
    # the made-up visits stand for places here: within persons, but not over time
    text = " ".join(content_of(tmp_path, formula="arm", time=None).in_short)
    assert "within persons" in text
    assert "over time" not in text


def test_tables_say_once_what_all_their_rows_share(content: CohortContent) -> None:
    diversity = next(grid for grid in content.models if grid.title.startswith("Alpha diversity"))
    assert diversity.columns[1] == "Difference in change by arm"
    assert [row[:2] for row in diversity.rows[:2]] == [
        ("Shannon diversity (nats)", "B against A, visit 1 to 2"),
        ("Shannon diversity (nats)", "B against A, visit 1 to 3"),
    ]  # fmt: skip
    assert "Status" not in diversity.columns or any(row[-1] != "fitted" for row in diversity.rows)
    permanova = content.permanova
    assert permanova is not None
    assert permanova.columns[5] == "F that p is about"  # an interaction's p belongs to another F than vegan's
    assert len({len(row) for row in permanova.rows}) == 1
    far, tested = content.moved
    assert [row[:2] for row in far.rows] == [("A", "2"), ("A", "3"), ("B", "2"), ("B", "3")]
    assert tested.rows[0][0] == "arm"


def test_the_page_holds_all_of_it(content: CohortContent) -> None:
    html = cohort_html(content)
    for words in ("Each group of arm stands against A", "Found at 5 % false discoveries", "over-visits-shannon",
                  "How far each person moved from visit 1"):  # fmt: skip
        assert words in html


def test_many_groups_get_marks_of_their_own_and_names_survive_quotes() -> None:
    groups = [f"g{k:02}" for k in range(20)]
    chart = over_visits("x", "t", "u", [1.0] * 40, groups * 2, ["1"] * 20 + ["2"] * 20, "g", "v")
    assert len(chart.rows) == 40
    assert groups_of(["b", "", "Oral", "standard care"]) == ["standard care", "Oral", "b", "not told"]
    [drawn] = forest("q", "t", "u", [("Candidatus 'x' \\ y", 1.0, 0.0, 2.0, 0.5, "")])
    assert "Candidatus x  y" in drawn.svg
    assert p_words(0.0004) == "< 0.001"


def test_samples_without_a_value_are_told_beside_the_estimate(tmp_path: Path) -> None:
    """6,000 reads less the host's: some have fewer than 5,000, and the sentence says how many are left."""
    cohort = analyse_cohort(
        *made_up_trial(tmp_path),
        Question(formula="arm", site="skin", subject="person", permutations=19, depth=5000),
    )
    assert cohort.alpha is not None
    used = cohort.alpha.rows[0].samples
    assert 6 < used < 48
    [shannon] = [t for t in cohort_content(cohort, made_at=NOW).in_short if t.startswith("Shannon")]
    assert f"({used} of 48 samples have a value; the others may differ)" in shannon
