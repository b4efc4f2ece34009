"""Scores from items and totals: hand sums, published examples, and impossible values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from biflora.errors import ClinicianMust
from biflora.knowledge.instruments import band_of, instrument_named, instruments, items_of
from biflora.profile.host.instruments import score
from biflora.profile.patient import InstrumentInput

CASES = yaml.safe_load((Path(__file__).parents[3] / "rules" / "instruments.yaml").read_text(encoding="utf-8"))
SIGNS = ("erythema", "oedema_papulation", "oozing_crust", "excoriation", "lichenification", "dryness")


def value(instrument: str, age: float = 30, **items: float) -> float:
    return score(InstrumentInput(instrument=instrument, items=items), age).value


def regions(area: float, sign: float, signs: tuple[str, ...], **other: float) -> dict[str, float]:
    found = {}
    for region in ("head", "arms", "trunk", "legs"):
        found[f"{region}_area"] = other.get(f"{region}_area", area)
        found.update({f"{region}_{name}": other.get(f"{region}_{name}", sign) for name in signs})
    return found


EASI_SIGNS = ("erythema", "induration", "excoriation", "lichenification")
PASI_SIGNS = ("erythema", "thickness", "scaling")


def test_scorad_is_a_fifth_of_extent_plus_seven_halves_of_signs_plus_symptoms() -> None:
    """A = 20, B = 2 + 1 + 1 + 2 + 1 + 2 = 9, C = 5 + 3.5: 20/5 + 7*9/2 + 8.5 = 4 + 31.5 + 8.5 = 44."""
    signs = dict(zip(SIGNS, (2, 1, 1, 2, 1, 2), strict=True))
    assert value("scorad", extent_percent=20, **signs, itch_vas=5, sleep_loss_vas=3.5) == 44.0
    assert value("oscorad", extent_percent=20, **signs) == 35.5
    full = dict.fromkeys(SIGNS, 3.0)
    assert value("scorad", extent_percent=100, **full, itch_vas=10, sleep_loss_vas=10) == 103  # 20 + 63 + 20
    assert value("oscorad", extent_percent=100, **full) == 83


def test_easi_weights_by_age() -> None:
    """Head alone, area grade 2, signs 1 + 1 + 0.5 + 0.5 = 3: adult 0.1*2*3 = 0.6; child of 5 years 0.2*2*3 = 1.2.
    Legs alone, the same: adult 0.4*2*3 = 2.4; child 0.3*2*3 = 1.8."""
    part = {"erythema": 1.0, "induration": 1.0, "excoriation": 0.5, "lichenification": 0.5}
    for region, adult, child in (("head", 0.6, 1.2), ("legs", 2.4, 1.8)):
        items = regions(0, 0, EASI_SIGNS, **{f"{region}_area": 2}, **{f"{region}_{k}": v for k, v in part.items()})
        assert value("easi", 30, **items) == pytest.approx(adult)
        assert value("easi", 5, **items) == pytest.approx(child)
        assert value("easi", 8, **items) == pytest.approx(adult)
    assert value("easi", 30, **regions(6, 3, EASI_SIGNS)) == pytest.approx(72)
    assert value("easi", 4, **regions(6, 3, EASI_SIGNS)) == pytest.approx(72)
    assert value("pasi", 30, **regions(6, 4, PASI_SIGNS)) == pytest.approx(72)


@pytest.mark.parametrize(
    ("percent", "grade"),
    [(0, 0), (0.4, 1), (1, 1), (9, 1), (10, 2), (29, 2), (30, 3), (50, 4), (70, 5), (89, 5), (90, 6), (100, 6)],
)
def test_area_percent_becomes_its_grade(percent: float, grade: int) -> None:
    """Published steps 1-9, 10-29, 30-49, 50-69, 70-89, 90-100. Trunk alone, four signs of 1: 0.3 * grade * 4."""
    items = regions(0, 0, EASI_SIGNS, **{f"trunk_{name}": 1 for name in EASI_SIGNS})
    del items["trunk_area"]
    assert value("easi", 30, **items, trunk_area_percent=percent) == pytest.approx(0.3 * grade * 4)


def test_sums() -> None:
    poem = dict(
        zip(
            ("itch", "sleep", "bleeding", "weeping", "cracking", "flaking", "dryness"),
            (4, 2, 1, 0, 1, 3, 4),
            strict=True,
        )
    )
    assert value("poem", **poem) == 15  # 4 + 2 + 1 + 0 + 1 + 3 + 4
    assert value("dlqi", **{f"question_{i}": i % 4 for i in range(1, 11)}) == 15  # 1+2+3+0+1+2+3+0+1+2
    gags = {"forehead": 3, "right_cheek": 2, "left_cheek": 2, "nose": 1, "chin": 4, "chest_and_back": 1}
    assert value("gags", **gags) == 22  # 2*3 + 2*2 + 2*2 + 1*1 + 1*4 + 3*1
    assert value("sd_scalp", flaking=6, erythema=2, itch=1) == 9


def test_every_instrument_reaches_both_ends_of_its_range() -> None:
    for row in instruments().values():
        items = items_of(row.key)
        for end, expected in (("minimum", row.minimum), ("maximum", row.maximum)):
            given = {name: getattr(item, end) for name, item in items.items()}
            assert value(row.key, 30, **given) == pytest.approx(expected), row.key


@pytest.mark.parametrize(
    ("instrument", "total", "band"),
    [
        ("scorad", 24.9, "mild"), ("scorad", 25, "moderate"), ("scorad", 50, "moderate"),
        ("scorad", 50.1, "severe"),
        ("easi", 0, "clear"), ("easi", 1, "almost clear"), ("easi", 7, "mild"), ("easi", 7.1, "moderate"),
        ("easi", 21, "moderate"), ("easi", 50.1, "very severe"),
        ("poem", 2, "clear or almost clear"), ("poem", 17, "severe"), ("poem", 28, "very severe"),
        ("dlqi", 10, "moderate effect"), ("dlqi", 21, "extremely large effect"),
        ("itch_nrs", 3, "mild"), ("itch_nrs", 7, "severe"), ("viga_ad", 3, "moderate"), ("gags", 18, "mild"),
        ("sd_scalp", 9, "moderate"),
    ],
)  # fmt: skip
def test_bands_as_published(instrument: str, total: float, band: str) -> None:
    result = score(InstrumentInput(instrument=instrument, total=total), 30)
    assert result.band == band
    assert not result.computed
    assert band_of(instruments()[instrument], total) == band


@pytest.mark.parametrize(
    ("instrument", "total", "words"),
    [
        ("scorad", 103.1, ("scorad", "total", "between 0 and 103")),
        ("easi", -1, ("easi", "between 0 and 72")),
        ("viga_ad", 2.5, ("viga_ad", "steps of 1")),
        ("poem", 29, ("poem", "between 0 and 28")),
        ("dlqi", float("inf"), ("dlqi", "between 0 and 30")),
        ("scorat", 5, ("use one of", "scorad")),
    ],
)
def test_impossible_totals_are_refused_without_repeating_them(
    instrument: str, total: float, words: tuple[str, ...]
) -> None:
    with pytest.raises(ClinicianMust) as problem:
        score(InstrumentInput.model_construct(instrument=instrument, total=total, items={}), 30)
    text = str(problem.value)
    assert all(word in text for word in words), text
    assert f"{total:g}" not in text.replace("0 and", "")


def test_items_that_are_missing_unknown_or_impossible() -> None:
    good = {"extent_percent": 10.0, **dict.fromkeys(SIGNS, 1.0)}
    for change, words in (
        ({"erythema": 4.0}, ("oscorad, erythema", "between 0 and 3")),
        ({"erythema": 1.5}, ("oscorad, erythema", "steps of 1")),
        ({"redness": 1.0}, ("'redness' is none of its items",)),
    ):
        with pytest.raises(ClinicianMust) as problem:
            score(InstrumentInput(instrument="oscorad", items={**good, **change}), 30)
        assert all(word in str(problem.value) for word in words)
    del good["dryness"]
    with pytest.raises(ClinicianMust, match="the item 'dryness' is missing"):
        score(InstrumentInput(instrument="oscorad", items=good), 30)
    with pytest.raises(ClinicianMust, match="give its total or its items"):
        score(InstrumentInput(instrument="oscorad"), 30)
    with pytest.raises(ClinicianMust, match="the entered total and the total of its items differ"):
        score(InstrumentInput(instrument="sd_scalp", total=9, items={"flaking": 6, "erythema": 2, "itch": 0}), 30)


def entered(case: dict[str, Any]) -> InstrumentInput:
    items = dict(case.get("items", {}))
    rest = items.pop("all", None)
    if rest is not None:
        items = {name: items.get(name, rest) for name in items_of(score_key(case["instrument"]))}
    return InstrumentInput(instrument=case["instrument"], total=case.get("total"), items=items)


def score_key(name: str) -> str:
    row = instrument_named(name)
    assert row is not None, name
    return row.key


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    age = case.get("age", 30)
    if "refused" not in case:
        found = score(entered(case), age)
        assert found.value == pytest.approx(case["expect"])
        assert found.band == case["band"]
        return
    with pytest.raises(ClinicianMust) as problem:
        score(entered(case), age)
    assert all(word in str(problem.value) for word in case["refused"]), str(problem.value)


def test_every_instrument_has_a_case_that_is_summed_and_one_for_each_with_items_beyond_one() -> None:
    summed = {score_key(case["instrument"]) for case in CASES if "expect" in case}
    assert summed == set(instruments())
    by_hand = {score_key(case["instrument"]) for case in CASES if "sum" in case}
    assert by_hand == {key for key in instruments() if len(items_of(key)) > 1}


def test_every_item_refuses_what_lies_just_beyond_its_ends() -> None:
    for row in instruments().values():
        items = items_of(row.key)
        for name, item in items.items():
            for beyond in (item.minimum - 0.5, item.maximum + 0.5):
                given = {other: one.minimum for other, one in items.items()} | {name: beyond}
                with pytest.raises(ClinicianMust, match="the value is impossible"):
                    score(InstrumentInput(instrument=row.key, items=given), 30)


def test_each_instrument_says_its_rights_its_recall_and_where_a_difference_comes_from() -> None:
    for row in instruments().values():
        assert row.licence, row.key
        assert row.recall, row.key
        if row.important_difference is not None:
            assert row.important_difference_source, row.key
            assert row.important_difference_verification, row.key
        if row.bands:
            assert row.band_source, row.key
        elif row.key != "cdlqi":
            assert "found" in row.band_source, row.key
    assert instruments()["cdlqi"].note.startswith("no bands are kept")
