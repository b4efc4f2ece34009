"""What a design can teach: linear-Gaussian arithmetic by hand, monotone, and against weights of the bank."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.cli import show_twin
from biflora.cli.show import console
from biflora.errors import TrialistMust
from biflora.knowledge.rates import observables as observable_table
from biflora.twin.bank import bank
from biflora.twin.evidence import Clue
from biflora.twin.forecast import ARMS
from biflora.twin.identified import Identified, verdict
from biflora.twin.identify import GUT_TO_SKIN, identify, words_of
from biflora.twin.linear import Learnt, between_and_within, covariance, given, information
from biflora.twin.measure_next import Schedule, for_patient
from biflora.twin.observe import PLACE
from biflora.twin.population import settle
from biflora.twin.sensitivity import sensitivities
from biflora.twin.state import RATES
from biflora.twin.weigh import weigh


@pytest.fixture(scope="module")
def answered() -> Identified:
    return identify(measures=("scorad",), arms=("standard_care", "oral"), patients=4)


def test_a_posterior_by_hand() -> None:
    """y = 2 a + e, e of variance 1, prior of a and b 1: variance of a is 1/(1 + 4), b stays; 1 direction."""
    learnt = Learnt(information(np.array([[2.0, 0.0]]), np.array([[1.0]])))
    assert learnt.covariance == pytest.approx(np.diag([0.2, 1.0]))
    assert learnt.directions == 1
    assert learnt.shrinkage == pytest.approx([0.8, 0.0])
    assert learnt.of(np.array([3.0, 0.0])) == pytest.approx(0.8)
    assert learnt.of(np.zeros(2)) == 0.0


def test_a_sum_is_known_and_its_parts_are_not() -> None:
    """y = a + b with hardly any noise: each keeps half its variance, their sum is known, their difference not."""
    learnt = Learnt(information(np.array([[1.0, 1.0]]), np.array([[1e-6]])))
    assert learnt.shrinkage == pytest.approx([0.5, 0.5], abs=1e-5)
    assert learnt.best_of([0, 1]) == pytest.approx(1.0, abs=1e-5)
    assert learnt.of(np.array([1.0, -1.0])) == pytest.approx(0.0, abs=1e-9)
    assert verdict(0.3, 0.9) == "only as a lump"
    assert [verdict(share) for share in (0.05, 0.2, 0.7)] == ["not informed", "hinted at", "informed"]


def test_correlated_noise_is_counted() -> None:
    """Two readings with the same error are one reading: 1/(1/4 + 1) of variance 1 is left, not 1/(1/2 + 1)."""
    twice = Learnt(information(np.ones((2, 1)), np.full((2, 2), 4.0) + 1e-9 * np.eye(2)))
    apart = Learnt(information(np.ones((2, 1)), 4.0 * np.eye(2)))
    assert twice.covariance[0, 0] == pytest.approx(0.8, abs=1e-4)
    assert apart.covariance[0, 0] == pytest.approx(1 / 1.5)


def test_components_of_variance() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(500), 6)
    shared = random.normal(0, [1.0, 2.0], (500, 2))[groups]
    between, within = between_and_within(shared + random.normal(0, [3.0, 1.0], (3000, 2)), groups)
    assert np.diag(between) == pytest.approx([1.0, 4.0], abs=0.6)
    assert np.diag(within) == pytest.approx([9.0, 1.0], rel=0.1)


def test_conditioning_by_hand() -> None:
    """Correlation .8, the second read with variance 1 of noise: 1 - .8^2/2 is left of the first."""
    joint = np.array([[1.0, 0.8], [0.8, 1.0]])
    assert given(joint, np.diag([0.0, 1.0]), [1])[0, 0] == pytest.approx(1 - 0.64 / 2)
    assert given(joint, np.zeros((2, 2)), [])[0, 0] == 1.0


def test_linear_gaussian_agrees_with_weights_of_the_bank() -> None:
    """SCORAD at week 12 after one reading at week 4: the mean variance left by importance weights of a Student t
    likelihood, over twelve virtual patients, against the linear-Gaussian one."""
    held, noise = bank(), observable_table()["scorad"].noise_sd
    scorad = held.on[0, PLACE["scorad"]].astype(np.float64)
    joint = covariance(scorad[[12, 4]].T)
    linear = given(joint, np.diag([0.0, noise**2]), [1])[0, 0]
    random, left = np.random.default_rng(4), []
    for patient in random.choice(held.size, 12, replace=False):
        seen = float(scorad[4, patient]) + noise * random.standard_normal()
        weights = weigh(held, [Clue("scorad", seen, noise, week=4)]).values
        mean = weights @ scorad[12]
        left.append(weights @ (scorad[12] - mean) ** 2)
    assert joint[0, 0] > 2 * linear
    assert 0.6 < float(np.mean(left)) / linear < 1.6


def test_sensitivities_are_those_of_the_formula() -> None:
    """A logit shift of SCORAD moves SCORAD by sd x S (1 - S/103): the derivative of 103 / (1 + e^-x), wide step.

    Only before any treatment: afterwards the steroid rule hears the shift too. TEWL does not hear it."""
    patients = settle(bank().drawn().some(np.arange(4)), 1)
    found = sensitivities(patients, ARMS[:1], 1)
    start = found.expected[0, :, 0, PLACE["scorad"]]
    moved = found.by_rate[found.rates.index("scorad_shift"), 0, :, 0, PLACE["scorad"]]
    assert moved == pytest.approx(0.3 * start * (1 - start / 103.0), rel=0.05)
    tewl = found.by_rate[found.rates.index("scorad_shift"), 0, :, 0, PLACE["tewl"]]
    assert tewl == pytest.approx(0.0, abs=1e-6)
    assert set(found.rates) <= set(RATES)


def test_more_measurements_never_teach_less(answered: Identified) -> None:
    more = identify(measures=("scorad", "tewl", "faecal_butyrate"), arms=("standard_care", "oral"), patients=4)
    for key in ("trial", "patient_oral"):
        before = {row.rate: row.shrinkage for row in answered.design(key).rates}
        after = {row.rate: row.shrinkage for row in more.design(key).rates}
        assert all(after[rate] >= before[rate] - 1e-4 for rate in before)
        assert more.design(key).directions >= answered.design(key).directions


def test_scorad_alone_says_next_to_nothing_of_the_gut(answered: Identified) -> None:
    """One patient's SCORAD: hardly a direction is informed, and butyrate's way to the skin not at all."""
    one = answered.design("patient_standard_care")
    assert 1 <= one.directions <= 4
    assert one.question("severity").verdict == "informed"
    assert one.question("gut_to_skin").verdict == "not informed"
    for key in ("patient_standard_care", "patient_oral", "trial", "published"):
        shares = {row.rate: row.shrinkage for row in answered.design(key).rates}
        assert shares["butyrate_gain"] < 0.1
        assert answered.design(key).question("gut_to_skin").verdict != "informed"
        assert set(GUT_TO_SKIN) <= set(shares)
    assert "butyrate gain" in answered.gut_to_skin


def test_every_rate_is_listed_best_first(answered: Identified) -> None:
    for design in answered.designs:
        shares = [row.shrinkage for row in design.rates]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) == design.of_rates
        assert design.half_learnt == sum(share >= 0.5 for share in shares)


def test_the_terminal_answers_a_trialist(answered: Identified) -> None:
    with console.capture() as said:
        show_twin.identified(answered)
    text = " ".join(said.get().split())
    assert answered.gut_to_skin[:60] in text
    assert "What to measure next in the trial" in text
    assert "published trials" in text


def test_what_to_measure_next_is_ranked_and_never_harms(answered: Identified) -> None:
    assert {found.who for found in answered.next} == {"patient", "trial"}
    for found in answered.next:
        shares = [row.reduction for row in found.ranked]
        assert shares == sorted(shares, reverse=True)
        assert all(row.sd_after <= row.sd_before + 1e-9 for row in found.ranked)
        assert found.sd_design <= found.sd_prior
        assert "scorad" not in {row.observable for row in found.ranked}  # every visit measures it already


def test_an_instrument_without_noise_could_not_be_beaten() -> None:
    """The difference itself is a sum of columns: measuring both arms' SCORAD exactly would leave nothing."""
    random = np.random.default_rng(1)
    columns = random.normal(size=(500, 2))
    joint = covariance(np.column_stack([columns[:, 0] - columns[:, 1], columns]))
    assert given(joint, np.zeros((3, 3)), [1, 2])[0, 0] == pytest.approx(0.0, abs=1e-9)
    held = bank()
    found = for_patient(held, Schedule((0, 12), ("easi",), ("oral",)), "oral", np.arange(held.size))
    assert found.under == ("oral",)
    assert len(found.ranked) == 2 * (len(PLACE) - 1)


def test_words_of_a_design() -> None:
    assert words_of(weeks="0, 4,12", measures="scorad,tewl", arms="oral") == {
        "weeks": (0, 4, 12), "measures": ("scorad", "tewl"), "arms": ("oral",),
    }  # fmt: skip
    with pytest.raises(TrialistMust, match="weeks"):
        words_of(weeks="0,four", measures="scorad", arms="oral")
    with pytest.raises(TrialistMust, match="arm"):
        words_of(weeks="0,4", measures="scorad", arms="oral,placebo")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"weeks": ()}, "weeks"), ({"weeks": (0,)}, "weeks"), ({"weeks": (0, 60)}, "weeks"),
        ({"measures": ("mood",)}, "observable"), ({"measures": ()}, "measures"), ({"n": 1}, "n:"),
        ({"patients": 1}, "patients"),
    ],
)  # fmt: skip
def test_a_design_that_cannot_be_read_is_refused(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(TrialistMust, match=word):
        identify(**wrong)  # type: ignore[arg-type]
