"""A clinician's words find what they mean, with members and cross-reactors; unknown words get close names."""

from __future__ import annotations

import pytest

from biflora.errors import ClinicianMust
from biflora.knowledge.lookup import banned_by, find_ingredient, find_substance
from biflora.knowledge.pharmacy import allergens, ingredients


@pytest.mark.parametrize(
    ("words", "includes", "excludes"),
    [
        ("parabens", {"methylparaben", "propylparaben"}, {"phenoxyethanol"}),
        ("Propylparaben", {"methylparaben", "propylparaben"}, {"benzoic_acid"}),
        ("Quaternium-15", {"imidazolidinyl_urea", "diazolidinyl_urea"}, {"mci_mi"}),
        ("Kathon CG", {"mci_mi"}, {"imidazolidinyl_urea"}),
        ("wool alcohols", {"lanolin"}, {"cetearyl_alcohol"}),
        ("Balsam of Peru", {"benzyl_alcohol", "farnesol", "beeswax"}, {"bisabolol"}),
        ("Compositae mix", {"bisabolol", "feverfew_extract", "beeswax"}, {"panthenol"}),
        ("PEG", {"polysorbate_80", "ceteareth_20", "peg_400"}, {"propylene_glycol"}),
        ("tixocortol-21-pivalate", {"hydrocortisone", "triamcinolone_acetonide"}, {"clobetasol_propionate"}),
        (
            "topical steroids",
            {"hydrocortisone", "clobetasol_propionate", "triamcinolone_acetonide"},
            {"tacrolimus"},
        ),
        ("sulfa drugs", {"sodium_sulfacetamide", "dapsone"}, {"sulfur", "sodium_metabisulfite"}),
        ("sulphites", {"sodium_metabisulfite"}, {"sodium_sulfacetamide"}),
        ("soya", {"hydrogenated_lecithin"}, set()),
        ("oats", {"colloidal_oatmeal"}, set()),
        ("glycerine", {"glycerin"}, {"glyceryl_stearate"}),
        ("56-81-5", {"glycerin"}, set()),
        ("caine mix", {"lidocaine", "pramoxine_hcl"}, {"menthol"}),
        ("lignocaine", {"lidocaine"}, {"pramoxine_hcl"}),
        ("hydrocortisone-17-butyrate", {"hydrocortisone_butyrate", "hydrocortisone"}, {"clobetasol_propionate"}),
        ("budesonide", {"desonide", "hydrocortisone_butyrate", "desoximetasone"}, {"mometasone_furoate"}),
        ("Ethylenediamine dihydrochloride", {"disodium_edta", "cetirizine_hydrochloride"}, {"sodium_phytate"}),
        ("clioquinol", {"povidone_iodine"}, {"clotrimazole"}),
        ("macrogol", {"cetomacrogol_1000", "polidocanol"}, {"sucrose_stearate", "cetearyl_glucoside"}),
        ("propolis", {"propolis_extract", "beeswax"}, {"petrolatum"}),
        ("peanut", set(), {"coconut_oil", "shea_butter"}),
    ],
)
def test_words_ban_members_and_cross_reactors(words: str, includes: set[str], excludes: set[str]) -> None:
    banned = banned_by([words])
    assert includes <= set(banned)
    assert not excludes & set(banned)
    assert all(banned.values())


def test_every_label_synonym_name_and_inci_is_found() -> None:
    for key, group in allergens().items():
        for words in (key, group.label, *group.synonyms):
            found = find_substance(words)
            assert found.group is not None or found.ingredients, words
    for key, row in ingredients().items():
        for words in (key, row.name, row.inci, *row.synonyms):
            assert key in find_substance(words).ingredients, words


def test_unknown_words_get_three_close_names_and_are_not_repeated() -> None:
    with pytest.raises(ClinicianMust, match="entry 2") as problem:
        banned_by(["lanolin", "parrabenz"])
    assert "'paraben'" in str(problem.value)
    assert "parrabenz" not in str(problem.value)
    with pytest.raises(ClinicianMust, match="Glycerin"):
        find_ingredient("glycerinum")
    with pytest.raises(ClinicianMust, match="peg_400, peg_3350"):
        find_ingredient("25322-68-3")


def test_one_word_and_a_list_of_one_are_the_same() -> None:
    assert banned_by("lanolin") == banned_by(("lanolin",))
    assert dict(banned_by(())) == {}
