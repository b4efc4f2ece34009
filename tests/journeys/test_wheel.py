"""The wheel installs with its tables and templates, and nothing that should stay at home."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_holds_tables_templates_and_types(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    data = {
        str(path.relative_to(source))
        for path in (source / "biflora").rglob("*")
        if path.suffix in {".csv", ".html", ".typ", ".css", ".svg", ".js", ".yaml", ".mako", ".typed"}
    }
    assert data, "the package has data files"
    assert data <= names, sorted(data - names)
    assert "biflora/py.typed" in names
    assert "biflora/knowledge/RELEASE" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
