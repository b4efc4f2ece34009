"""Hypothesis: random tables written in each format read back equal; any bytes end in a table or a sentence."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import biom
import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.seeds import qza

from biflora.errors import BifloraError
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.table import LabTable

FEW = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
MANY = settings(
    max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
BRACKEN = (
    "name\ttaxonomy_id\ttaxonomy_lvl\tkraken_assigned_reads\tadded_reads\tnew_est_reads\tfraction_total_reads\n"
)
SPECIES = (
    "Staphylococcus aureus", "Staphylococcus hominis", "Cutibacterium acnes", "Blautia obeum", "Roseburia faecis",
    "Akkermansia muciniphila", "Unheardofia mirabilis", "Corynebacterium striatum",
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[str], np.ndarray]:
    """(taxa, samples, counts taxa x samples); at least one read in each sample, so that no format can lose it."""
    taxa = draw(st.lists(st.sampled_from(SPECIES), min_size=2, max_size=8, unique=True))
    samples = [f"S{i}" for i in range(draw(st.integers(1, 5)))]
    counts = draw(
        st.lists(
            st.lists(st.integers(0, 10**7), min_size=len(samples), max_size=len(samples)),
            min_size=len(taxa), max_size=len(taxa),
        )
    )  # fmt: skip
    matrix = np.array(counts, dtype=float)
    matrix[0] += 2
    return taxa, samples, matrix


def read(name: str, content: bytes | str) -> LabTable:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_laboratory_file(path).table


def equal(table: LabTable, taxa: list[str], samples: list[str], matrix: np.ndarray) -> None:
    assert table.samples == tuple(samples)
    assert [feature.name for feature in table.features] == taxa
    assert np.array_equal(np.array([table.row(sample) for sample in samples]).T, matrix)


def delimited(taxa: list[str], samples: list[str], matrix: np.ndarray, mark: str, corner: str) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=mark, lineterminator="\n")
    writer.writerow([corner, *samples])
    writer.writerows([taxon, *row] for taxon, row in zip(taxa, matrix.tolist(), strict=True))
    return buffer.getvalue()


@FEW
@given(tables())
def test_delimited_tables_in_every_form(drawn: tuple[list[str], list[str], np.ndarray]) -> None:
    taxa, samples, matrix = drawn
    equal(read("t.tsv", delimited(taxa, samples, matrix, "\t", "#OTU ID")), taxa, samples, matrix)
    equal(read("t.csv", delimited(taxa, samples, matrix, ",", "")), taxa, samples, matrix)
    equal(read("t.csv", delimited(taxa, samples, matrix, ";", "taxon")), taxa, samples, matrix)
    turned = delimited(samples, taxa, matrix.T, ",", "")
    equal(read("t.csv", turned), taxa, samples, matrix)
    comma = delimited(taxa, samples, matrix + 0.5, ";", "taxon").replace(".", ",")
    equal(read("t.csv", comma), taxa, samples, matrix + 0.5)


@FEW
@given(tables())
def test_both_bioms_and_the_artifact(drawn: tuple[list[str], list[str], np.ndarray]) -> None:
    taxa, samples, matrix = drawn
    table = biom.Table(matrix, taxa, samples)
    equal(read("t.biom", table.to_json("test")), taxa, samples, matrix)
    dense = json.loads(table.to_json("test")) | {"matrix_type": "dense", "data": matrix.tolist()}
    equal(read("t.biom", json.dumps(dense, indent=1)), taxa, samples, matrix)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        table.to_hdf5(file, "test")
    equal(read("t.biom", buffer.getvalue()), taxa, samples, matrix)
    equal(read("t.qza", qza(buffer.getvalue())), taxa, samples, matrix)


@FEW
@given(tables())
def test_long_and_shared_tables(drawn: tuple[list[str], list[str], np.ndarray]) -> None:
    taxa, samples, matrix = drawn
    rows = "".join(f"{s},{t},{matrix[i, j]:.0f}\n" for j, s in enumerate(samples) for i, t in enumerate(taxa))
    equal(read("t.csv", "sample,taxon,count\n" + rows), taxa, samples, matrix)
    otus = [f"Otu{i:04d}" for i in range(len(taxa))]
    shared = "\t".join(("label", "Group", "numOtus", *otus)) + "\n"
    for j, sample in enumerate(samples):
        shared += "\t".join(("0.03", sample, str(len(otus)), *(f"{v:.0f}" for v in matrix[:, j]))) + "\n"
    equal(read("t.shared", shared), otus, samples, matrix)


@FEW
@given(tables())
def test_one_sample_formats(drawn: tuple[list[str], list[str], np.ndarray]) -> None:
    taxa, _, matrix = drawn
    reads = matrix[:, :1]
    total = reads.sum()
    header = BRACKEN
    rows = (
        f"{t}\t{i + 9}\tS\t0\t0\t{v:.0f}\t{v / total:.5f}\n"
        for i, (t, v) in enumerate(zip(taxa, reads[:, 0], strict=True))
    )
    equal(read("b.tsv", header + "".join(rows)), taxa, ["b"], reads)
    nested = [{"taxon": 1, "parent": 0, "tax_rank": "root", "tax_name": "root", "count": int(total)}]
    nested += [
        {"taxon": i + 9, "parent": 1, "tax_rank": "species", "tax_name": t, "count": int(v)}
        for i, (t, v) in enumerate(zip(taxa, reads[:, 0], strict=True))
    ]
    kept = reads[:, 0] > 0
    named = [t for t, k in zip(taxa, kept, strict=True) if k]
    equal(read("u.json", json.dumps({"ubiome_bacteriacounts": nested})), named, ["u"], reads[kept])


def table_or_sentence(content: bytes) -> None:
    """Every other exception goes up and fails the test."""
    said = ""
    try:
        found = read("x.dat", content)
    except BifloraError as problem:
        said = str(problem)
    assert said.startswith("x.dat") or found.samples


@MANY
@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda rest: b"\x89HDF\r\n\x1a\n" + rest))
def test_any_bytes_end_in_a_table_or_a_sentence(content: bytes) -> None:
    table_or_sentence(content)


HEADS = (
    "#OTU ID\tS1\tS2\n", "sample,taxon,count\n", "taxon;S1\n", "label\tGroup\tnumOtus\tOtu1\n",
    "index,k__Bacteria\n",
    "clade_name\trelative_abundance\n", "tax_id\tabundance\testimated counts\n",
    "count,parent,tax_rank,taxon,tax_name\n",
    BRACKEN,
    " 1.0\t5\t5\tS\t1280\tStaphylococcus aureus\n", '{"matrix_type": "sparse", ', '{"ubiome_bacteriacounts": [',
    "",
)  # fmt: skip
CELL = st.one_of(
    st.sampled_from(("Staphylococcus aureus", "S1", "0.03", "-1", "1e400", "", '"', "k__B|p__F")),
    st.text(max_size=6),
)


@MANY
@given(st.sampled_from(HEADS), st.lists(st.lists(CELL, max_size=5), max_size=5), st.sampled_from("\t,;"))
def test_any_text_under_any_header_ends_in_a_table_or_a_sentence(
    head: str, rows: list[list[str]], mark: str
) -> None:
    text = head + "\n".join(mark.join(row) for row in rows)
    table_or_sentence(text.encode("utf-8", "replace"))


@pytest.mark.parametrize("name", ["x.tsv", "y.biom"])
def test_an_empty_file_is_told(name: str) -> None:
    with pytest.raises(BifloraError, match="empty"):
        read(name, b"")
