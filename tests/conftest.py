"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True, scope="session")
def no_references_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whole references that the user has added must not change what tests see."""
    before = os.environ.get("BIFLORA_REFERENCES")
    os.environ["BIFLORA_REFERENCES"] = str(tmp_path_factory.mktemp("references"))
    yield
    if before is None:
        del os.environ["BIFLORA_REFERENCES"]
    else:
        os.environ["BIFLORA_REFERENCES"] = before


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real witness data; the test skips where this machine does not have it."""
    root = Path(os.environ.get("BIFLORA_SHARED", REPOSITORY.parent / "shared"))
    data = root / "data"
    if not data.is_dir():
        pytest.skip(f"no witness data at {data}; set BIFLORA_SHARED to the folder that holds data/")
    return data
