"""What the fuzzer starts from: small real laboratory files, and files generated in every format that biflora "
"reads."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REAL = (
    "format_examples/*", "format_examples/phyloseq_extdata/*.biom", "format_examples/unifrac_crawford/*.biom",
    "ad_skin_southafrica_chen2025/*10pct*", "moving_pictures_qiime2/table.*",
    "moving_pictures_qiime2/*metadata.tsv",
    "gut_kefir_metaphlan3_gmwi2/Subj032*metaphlan.txt", "gut_longitudinal_dietswap/dietswap_otu.csv",
    "gut_probiotic_trial_peerj32/*_otu.csv", "phyloseq_globalpatterns_enterotype/*tongue_otu.csv",
)  # fmt: skip
LARGEST_REAL = 260_000
UUID = "11111111-2222-4333-8444-555555555555"
NAMES = (
    "Staphylococcus aureus",
    "Staphylococcus epidermidis",
    "Cutibacterium acnes",
    "Faecalibacterium prausnitzii",
)
LINEAGES = (
    "k__Bacteria; p__Firmicutes; c__Bacilli; o__Bacillales; f__Staphylococcaceae; g__Staphylococcus; s__aureus",
    "k__Bacteria; p__Firmicutes; c__Bacilli; o__Bacillales; f__Staphylococcaceae; g__Staphylococcus; "
    "s__epidermidis",
    "k__Bacteria; p__Actinobacteria; c__Actinobacteria; o__Actinomycetales; f__Propionibacteriaceae; "
    "g__Propionibacterium; s__acnes",
    "k__Bacteria; p__Firmicutes; c__Clostridia; o__Clostridiales; f__Ruminococcaceae; g__Faecalibacterium; "
    "s__prausnitzii",
)
COUNTS = ((900, 10, 0), (200, 800, 3), (50, 400, 0), (0, 2, 5000))
SAMPLES = ("S1", "S2", "S3")


@dataclass(frozen=True)
class Seed:
    """One file to start from."""

    name: str
    content: bytes


def biom_json(dense: bool) -> bytes:
    data = [list(row) for row in COUNTS]
    entries = [[t, s, v] for t, row in enumerate(COUNTS) for s, v in enumerate(row) if v]
    table = {
        "id": None, "format": "Biological Observation Matrix 1.0.0", "type": "OTU table", "generated_by": "fuzz",
        "date": "2026-01-02T03:04:05", "matrix_type": "dense" if dense else "sparse", "matrix_element_type": "int",
        "shape": [len(NAMES), len(SAMPLES)], "data": data if dense else entries,
        "rows": [
            {"id": n, "metadata": {"taxonomy": line.split("; ")}} for n, line in zip(NAMES, LINEAGES, strict=True)
        ],
        "columns": [{"id": s, "metadata": None} for s in SAMPLES],
    }  # fmt: skip
    return json.dumps(table).encode()


def biom_hdf5(**filters: object) -> bytes:
    import h5py
    import numpy as np

    matrix = np.array(COUNTS, dtype=float).T
    rows, columns = np.nonzero(matrix)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["format-version"] = (2, 1)
        file.attrs["generated-by"] = "fuzz"
        file["observation/ids"] = [n.encode() for n in NAMES]
        file["sample/ids"] = [s.encode() for s in SAMPLES]
        file["observation/metadata/taxonomy"] = [[p.encode() for p in line.split("; ")] for line in LINEAGES]
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(SAMPLES)))])
        file.create_dataset("sample/matrix/indptr", data=starts.astype("i4"))
        file.create_dataset("sample/matrix/indices", data=columns.astype("i4"), **filters)
        file.create_dataset("sample/matrix/data", data=matrix[rows, columns], **filters)
    return buffer.getvalue()


def qza(table: bytes, kind: str = "FeatureTable[Frequency]", inner: str = "data/feature-table.biom") -> bytes:
    """An artifact with right checksums around these bytes."""
    action = (
        "execution:\n    runtime:\n        start: 2020-02-03T04:05:06\n\naction:\n    type: method\n"
        "    plugin: !ref 'environment:plugins:dada2'\n    action: denoise_single\n\nenvironment:\n    "
        "framework:\n"
        "        version: 2020.2.0\n    plugins:\n        dada2:\n            version: 2020.2.0\n"
    )
    metadata = f"uuid: {UUID}\ntype: {kind}\nformat: BIOMV210DirFmt\n".encode()
    inside = {"metadata.yaml": metadata, inner: table}
    sums = "".join(f"{hashlib.md5(c, usedforsecurity=False).hexdigest()}  {n}\n" for n, c in inside.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
            **inside, "checksums.md5": sums.encode(), "provenance/action/action.yaml": action.encode(),
        }.items():  # fmt: skip
            archive.writestr(f"{UUID}/{name}", content)
    return buffer.getvalue()


def texts() -> dict[str, str]:
    """One small file of every delimited format."""
    head = "\t".join(SAMPLES)
    rows = list(zip(NAMES, LINEAGES, COUNTS, strict=True))
    wide = "".join(f"{n}\t" + "\t".join(map(str, c)) + "\n" for n, _, c in rows)
    long = "".join(f"{s},{n},{v}\n" for n, _, c in rows for s, v in zip(SAMPLES, c, strict=True))
    level = "index," + ",".join(line.replace(" ", "") for line in LINEAGES) + ",Barcode,Age\n"
    level += "".join(
        f"{s}," + ",".join(str(c[i]) for c in COUNTS) + f",ACGT{i},{30 + i}\n" for i, s in enumerate(SAMPLES)
    )
    shared = "label\tGroup\tnumOtus\t" + "\t".join(f"Otu{i:03d}" for i in range(1, 5)) + "\n"
    shared += "".join(
        f"0.03\t{s}\t4\t" + "\t".join(str(c[i]) for c in COUNTS) + "\n" for i, s in enumerate(SAMPLES)
    )
    kraken = "12.00\t120\t120\tU\t0\tunclassified\n88.00\t880\t0\tR\t1\troot\n88.00\t880\t10\tD\t2\t  Bacteria\n"
    kraken += (
        "80.00\t800\t20\tG\t1279\t    Staphylococcus\n78.00\t780\t780\tS\t1280\t      Staphylococcus aureus\n"
    )
    bracken = "name\ttaxonomy_id\ttaxonomy_lvl\tkraken_assigned_reads\tadded_reads\tnew_est_reads\t"
    bracken += "fraction_total_reads\n"
    bracken += (
        "Staphylococcus aureus\t1280\tS\t60\t0\t60\t0.60000\nCutibacterium acnes\t1747\tS\t40\t0\t40\t0.40000\n"
    )
    emu = "tax_id\tabundance\tspecies\tgenus\tfamily\torder\tclass\tphylum\tsuperkingdom\testimated counts\n"
    emu += "1280\t0.6\tStaphylococcus aureus\tStaphylococcus\tStaphylococcaceae\tBacillales\tBacilli\tFirmicutes\t"
    emu += "Bacteria\t60.0\n"
    emu += "unassigned\t0\t\t\t\t\t\t\t\t3.0\n"
    return {
        "otu.tsv": f"# Constructed from biom file\n#OTU ID\t{head}\ttaxonomy\n"
        + "".join(f"{i}\t" + "\t".join(map(str, c)) + f"\t{line}\n" for i, (_, line, c) in enumerate(rows)),
        "taxa.tsv": f"taxon\t{head}\n{wide}",
        "taxa.csv": f'"",{",".join(SAMPLES)}\n' + wide.replace("\t", ","),
        "semicolon.csv": f"taxon;{';'.join(SAMPLES)}\n" + wide.replace("\t", ";").replace("900", "900,5"),
        "long.csv": "sample,taxon,count\n" + long,
        "level-6.csv": level,
        "run.shared": shared,
        "kraken.txt": kraken,
        "bracken.tsv": bracken,
        "emu.tsv": emu,
    }


@cache
def taxonomies() -> list[Seed]:
    """Taxonomies that fit the generated `run.shared`, in every form and under a name that is found beside it."""
    otus = [f"Otu{i:03d}" for i in range(1, 5)]
    rows = list(zip(otus, LINEAGES, strict=True))
    tsv = "Feature ID\tTaxon\tConfidence\n" + "".join(f"{otu}\t{line}\t0.9\n" for otu, line in rows)
    ranks = "OTU,Kingdom,Phylum,Class,Order,Family,Genus,Species\n"
    ranks += "".join(f"{otu},{line.replace('; ', ',')}\n" for otu, line in rows)
    cons = "OTU\tSize\tTaxonomy\n"
    cons += "".join(f"{otu}\t9\t{line.replace('; ', '(99);')}(88);\n" for otu, line in rows)
    return [
        Seed("taxonomy.tsv", tsv.encode()),
        Seed("run_tax.csv", ranks.encode()),
        Seed("run.0.03.cons.taxonomy", cons.encode()),
        Seed("taxonomy.qza", qza(tsv.encode(), "FeatureData[Taxonomy]", "data/taxonomy.tsv")),
    ]


@cache
def generated() -> list[Seed]:
    """Small files of every format, the same on every machine."""
    found = [
        Seed("dense.biom", biom_json(True)),
        Seed("sparse.biom", biom_json(False)),
        Seed("plain.biom", biom_hdf5()),
        Seed("packed.biom", biom_hdf5(compression="gzip", chunks=(2,))),
        Seed("table.qza", qza(biom_hdf5())),
        Seed("json.qza", qza(biom_json(False))),
    ]
    return found + [Seed(name, text.encode()) for name, text in texts().items()]


def real(data: Path) -> list[Seed]:
    """Small real files; none on a machine without the witness data."""
    found = []
    for pattern in REAL:
        for path in sorted(data.glob(pattern)) if data.is_dir() else []:
            if (
                path.suffix not in (".md", ".taxpasta")
                and path.is_file()
                and 0 < path.stat().st_size <= LARGEST_REAL
            ):
                found.append(Seed(path.name, path.read_bytes()))
    return found
