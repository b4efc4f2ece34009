"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real witness data; the test skips where this machine does not have it."""
    root = Path(os.environ.get("BIFLORA_SHARED", REPOSITORY.parent / "shared"))
    data = root / "data"
    if not data.is_dir():
        pytest.skip(f"no witness data at {data}; set BIFLORA_SHARED to the folder that holds data/")
    return data
