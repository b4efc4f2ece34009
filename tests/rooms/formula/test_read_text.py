"""Formulas as pharmacists type them. The sums are done by hand beside each case."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from biflora.errors import PharmacistMust
from biflora.formula.read import Reading, reading_of

CREAM = """Rx
# made up
Name: Urea cream
Vehicle: o/w cream
Urea .......... 10 %
Glycerin  5,0 %
Liquid paraffin | 10%
Cetearyl glucoside: 2 % w/w
Aqua q.s. ad 100
pH 5.0
Preserved with phenoxyethanol + ethylhexylglycerin
"""
OINTMENT = "Salicylic acid 2 g\nHydrocortisone 1 %\nPetrolatum ad 100 g\nVehicle: hydrocarbon ointment\n"


def read(text: str) -> Reading:
    return reading_of(text, where="typed", name="mine")


def amounts(text: str) -> dict[str, int]:
    return {line.ingredient: line.ppm for line in read(text).formula.lines}


def test_grams_percent_and_a_line_that_fills_up() -> None:
    formula = read(OINTMENT).formula
    # 2 g of 100 g is 2 %; 100 - 2 - 1 = 97 %
    assert [(line.ingredient, line.ppm, line.quantum_satis) for line in formula.lines] == [
        ("salicylic_acid", 20_000, False),
        ("hydrocortisone", 10_000, False),
        ("petrolatum", 970_000, True),
    ]
    assert (formula.vehicle, formula.preservative_system, formula.ph) == (
        "hydrocarbon_ointment",
        "none_anhydrous",
        None,
    )


def test_a_cream_with_words_about_the_whole() -> None:
    formula = read(CREAM).formula
    assert (formula.name, formula.vehicle, formula.ph) == ("Urea cream", "ow_cream", 5.0)
    found = {line.ingredient: line.ppm for line in formula.lines}
    # the preservative's parts stand in knowledge with 0.9 % and 0.1 %:
    # 100 - 10 - 5 - 10 - 2 - 0.9 - 0.1 = 72 %
    assert found["purified_water"] == 720_000
    assert (found["phenoxyethanol"], found["ethylhexylglycerin"]) == (9_000, 1_000)
    assert sum(found.values()) == 1_000_000


def test_amounts_that_were_not_given_are_said_and_never_taken_in_silence() -> None:
    (note,) = read(CREAM).notes
    assert (note.level, note.rule) == ("warn", "as_read")
    assert "read as 0.9 % phenoxyethanol and 0.1 % ethylhexylglycerin" in note.message
    assert note.source
    assert note.verification
    told = read(CREAM.replace("ethylhexylglycerin", "ethylhexylglycerin 0.3 %").replace("l +", "l 0.8 % +"))
    assert told.notes == ()
    found = {line.ingredient: line.ppm for line in told.formula.lines}
    assert (found["phenoxyethanol"], found["ethylhexylglycerin"]) == (8_000, 3_000)
    with pytest.raises(PharmacistMust, match="line 11: give the preservatives' amounts"):
        read(CREAM.replace("q.s. ad 100", "73 %"))


def test_a_preservative_system_is_recognised_by_its_parts_and_said() -> None:
    text = CREAM.replace(
        "Preserved with phenoxyethanol + ethylhexylglycerin", "Sodium benzoate 0.4 %\nPotassium sorbate 0.25 %"
    )
    reading = read(text)
    assert reading.formula.preservative_system == "organic_acids"
    assert [(note.level, note.rule) for note in reading.notes] == [("note", "as_read")]
    # with phenoxyethanol beside them the larger system, whose parts hold those two as well
    larger = read(text + "Phenoxyethanol 0.5 %\n").formula
    assert larger.preservative_system == "organic_acids_phenoxyethanol"
    nothing = read(text.replace("Sodium benzoate 0.4 %\nPotassium sorbate 0.25 %", "unpreserved"))
    assert nothing.formula.preservative_system == "none_refrigerated"


@pytest.mark.parametrize(
    "line",
    ["2 g salicylic acid", "Salicylic acid, 2 g", "- Salicylic acid\t2,0 g", "SALICYLIC ACID 2000 mg",
     "2 grams of Salicylic acid", "Salicylic acid 2 g  # for the scale", "salicylic acid 0,002 kg",
     "Salicylic acid 20000 ppm", "Salicylic acid – 2 %"],
)  # fmt: skip
def test_ways_to_write_two_in_a_hundred(line: str) -> None:
    assert amounts(OINTMENT.replace("Salicylic acid 2 g", line))["salicylic_acid"] == 20_000


@pytest.mark.parametrize(
    "line",
    ["Petrolatum ad 100 g", "Petrolatum q.s. ad 100 g", "Petrolatum qs to 100 g", "qs ad 100 g petrolatum",
     "Petrolatum q.s.\nTotal: 100 g", "Petrolatum ad 100", "Petrolatum to 0,1 kg", "ad 100,0 g Petrolatum"],
)  # fmt: skip
def test_ways_to_fill_up(line: str) -> None:
    assert amounts(OINTMENT.replace("Petrolatum ad 100 g", line))["petrolatum"] == 970_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 2 g of 50 g is 4 %, and 1 % stays 1 %: 100 - 4 - 1 = 95 %
        (OINTMENT.replace("100 g", "50 g"), {"salicylic_acid": 40_000, "petrolatum": 950_000}),
        # 3 of 3 + 27 g
        ("Urea 3 g\nPetrolatum 27 g\nBase: balm", {"urea": 100_000, "petrolatum": 900_000}),
        # thirds: 333,333.3 ppm each; one line gets the ppm that is left over
        (
            "Urea 1 g\nPetrolatum 1 g\nLanolin 1 g\nBase: balm",
            {"urea": 333_334, "petrolatum": 333_333, "lanolin": 333_333},
        ),
        # 20 in the name is no amount
        ("Ceteareth-20 2 g\nPolysorbate 80 3 g\nPetrolatum 95 g\nBase: balm", {"ceteareth_20": 20_000}),
    ],
)
def test_grams_become_shares_of_the_total(text: str, expected: dict[str, int]) -> None:
    found = amounts(text)
    assert expected.items() <= found.items()
    assert sum(found.values()) == 1_000_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("2 g", "2 ml"), "line 1: millilitres need a density"),
        (lambda t: t.replace("2 g", "2 % w/v"), "line 1: percent by volume needs a density"),
        (lambda t: t.replace("2 g", "2 gr"), "line 1: 'gr' may mean grains or grams"),
        (lambda t: t.replace("2 g", "5 drops"), "line 1: drops have no fixed mass"),
        (lambda t: t.replace("2 g", "2 parts"), "line 1: parts are unclear"),
        (lambda t: t.replace("2 g", "1,000 g"), "line 1: a comma before three digits"),
        (lambda t: t.replace("2 g", "two grams"), "line 1: no amount that can be read"),
        (lambda t: t.replace("2 g", "2"), "line 1: no amount that can be read"),
        (lambda t: t.replace("2 g", "200 g"), "line 1: 200 g is outside 0 to 100 g"),
        (lambda t: t.replace("1 %", "99 %"), r"add up to more than 100 % \(by 1 %\)"),
        (lambda t: t.replace("Salicylic acid", "Zzq"), "line 1: 'Zzq' is not an ingredient"),
        (lambda t: t.replace("ad 100 g", "q.s."), "grams need a total"),
        (lambda t: t.replace("ad 100 g", "50 g"), "grams and percent stand together"),
        (lambda t: t + "Lanolin qs\n", "line 5: a second line says 'qs'"),
        (lambda t: t + "Vehicle: balm\n", "line 5: the vehicle stands twice"),
        (lambda t: t + "Total: 50 g\n", "line 5: another line gives another total"),
        (lambda t: t.replace("hydrocarbon ointment", "ointment"), "closest keys are hydrocarbon_ointment, abs"),
        (lambda t: "# nothing but a comment", "no ingredient found"),
        (lambda t: t + "x" * 3000, "line 5: longer than 2,000"),
    ],
)
def test_what_cannot_be_read_is_asked_for_by_its_line(change: Callable[[str], str], says: str) -> None:
    with pytest.raises(PharmacistMust, match=says):
        read(change(OINTMENT))


def test_every_wrong_line_is_told_at_once() -> None:
    with pytest.raises(PharmacistMust) as caught:
        read(OINTMENT.replace("2 g", "2 ml").replace("1 %", "one"))
    assert "line 1:" in str(caught.value)
    assert "line 2:" in str(caught.value)


def test_a_missing_vehicle_is_asked_for_with_those_that_fit() -> None:
    text = OINTMENT.replace("Vehicle: hydrocarbon ointment\n", "")
    with pytest.raises(PharmacistMust, match="which vehicle is it") as caught:
        read(text)
    assert "hydrocarbon_ointment" in str(caught.value)
    assert "carbomer_gel" not in str(caught.value)  # there is no water and no carbomer
    assert reading_of(text, where="typed", vehicle="hydrocarbon_ointment") == read(OINTMENT)._replace(
        formula=reading_of(OINTMENT, where="typed").formula
    )
    watery = CREAM.replace("Vehicle: o/w cream\n", "")
    with pytest.raises(PharmacistMust, match=r"may be: .*ow_cream") as caught:
        read(watery)
    assert "hydrocarbon_ointment" not in str(caught.value)


def test_the_way_of_writing_is_seen_where_no_file_name_tells_it() -> None:
    """Standard input has no suffix: the same formula in four ways gives the same content."""
    csv = "vehicle,hydrocarbon_ointment\ningredient,percent\nSalicylic acid,2\nHydrocortisone,1\nPetrolatum,qs\n"
    semicolons = csv.replace(",", ";").replace(";2\n", ';"2,0"\n')
    lines = '{"ingredient":"Salicylic acid","percent":2},{"ingredient":"Hydrocortisone","percent":1}'
    json = f'{{"vehicle":"hydrocarbon_ointment","lines":[{lines},{{"name":"Petrolatum","quantum_satis":true}}]}}'
    toml = (
        'vehicle = "hydrocarbon_ointment"\n'
        '[[lines]]\ningredient = "Salicylic acid"\npercent = 2\n'
        '[[lines]]\ningredient = "Hydrocortisone"\npercent = 1\n'
        '[[lines]]\nname = "Petrolatum"\nquantum_satis = true\n'
    )
    ids = {read(text).formula.id for text in (OINTMENT, csv, semicolons, json, toml)}
    assert len(ids) == 1
