"""UniFrac distances and Faith's diversity on a tree: scikit-bio for some hundreds of samples, `ssu` for more."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biflora.errors import OperatorMust, TrialistMust
from biflora.profile.cohort.distances import Distances
from biflora.profile.table import LabTable

Numbers = NDArray[np.float64]
WITHOUT_SSU = 500
"""Samples up to which scikit-bio is used (it took 28 to 43 s for 1,000, ssu 1 to 2 s)."""
LONGEST_S = 3_600


def unifrac(
    table: LabTable, newick: str, *, weighted: bool = False, normalised: bool = True, threads: int = 2
) -> Distances:
    """UniFrac of all pairs of samples; taxa of `table` must be tips of the tree `newick`.

    `normalised` counts only where `weighted`. More than 500 samples need the program `ssu` (unifrac-tools) on the
    PATH. Raises TrialistMust when taxa are no tips, OperatorMust when `ssu` is wanted and not there.
    """
    rows, names = _present(table)
    tree, remarks = _tree(newick, names)
    if weighted:
        remarks.append("Weighted by share" + (", divided by its largest possible value." if normalised else "."))
    metric = f"{'weighted' if weighted else 'unweighted'}_unifrac"
    if len(table.samples) > WITHOUT_SSU:
        program = shutil.which("ssu")
        if program is None:
            raise OperatorMust(
                f"UniFrac of more than {WITHOUT_SSU} samples needs the program ssu; install unifrac-tools, or "
                "choose another distance."
            )
        matrix = _by_ssu(program, rows, table.samples, names, str(tree), weighted, normalised, threads)
        return Distances(table.samples, matrix, metric, (*remarks, "Computed by ssu (unifrac-tools)."))
    from skbio.diversity import beta_diversity

    given: dict[str, Any] = {"normalized": normalised} if weighted else {}
    counts = rows if table.has_counts else rows / rows.sum(axis=1, keepdims=True)
    found = beta_diversity(metric, counts, ids=list(table.samples), tree=tree, taxa=names, validate=False, **given)
    return Distances(table.samples, np.array(found.data, dtype=np.float64), metric, tuple(remarks))


def faith_diversity(table: LabTable, newick: str) -> Numbers:
    """Faith's phylogenetic diversity of each sample: the length of the branches that lead to what it holds."""
    from skbio.diversity import alpha_diversity

    rows, names = _present(table)
    tree, _ = _tree(newick, names)
    found = alpha_diversity(
        "faith_pd", np.ceil(rows).astype(np.int64), ids=list(table.samples), tree=tree, taxa=names, validate=False
    )
    return np.asarray(found, dtype=np.float64)


def _present(table: LabTable) -> tuple[Numbers, list[str]]:
    """The taxa that some sample holds: (samples x taxa, names). Raises TrialistMust for a sample without reads."""
    dense = np.zeros(table.shape)
    for sample, (first, last) in enumerate(zip(table.starts[:-1], table.starts[1:], strict=True)):
        np.add.at(dense[sample], table.places[first:last], table.values[first:last])
    if (dense.sum(axis=1) <= 0).any():
        raise TrialistMust(f"{table.file_name}: some samples hold no reads; leave them out.")
    held = dense.max(axis=0) > 0
    return dense[:, held], [feature.name for feature, is_held in zip(table.features, held, strict=True) if is_held]


def _tree(newick: str, names: list[str]) -> tuple[Any, list[str]]:
    from skbio import TreeNode

    try:
        tree = TreeNode.read([newick])
    except Exception:  # scikit-bio raises several types for a tree that is none
        raise TrialistMust("The tree cannot be read; save it in Newick format.") from None
    tips = {tip.name for tip in tree.tips()}
    absent = sum(name not in tips for name in names)
    if absent:
        raise TrialistMust(
            f"{absent} of the {len(names)} taxa are no tips of the tree; give the tree that was made with this "
            "table."
        )
    remarks = []
    if len(tree.children) > 2:
        for node in tree.traverse(include_self=False):
            node.length = 0.0 if node.length is None else node.length
        tree = tree.root_at_midpoint()
        remarks.append("The tree had no root; it was rooted at its midpoint.")
    for node in tree.traverse(include_self=False):
        node.length = 0.0 if node.length is None else node.length
    return tree, remarks


def _by_ssu(
    program: str,
    rows: Numbers,
    samples: tuple[str, ...],
    names: list[str],
    newick: str,
    weighted: bool,
    normalised: bool,
    threads: int,
) -> Numbers:
    import h5py

    method = ("weighted_normalized" if normalised else "weighted_unnormalized") if weighted else "unweighted"
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        _write_biom(there / "table.biom", rows, len(samples), names)
        (there / "tree.nwk").write_text(newick, encoding="utf-8")
        command = [
            program, "-i", str(there / "table.biom"), "-t", str(there / "tree.nwk"), "-m", f"{method}_fp64",
            "-o", str(there / "out.h5"), "-r", "hdf5_fp64", "--pcoa", "0",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=LONGEST_S,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            )
        except subprocess.TimeoutExpired:
            raise OperatorMust("ssu did not answer within an hour; choose another distance.") from None
        if done.returncode or not (there / "out.h5").is_file():
            raise OperatorMust(
                f"ssu stopped with status {done.returncode}; try the same table with fewer samples."
            )
        with h5py.File(there / "out.h5") as file:
            order = [int(name.decode().removeprefix("s")) for name in file["order"][()]]
            matrix = np.asarray(file["matrix"][()], dtype=np.float64)
    found = np.empty_like(matrix)
    found[np.ix_(order, order)] = matrix
    return found


def _write_biom(path: Path, rows: Numbers, n_samples: int, names: list[str]) -> None:
    """The least BIOM 2.1 that ssu reads. Samples are numbered, so that no name of a person's sample is written."""
    import h5py
    from scipy.sparse import csr_matrix

    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.attrs["id"] = "biflora"
        file.attrs["type"] = "OTU table"
        file.attrs["format-url"] = "http://biom-format.org"
        file.attrs["format-version"] = np.array([2, 1])
        file.attrs["generated-by"] = "biflora"
        file.attrs["creation-date"] = "2026-11-26T00:00:00"
        file.attrs["shape"] = np.array([len(names), n_samples])
        file.attrs["nnz"] = int(np.count_nonzero(rows))
        parts = (("observation", names, rows.T), ("sample", [f"s{i}" for i in range(n_samples)], rows))
        for axis, labels, matrix in parts:
            sparse = csr_matrix(matrix)
            group = file.create_group(axis)
            group.create_dataset("ids", data=np.array(labels, dtype=object), dtype=text)
            group.create_dataset("matrix/data", data=sparse.data.astype(np.float64))
            group.create_dataset("matrix/indices", data=sparse.indices.astype(np.int32))
            group.create_dataset("matrix/indptr", data=sparse.indptr.astype(np.int32))
            group.create_group("metadata")
            group.create_group("group-metadata")
