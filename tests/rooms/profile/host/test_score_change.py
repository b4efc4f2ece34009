"""Change between two visits: differences, smallest important differences, responders, and derived scores."""

from __future__ import annotations

import pytest

from biflora.errors import ClinicianMust
from biflora.profile.host.instruments import score
from biflora.profile.host.score_change import change_of, derived_scores
from biflora.profile.patient import InstrumentInput
from biflora.profile.profile import Score

SCORAD = {
    "extent_percent": 20.0, "erythema": 2.0, "oedema_papulation": 1.0, "oozing_crust": 1.0, "excoriation": 2.0,
    "lichenification": 1.0, "dryness": 2.0, "itch_vas": 5.0, "sleep_loss_vas": 3.5,
}  # fmt: skip


def total(instrument: str, value: float) -> Score:
    return score(InstrumentInput(instrument=instrument, total=value), 30)


@pytest.mark.parametrize(
    ("instrument", "earlier", "later", "important", "words"),
    [
        # SCORAD's smallest important difference is 8.7: 50 - 8.7 = 41.3
        ("scorad", 50, 41.3, True, "at least the smallest important difference of 8.7"),
        ("scorad", 50, 41.4, False, "less than the smallest important difference of 8.7"),
        ("scorad", 41.3, 50, True, "rose by 8.7"),
        ("poem", 20, 16.0, True, "at least the smallest important difference of 3.4"),
        ("poem", 20, 17.0, False, "less than"),
        ("easi", 20, 13.4, True, "only remembered"),  # 6.6, recalled
        ("pasi", 20, 5, None, "no smallest important difference is known"),
        ("adct", 12, 7, True, "at least the smallest important difference of 5"),
    ],
)
def test_the_smallest_important_difference(
    instrument: str, earlier: float, later: float, important: bool | None, words: str
) -> None:
    change = change_of(total(instrument, earlier), total(instrument, later))
    assert change.difference == pytest.approx(later - earlier)
    assert change.percent == pytest.approx(100 * (later - earlier) / earlier, abs=0.01)
    assert change.important is important
    assert words in change.words


@pytest.mark.parametrize(
    ("instrument", "earlier", "later", "responses"),
    [
        ("easi", 40, 20, ("EASI-50",)),  # exactly half
        ("easi", 40, 20.1, ()),
        ("easi", 40, 10, ("EASI-50", "EASI-75")),
        ("easi", 40, 4, ("EASI-50", "EASI-75", "EASI-90")),
        ("easi", 20, 40, ()),
        ("pasi", 12, 3, ("PASI-50", "PASI-75")),
        ("viga_ad", 3, 1, ("0/1 and two grades down",)),
        ("viga_ad", 2, 1, ()),
        ("viga_ad", 4, 2, ()),
        ("iga_acne", 2, 0, ("0/1 and two grades down",)),
        ("cea", 3, 1, ()),  # rosacea's response needs the patient's own judgement too
        ("scorad", 50, 10, ()),
    ],
)
def test_responders(instrument: str, earlier: float, later: float, responses: tuple[str, ...]) -> None:
    assert change_of(total(instrument, earlier), total(instrument, later)).responses == responses


def test_percent_that_goes_with_one_grade() -> None:
    """Silverberg 2021: SCORAD 35 %, EASI 50 %. 40 to 26 is exactly 35 % less."""
    assert change_of(total("scorad", 40), total("scorad", 26)).reaches_important_percent is True
    assert change_of(total("scorad", 40), total("scorad", 26.1)).reaches_important_percent is False
    assert change_of(total("dlqi", 20), total("dlqi", 10)).reaches_important_percent is None


def test_from_nothing_there_is_no_percent_and_no_change_is_said_so() -> None:
    worse = change_of(total("easi", 0), total("easi", 6))
    assert worse.percent is None
    assert worse.responses == ()
    assert "rose by 6" in worse.words
    assert "The band changed from clear to mild" in worse.words
    assert change_of(total("easi", 6), total("easi", 6)).words == "EASI did not change."


def test_two_instruments_are_not_subtracted() -> None:
    with pytest.raises(ClinicianMust, match="SCORAD and EASI cannot be compared"):
        change_of(total("scorad", 40), total("easi", 20))


def test_the_objective_scorad_follows_from_scorads_items() -> None:
    """20/5 + 7*9/2 = 35.5; not from a total, and not where it was entered itself."""
    full = InstrumentInput(instrument="SCORAD", items=SCORAD)
    (derived,) = derived_scores([full], 30)
    assert (derived.instrument, derived.value, derived.computed) == ("oscorad", 35.5, True)
    assert derived_scores([InstrumentInput(instrument="scorad", total=44)], 30) == ()
    assert derived_scores([full, InstrumentInput(instrument="o_scorad", total=35.5)], 30) == ()
