"""Whole references: kept whole or not at all, read again unchanged, refused with the option to be mended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biflora.errors import BifloraError, LaboratoryMust, NameAnother, OperatorMust
from biflora.knowledge.references import reference_recipes
from biflora.profile.names import Named, name_feature
from biflora.profile.reference import library as library_module
from biflora.profile.reference.add import NewReference, add_reference
from biflora.profile.reference.library import Library, WholeReference, open_library, with_names
from biflora.profile.reference.recipes import build_reference
from biflora.profile.table import Feature

TABLE = """sample,taxon,count
S1,Staphylococcus aureus,10
S1,Cutibacterium acnes,90
S1,Homo sapiens,900
S2,Propionibacterium acnes,40
S2,Cutibacterium acnes,60
S3,Staphylococcus hominis,100
S4,Homo sapiens,100
S5,Cutibacterium acnes,100
"""
DESCRIPTIONS = """sample\tperson\tvisit\tplace\tage\tdiagnosis
S1\tMaria Muster\t2\tAC\t30\thealthy
S2\tMaria Muster\t1\tAC\t30\thealthy
S3\tHans Meier\t1\tvolar forearm\t41\thealthy
S4\tHans Meier\t2\tAC\t41\thealthy
S5\tEva Adam\t1\tAC\tNA\teczema
"""


def files(folder: Path) -> tuple[Path, Path]:
    (folder / "table.csv").write_text(TABLE)
    (folder / "samples.tsv").write_text(DESCRIPTIONS)
    return folder / "table.csv", folder / "samples.tsv"


def new(**fields: Any) -> NewReference:
    told = {
        "name": "own-skin", "site": "skin", "assay": "shotgun", "profiler": "Kraken2, Bracken",
        "body_site_column": "place", "age_column": "age", "age_unit": "years", "person_column": "person",
        "order_column": "visit", "group_column": "diagnosis", "healthy": ("healthy",), "licence": "own",
        "source": "a made-up study",
    }  # fmt: skip
    return NewReference(**{**told, **fields})


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "references")


def test_a_table_becomes_a_reference(tmp_path: Path, library: Library) -> None:
    """S4 holds human reads only, S5 is not healthy: three samples of two persons. S1 loses its 900 human reads;
    Propionibacterium acnes is today's Cutibacterium acnes, so S2 has 40 + 60 of it."""
    card = add_reference(*files(tmp_path), new(), library)
    assert (card.persons, card.samples, card.healthy, card.has_reads) == (2, 3, True, True)
    assert card.body_sites == {"antecubital_fossa": 1, "volar_forearm": 1}
    assert (card.age_min, card.age_max) == (30, 41)
    assert card.filters == ("diagnosis is healthy (healthy)",)
    assert card.remarks == ("1 samples without a microbial read were left out.",)
    whole = library.read("own-skin")
    assert whole.totals.tolist() == [100, 100, 100]
    names = [name.name for name in whole.names]
    assert sorted(names) == ["Cutibacterium acnes", "Staphylococcus aureus", "Staphylococcus hominis"]
    dense = whole.rows(np.arange(3))
    assert dense[:, names.index("Cutibacterium acnes")].tolist() == [90, 100, 0]
    assert dense[:, names.index("Staphylococcus aureus")].tolist() == [10, 0, 0]
    assert whole.person.tolist() == [0, 0, 1]
    assert whole.order.tolist() == [2, 1, 1]
    assert "s_aureus" in whole.names[names.index("Staphylococcus aureus")].guilds


def test_nothing_that_names_a_person_or_sample_is_kept(tmp_path: Path, library: Library) -> None:
    add_reference(*files(tmp_path), new(), library)
    whole = library.read("own-skin")
    kept = (library.folder / "own-skin.json").read_text() + repr(whole)
    with np.load(library.folder / whole.card.data_file) as stored:
        kept += "".join(repr(stored[name].tolist()) for name in stored)
    assert "Cutibacterium acnes" in kept
    for word in ("Maria", "Meier", "Adam", "S1", "S3"):
        assert word not in kept


def test_the_same_name_twice_is_refused_and_replaced_on_demand(tmp_path: Path, library: Library) -> None:
    first = add_reference(*files(tmp_path), new(), library)
    with pytest.raises(OperatorMust, match="already"):
        add_reference(*files(tmp_path), new(label="again"), library)
    assert library.card("own-skin") == first
    second = add_reference(*files(tmp_path), new(where=("place=AC",)), library, replace=True)
    assert second.samples == 2
    assert library.read("own-skin").card.samples == 2
    assert sorted(p.name for p in library.folder.iterdir()) == sorted([second.data_file, "own-skin.json"])


