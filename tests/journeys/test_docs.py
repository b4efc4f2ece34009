"""The reference pages say what the code says, and no link in the docs is dead."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_reference_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs/reference/generate.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [t for t in targets if not t.startswith(("http:", "https:", "mailto:"))]
    dead = [t for t in local if not (page.parent / t).exists()]
    assert not dead, dead


def test_nothing_tracked_names_this_machine_or_a_registry() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if files.returncode != 0:
        pytest.skip("not a git checkout")
    bad = re.compile(r"(?<![\w./-])/(?:work|farm)/\w|--index[-]url|https?://[^\s\"]+/simple\b")
    found = []
    for name in files.stdout.split("\0"):
        path = ROOT / name
        if not name or path == Path(__file__) or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if bad.search(text):
            found.append(name)
    assert not found
