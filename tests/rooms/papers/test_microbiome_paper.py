"""The microbiome page and the printed profile: what was seen, how sure, and what the sample could not see."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from biflora.papers.microbiome import microbiome_html, microbiome_pdf
from biflora.papers.microbiome_content import microbiome_content
from biflora.profile.profile import Percentile, Placement, SiteProfile
from biflora.profile.sample import profile_site

AT = datetime(2026, 11, 26, tzinfo=UTC)
V4_LINE = "d__Bacteria; p__Firmicutes; c__Bacilli; o__Bacillales; f__Staphylococcaceae; g__{}; s__"


@pytest.fixture(scope="module")
def skin(tmp_path_factory: pytest.TempPathFactory) -> SiteProfile:
    path = tmp_path_factory.mktemp("skin") / "skin.csv"
    rows = {"Staphylococcus aureus": 900, "Staphylococcus epidermidis": 300, "Cutibacterium acnes": 4000,
            "Madeupia imaginaria": 50}  # fmt: skip
    path.write_text("sample,taxon,count\n" + "".join(f"s1,{taxon},{n}\n" for taxon, n in rows.items()))
    return profile_site(path, "skin")


def test_one_side_says_what_is_seen_and_what_is_not(skin: SiteProfile) -> None:
    content = microbiome_content((skin, None), title="Test", made_at=AT)
    left, right = content.sides
    assert (left.site, right.site) == ("skin", "gut")
    assert "No gut sample was sent" in right.missing
    assert any("Malassezia" in text for text in left.unseen)
    assert left.strangers is not None
    assert left.strangers.rows[0][0] == "Madeupia imaginaria"  # listed, not dropped
    share, interval = left.taxa.rows[0][2:4]
    assert share == "76 %"  # 4000 of 5250
    assert "to" in interval
    assert any("5,250 reads" in text for text in left.sure)


def test_the_html_asks_nothing_of_the_network(skin: SiteProfile) -> None:
    html = microbiome_html(microbiome_content((skin, None), title="<b>Test</b>", made_at=AT))
    assert "&lt;b&gt;Test" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "What this sample could not see" in html
    assert "It is no medical device" in html


def test_a_placement_is_told_with_its_interval_and_its_persons(skin: SiteProfile) -> None:
    percentile = Percentile(quantity="s_aureus", label="S. aureus", unit="share", value=0.17, percent=93.0,
                            low=82.0, high=98.0, n=60)  # fmt: skip
    placed = skin.model_copy(
        update={"placement": Placement(state="placed", label="Healthy adults", n=60, why="It lies inside.",
                                       percentiles=(percentile,), passed_over=("CSB5: age",))}
    )  # fmt: skip
    place = microbiome_content((placed,), title="Test", made_at=AT).sides[0].place
    assert place.percentiles.rows == (("S. aureus", "17 %", "93", "82 to 98", "60"),)
    assert place.passed_over == ("CSB5: age",)
    none = microbiome_content((skin,), title="Test", made_at=AT).sides[0]
    assert none.place is None


def test_the_paper_holds_the_same_and_equal_input_gives_equal_bytes(skin: SiteProfile) -> None:
    import pypdfium2

    content = microbiome_content((skin, None), title="Test", made_at=AT)
    pdf = microbiome_pdf(content, made_at=AT)
    assert pdf == microbiome_pdf(content, made_at=AT)
    text = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf))
    for words in ("What this sample could not see", "Malassezia", "Madeupia imaginaria", "5,250 reads"):
        assert words in text.replace("\r\n", " ")


def test_a_v4_table_cannot_name_s_aureus_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "v4.tsv"
    path.write_text(
        "#OTU ID\ts1\ttaxonomy\n" + "".join(
            f"{number}\t{reads}\t{V4_LINE.format(genus)}\n"
            for number, (genus, reads) in enumerate((("Staphylococcus", 3000), ("Cutibacterium", 2000)))
        )
    )  # fmt: skip
    side = microbiome_content((profile_site(path, "skin"),), title="V4", made_at=AT).sides[0]
    assert any("Staphylococcus aureus" in text and "not resolved" in text for text in side.unseen)
    assert any("cannot tell S. aureus" in said.text for said in side.means)