def test_months_become_years(tmp_path: Path, library: Library) -> None:
    card = add_reference(*files(tmp_path), new(age_unit="months"), library)
    assert (card.age_min, card.age_max) == (2.5, 3.4)  # 30 / 12, 41 / 12 = 3.417


def test_persons_stand_in_a_second_table(tmp_path: Path, library: Library) -> None:
    table, samples = files(tmp_path)
    samples.write_text("sample\tperson\tplace\n" + "".join(f"S{i}\tP{i % 2}\tAC\n" for i in range(1, 6)))
    persons = tmp_path / "persons.csv"
    persons.write_text("person,age,diagnosis\nP0,50,healthy\nP1,20,eczema\n")
    card = add_reference(table, samples, new(order_column=""), library, persons=persons)
    assert (card.persons, card.samples, card.age_min) == (1, 1, 50)  # P0 has S2 and S4, and S4 is human only


WRONG: dict[str, tuple[dict[str, Any], type[BifloraError], str]] = {
    "no place": ({"body_site_column": ""}, OperatorMust, "--body-site"),
    "two places": ({"body_site": "back"}, OperatorMust, "not both"),
    "a word that is no place": ({"body_site_column": "diagnosis"}, OperatorMust, "column 'diagnosis'"),
    "a place of the other site": ({"body_site_column": "", "body_site": "stool"}, OperatorMust, "--body-site"),
    "no age": ({"age_column": ""}, OperatorMust, "--age-band"),
    "age without unit": ({"age_unit": ""}, OperatorMust, "--age-unit"),
    "ages that are words": ({"age_column": "place"}, LaboratoryMust, "column 'place'"),
    "no person": ({"person_column": ""}, OperatorMust, "--person-column"),
    "no such column": ({"person_column": "persn"}, NameAnother, "nearest are person"),
    "healthy without a column": ({"group_column": ""}, OperatorMust, "--group-column"),
    "filters that leave nobody": ({"where": ("place=cheek",)}, NameAnother, "leave no sample"),
    "a filter without value": ({"where": ("place",)}, OperatorMust, "COLUMN=VALUE"),
    "a filter for missing cells": ({"where": ("place=NA",)}, OperatorMust, "missing cell"),
    "healthy that reads as missing": ({"healthy": ("n/a",)}, OperatorMust, "missing cell"),
    "an assay nobody knows": ({"assay": "sequencing"}, OperatorMust, "--assay must be"),
    "no profiler": ({"profiler": " "}, OperatorMust, "--profiler"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_what_is_wrong_is_named_and_nothing_is_written(tmp_path: Path, library: Library, case: str) -> None:
    fields, error, words = WRONG[case]
    with pytest.raises(error, match=words) as problem:
        add_reference(*files(tmp_path), new(**fields), library)
    assert "Maria" not in str(problem.value)
    assert not library.folder.exists()


@pytest.mark.parametrize("name", ["../up", "a", "Own", "x/y", ""])
def test_a_name_is_no_path(tmp_path: Path, library: Library, name: str) -> None:
    with pytest.raises(NameAnother, match="small letters"):
        add_reference(*files(tmp_path), new(name=name), library)
    with pytest.raises(NameAnother, match="small letters"):
        library.card(name)
    assert not library.folder.exists()


def test_an_assay_that_contradicts_the_file_is_refused(shared_data: Path, library: Library) -> None:
    atlas = shared_data / "gut_healthy_atlas1006"
    told = new(
        site="gut", assay="shotgun", body_site_column="", person_column="subject", order_column="time",
        group_column="", healthy=(), all_healthy=True,
    )  # fmt: skip
    with pytest.raises(OperatorMust, match="looks like array"):
        add_reference(atlas / "atlas1006_otu.csv", atlas / "atlas1006_samples.csv", told, library)


def test_a_damaged_reference_is_named(tmp_path: Path, library: Library) -> None:
    card = add_reference(*files(tmp_path), new(), library)
    data = library.folder / card.data_file
    whole = data.read_bytes()
    data.write_bytes(whole[:-30] + b"x" * 30)
    with pytest.raises(OperatorMust, match="changed after it was added"):
        library.read("own-skin")
    data.unlink()
    with pytest.raises(OperatorMust, match="cannot be read"):
        library.read("own-skin")
    (library.folder / "own-skin.json").write_text("{")
    assert [str(found) for _, found in library.each() if isinstance(found, BifloraError)]
    library.remove("own-skin")
    assert library.names() == ()


def test_nothing_half_written_when_the_disk_fails(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table goes first and the card last: a failure between them leaves no reference."""
    real = library_module._write

    def fails_on_the_card(path: Path, content: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(library_module, "_write", fails_on_the_card)
    with pytest.raises(OperatorMust, match="No space left"):
        add_reference(*files(tmp_path), new(), library)
    assert library.names() == ()


def test_an_unknown_reference_lists_what_there_is(tmp_path: Path, library: Library) -> None:
    add_reference(*files(tmp_path), new(), library)
    with pytest.raises(NameAnother, match="there are: own-skin"):
        library.card("other-skin")
    with pytest.raises(NameAnother, match="there are: own-skin"):
        library.remove("other-skin")


def test_the_folder_is_the_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("BIFLORA_REFERENCES", raising=False)
    assert open_library().folder == tmp_path / "data" / "biflora" / "references"
    assert open_library().names() == ()
    monkeypatch.setenv("BIFLORA_REFERENCES", str(tmp_path / "own"))
    assert open_library().folder == tmp_path / "own"


def test_names_are_harmonised_again_when_the_taxon_table_has_changed(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference kept when Propionibacterium acnes was its own name joins today's Cutibacterium acnes."""
    add_reference(*files(tmp_path), new(), library)
    whole = library.read("own-skin")
    old = Named("Propionibacterium acnes", "species", None, True, frozenset(), "Propionibacterium", "bacteria")
    # the second sample's 100 reads are written under the old name again
    aged = replace(
        whole,
        names=(*whole.names, old),
        places=np.where(np.arange(len(whole.places)) == whole.starts[1], len(whole.names), whole.places),
        card=whole.card.model_copy(update={"name": "old-skin", "names_of": "an older table"}),
    )
    library.save(aged)
    again = library.read("old-skin")
    names = [name.name for name in again.names]
    assert "Propionibacterium acnes" not in names
    assert again.rows(np.arange(3))[:, names.index("Cutibacterium acnes")].tolist() == [90, 100, 0]


def test_adding_names_up_keeps_every_read() -> None:
    """Two columns of one name: 1 + 2 = 3 reads in the first sample, 4 in the second."""
    named = [name_feature(Feature("Cutibacterium acnes")), name_feature(Feature("Propionibacterium acnes"))]
    whole = WholeReference(
        card=None, names=tuple(named), starts=np.array([0, 2, 3]), places=np.array([0, 1, 1]),  # type: ignore[arg-type]
        values=np.array([1.0, 2.0, 4.0]), person=np.arange(2), order=np.zeros(2), age=np.zeros(2),
        body_site=("stool",) * 2, lesional=np.zeros(2, dtype=np.int8),
    )  # fmt: skip
    assert with_names(whole, named).rows(np.arange(2)).tolist() == [[3.0], [4.0]]


def test_the_ready_made_references(shared_data: Path, library: Library) -> None:
    """Persons as the tables hold them: 26 without IBD, 1,006 adults, 30 healthy children, 47 adults in flare."""
    for key, folder, persons, samples in (
        ("hmp2-nonibd-gut", "gut_longitudinal_hmp2_metaphlan", 26, 405),
        ("atlas1006-gut", "gut_healthy_atlas1006", 1006, 1151),
        ("csb5-children-skin", "ad_skin_shotgun_csb5_bracken", 30, 72),
        ("rauer2023-lesional-skin", "ad_skin_antiIL22_rauer2023", 47, 47),
    ):
        card = build_reference(key, shared_data / folder, library)
        assert (card.persons, card.samples, card.healthy) == (persons, samples, key != "rauer2023-lesional-skin")
    assert library.card("csb5-children-skin").body_sites == {
        "volar_forearm": 30, "antecubital_fossa": 30, "cheek": 12,
    }  # fmt: skip
    assert library.names() == tuple(sorted(reference_recipes()))


def test_a_recipe_without_its_files_says_where_they_are(tmp_path: Path, library: Library) -> None:
    with pytest.raises(OperatorMust, match=r"HMP2_taxonomy.tsv.*maaslin3"):
        build_reference("hmp2-nonibd-gut", tmp_path, library)
    with pytest.raises(OperatorMust, match="--from"):
        build_reference("hmp2-nonibd-gut", tmp_path / "absent", library)
    with pytest.raises(NameAnother, match="atlas1006-gut"):
        build_reference("hmp3", tmp_path, library)
