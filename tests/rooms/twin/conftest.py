"""A small bank in a folder of its own, so that these tests neither wait for nor touch the user's cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from biflora.twin import bank as bank_module

SMALL = 800


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bank")


@pytest.fixture(scope="session", autouse=True)
def _small_bank(cache_folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIFLORA_CACHE", str(cache_folder))
        patch.setattr(bank_module, "SIZE", SMALL)
        patch.setattr(bank_module, "_KEPT", {})
        yield
