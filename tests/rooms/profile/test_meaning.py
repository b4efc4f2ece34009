"""What a sample can mean: rows of knowledge, never for what was not seen."""

from __future__ import annotations

import pytest

from biflora.knowledge.meanings import holds, meanings
from biflora.profile.meaning import meanings_of
from biflora.profile.patient import Condition
from biflora.profile.profile import GuildShare, Quantity, SiteProfile
from biflora.values import State


def skin(share: float | None, state: State = State.MEASURED, assay: str = "shotgun") -> SiteProfile:
    return SiteProfile(
        site="skin", sample_id="s", file_name="f", file_sha256="0", format="f", recognised_because="b",
        assay=assay, has_counts=True,
        guilds=(GuildShare(guild="s_aureus", label="S. aureus", state=state, share=share),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("share", "assay", "words"),
    [
        (0.30, "shotgun", "as plentiful as on lesions"),
        (0.10, "16S V1-V3", "as plentiful as on lesions"),  # the limit itself
        (0.05, "shotgun", "above the upper quartile"),
        (0.0068, "shotgun", "above the upper quartile"),
        (0.0067, "shotgun", "no more than on healthy children's elbows"),
        (0.0067, "16S V1-V3", "no more than on healthy children's skin"),
        (0.0185, "16S", "above the upper quartile"),  # khadka_healthy_s_aureus, 12 children, as in references.csv
        (0.0184, "16S", "no more than on healthy children's skin"),
    ],
)
def test_limits_are_those_of_the_same_kind_of_assay(share: float, assay: str, words: str) -> None:
    [said] = meanings_of(skin(share, assay=assay), Condition.ATOPIC_DERMATITIS)
    assert words in said.text
    assert said.source
    assert said.verification


def test_not_resolved_is_told_as_such_and_never_as_little() -> None:
    [said] = meanings_of(skin(None, State.NOT_RESOLVED, "16S V4"), Condition.ATOPIC_DERMATITIS)
    assert "cannot tell S. aureus" in said.text


def test_other_conditions_are_told_other_sentences() -> None:
    [said] = meanings_of(skin(0.3), Condition.ACNE)
    assert "Outside atopic dermatitis" in said.text


def test_a_quantity_speaks_by_its_value_and_none_without_one() -> None:
    site = skin(0.3).model_copy(
        update={"quantities": (Quantity(key="log10_s_aureus_to_cons", label="ratio", unit="log10", value=-0.4),)}
    )
    assert any("outnumber S. aureus" in said.text for said in meanings_of(site))
    row = next(row for row in meanings().values() if row.key == "ratio_low")
    assert not holds(row, state=State.MEASURED, value=None)
    assert not holds(row, state=State.MEASURED, value=0.0)  # zero is the other sentence's


def test_every_row_can_speak_and_no_sentence_diagnoses() -> None:
    for row in meanings().values():
        below = 1.0 if row.below is None else row.below
        value = row.at_least if row.at_least is not None else below - 1e-9
        assert holds(row, state=row.state, value=value), row.key
        assert "diagnos" not in row.text.lower()
