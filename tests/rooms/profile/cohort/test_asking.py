"""Arms against their control over time: a four-arm trial whose truth is known; what is asked of other designs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from real_tables import made_up

from biflora.errors import NameAnother
from biflora.profile.cohort.analyse import analyse_cohort
from biflora.profile.cohort.asking import what_is_asked
from biflora.profile.cohort.cohort import Cohort, Question
from biflora.profile.cohort.contrasts import Contrast, weights_of
from biflora.profile.cohort.mixed import fit_mixed
from biflora.profile.cohort.mixed_design import mixed_design
from biflora.profile.cohort.model_table import ModelTable
from biflora.profile.cohort.multiplicity import dunnett
from biflora.profile.cohort.outcome_models import adjusted_over_contrasts
from biflora.profile.metadata import Metadata
from made_up_trial import LATE, LOG10_FALL, four_arm_trial


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return four_arm_trial(tmp_path_factory.mktemp("four"))


def question(**changed: object) -> Question:
    return Question.model_validate(
        {"formula": "arm * C(visit)", "site": "skin", "subject": "person", "time": "visit", "permutations": 99}
        | changed
    )  # fmt: skip


@pytest.fixture(scope="module")
def trial(files: tuple[Path, Path]) -> Cohort:
    return analyse_cohort(*files, question(change_from="1"))


def name(arm: str, visit: int) -> str:
    return f"arm: {arm} against standard care, change from visit 1 to {visit}"


def holds_the_truth(table: ModelTable, visits: tuple[int, ...]) -> None:
    [outcome] = {row.outcome for row in table.rows}
    arms = ("both", "oral", "topical")
    assert [row.term for row in table.rows] == [name(arm, visit) for arm in arms for visit in visits]
    for arm in arms:
        for visit in visits:
            row = table.row(outcome, name(arm, visit))
            # several intervals of 95 % each; a tenth of log10 to spare for the one that may miss
            assert row.low - 0.1 < -LOG10_FALL[arm] * LATE[visit] < row.high + 0.1, (arm, visit, row.estimate)
    found = {arm: table.row(outcome, name(arm, 4)).p_adjusted for arm in arms}
    assert found["both"] < 0.01
    assert found["topical"] < 0.01
    assert found["oral"] > 0.05  # it does nothing


def test_ratios_hold_the_truth_of_every_arm_and_visit(trial: Cohort) -> None:
    assert trial.guilds is not None
    holds_the_truth(trial.guilds, (2, 3, 4))
    gate = max(row.p_adjusted for row in trial.guilds.rows if row.term.endswith("to 4"))
    # the oral arm fails at visit 4, so no earlier visit is opened in any arm
    assert min(row.p_adjusted for row in trial.guilds.rows if not row.term.endswith("to 4")) >= gate


def test_censored_loads_hold_the_truth_of_every_arm(files: tuple[Path, Path]) -> None:
    found = analyse_cohort(
        *files, question(loads={"load": "2.0"}, where={"visit": ("1", "4")}, permutations=19)
    )  # fmt: skip
    assert found.loads is not None
    holds_the_truth(found.loads.censored, (4,))


def test_taxa_are_asked_at_the_last_visit_and_only_s_aureus_changes(trial: Cohort) -> None:
    assert trial.taxa is not None
    assert {row.term for row in trial.taxa.rows} == {name(arm, 4) for arm in ("both", "oral", "topical")}
    hits = {(row.outcome, row.term) for row in trial.taxa.rows if row.p_adjusted <= 0.05}
    assert hits == {("Staphylococcus aureus", name(arm, 4)) for arm in ("both", "topical")}
    both = trial.taxa.row("Staphylococcus aureus", name("both", 4))
    assert both.low < -1.2 / np.log10(2.0) < both.high  # log2 of the same fall


def test_persons_moved_further_where_s_aureus_fell(trial: Cohort) -> None:
    assert trial.moved is not None
    far = {(group.group, group.time): group.median for group in trial.moved.groups}
    assert far["both", "4"] > far["standard care", "4"]
    assert [row.term for row in trial.moved.tested.rows] == ["arm", "visit", "arm:visit"]
    assert sum(group.samples for group in trial.moved.groups) == 48 * 3


def test_what_the_report_says_of_the_arms(trial: Cohort) -> None:
    assert any("stands against standard care" in text for text in trial.asked_words)
    assert any("by its name" in text for text in trial.asked_words)
    assert any("last visit is tested first" in text for text in trial.asked_words)


def test_the_first_p_of_a_gate_is_dunnetts_and_later_ones_are_not_below_it() -> None:
    random = np.random.default_rng(4)
    arm = np.repeat(["a", "b", "c"], 20)
    metadata = made_up(arm=list(arm))
    design = mixed_design("~ arm", metadata)
    fits = fit_mixed(random.normal(size=(60, 2)) + (arm == "b")[:, None], design)
    weights = np.eye(3)
    contrasts = (Contrast("c", weights[2], 0), Contrast("b", weights[1], 1))
    tests = fits.test(weights_of(contrasts))
    adjusted = adjusted_over_contrasts(tests, fits, contrasts, "gatekeeping")
    np.testing.assert_allclose(adjusted[:, 0], tests.p[:, 0])  # one contrast in the family: nothing to adjust
    np.testing.assert_allclose(adjusted[:, 1], np.maximum(tests.p[:, 0], tests.p[:, 1]))
    one = tuple(dataclasses.replace(contrast, family=0) for contrast in contrasts)
    together = adjusted_over_contrasts(tests, fits, one, "gatekeeping")
    expected = dunnett(
        tests.estimate[0] / tests.standard_error[0], fits.covariance_of(weights_of(one))[0],
        tests.degrees_of_freedom[0],
    )  # fmt: skip
    np.testing.assert_allclose(together[0], expected)


def names_of(metadata: Metadata, formula: str, **changed: object) -> list[str]:
    question = Question.model_validate({"formula": formula, "site": "skin"} | changed)
    asked = what_is_asked(question, metadata)
    person = f" + (1 | {question.subject})" if question.subject else ""
    return [
        c.name for c in asked.outcomes(mixed_design(f"{formula}{person}", metadata, reference=asked.reference))
    ]


def test_other_designs_are_asked_what_their_authors_would_ask() -> None:
    who = [f"p{k // 4}" for k in range(32)]
    arm = [("LGG", "Placebo")[(k // 4) % 2] for k in range(32)]
    visit = [str(k % 4) for k in range(32)]
    skin = [("lesional", "non_lesional")[k % 2] for k in range(32)]
    age = [str(20 + (7 * (k // 4)) % 30) for k in range(32)]
    rows = made_up(person=who, arm=arm, visit=visit, skin=skin, age=age)
    within = {"subject": "person"}
    assert names_of(rows, "skin", **within) == ["skin: lesional against non_lesional"]
    # placebo comes after LGG in the alphabet and is the control all the same
    assert names_of(rows, "arm + C(visit)", time="visit", **within) == [
        "arm: LGG against Placebo", *(f"visit: {v} against 0" for v in "123"),
    ]  # fmt: skip
    assert names_of(rows, "arm + age", **within) == ["arm: LGG against Placebo", "age, one unit more"]
    assert names_of(rows, "arm + age", arm="arm", **within) == ["arm: LGG against Placebo"]
    assert names_of(rows, "arm * visit", time="visit", **within) == [
        "arm: LGG against Placebo, change from visit 0 to 3"
    ]
    assert names_of(rows, "arm * C(visit)", time="visit", change_from="2", **within) == [
        f"arm: LGG against Placebo, change from visit 2 to {v}" for v in "013"
    ]
    # no --time: what changes within persons beside the arm is taken for it
    assert names_of(rows, "arm * skin", **within) == [
        "arm: LGG against Placebo, change from skin non_lesional to lesional"
    ]
    assert names_of(rows, "age", **within) == ["age"]
    assert names_of(rows, "arm", contrasts="terms", **within) == ["arm[T.LGG]"]
    assert names_of(rows, "arm", reference={"arm": "LGG"}, **within) == ["arm: Placebo against LGG"]
    with pytest.raises(NameAnother, match="no groups 'age'"):
        names_of(rows, "arm + age", arm="age", **within)
