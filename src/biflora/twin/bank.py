"""The bank: virtual patients simulated once under every arm, with and without the gut link.

It is kept as one .npz in the user's cache (`BIFLORA_CACHE` names another folder) under a name that changes with
the model, the rates and the seed. It is rebuilt when it is absent or cannot be read, and kept in memory alone
where nothing can be written.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from biflora.twin import fingerprint
from biflora.twin.forecast import ARMS

SEED = 2026
SIZE = 12_288
"""Three times what a first look needed: fewer leave a typical patient with under 300 who are like her."""
WEEKS = 12
LONG_SIZE = 2048
"""Size of the bank for more than `WEEKS` weeks, which is built on demand."""
_KEPT: dict[tuple[int, int, int], Bank] = {}
_BUILDING = Lock()


@dataclass(frozen=True, slots=True)
class Bank:
    """Latent observables of virtual patients: (arm, patient, week, observable), as in `observe.OBSERVED`."""

    on: NDArray[np.float32]
    off: NDArray[np.float32]
    """The same with the gut link off."""
    failed: int
    """Trajectories that could not be finished; their patients are not in the bank."""

    @property
    def size(self) -> int:
        return int(self.on.shape[1])

    @property
    def weeks(self) -> int:
        return int(self.on.shape[2]) - 1


def bank(weeks: int = WEEKS, *, size: int | None = None, seed: int = SEED) -> Bank:
    """The bank that reaches `weeks`, from memory, from the cache, or built now."""
    horizon = max(weeks, WEEKS)
    wanted = (horizon, size or (SIZE if horizon == WEEKS else LONG_SIZE), seed)
    with _BUILDING:
        if wanted not in _KEPT:
            path = cache_folder() / f"bank-{_name(wanted)}.npz"
            found = _read(path, wanted)
            if found is None:
                found = _build(*wanted)
                _write(path, found)
            _KEPT[wanted] = found
        return _KEPT[wanted]


def warm_up() -> None:
    """Compile the engine and build the bank, so that nobody waits later."""
    bank()


def cache_folder() -> Path:
    """`BIFLORA_CACHE`, else the platform's folder for caches."""
    named = os.environ.get("BIFLORA_CACHE")
    if named:
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "biflora"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "biflora" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "biflora"


def _name(wanted: tuple[int, int, int]) -> str:
    text = f"{wanted} {fingerprint.of_source(fingerprint.POPULATION)} {fingerprint.of_rates()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _build(weeks: int, size: int, seed: int) -> Bank:
    from biflora.twin.cohort import simulate_arms
    from biflora.twin.population import at_first_visit

    patients = at_first_visit(size, seed)
    on = simulate_arms(patients, ARMS, weeks)
    off = simulate_arms(patients, ARMS, weeks, gut_link=False)
    whole = np.isfinite(on.values).all(axis=(0, 2, 3)) & np.isfinite(off.values).all(axis=(0, 2, 3))
    return Bank(on.values[:, whole], off.values[:, whole], patients.failed + on.failed + off.failed)


def _read(path: Path, wanted: tuple[int, int, int]) -> Bank | None:
    """The bank in `path`; None when there is none or it is damaged (it is then built again)."""
    try:
        with np.load(path, allow_pickle=False) as held:
            found = Bank(held["on"], held["off"], int(held["failed"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    fits = found.on.shape == found.off.shape and found.on.ndim == 4 and found.weeks == wanted[0]
    return found if fits and np.isfinite(found.on).all() else None


def _write(path: Path, built: Bank) -> None:
    """Write under another name first, so that nobody ever reads half a bank."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, on=built.on, off=built.off, failed=np.int64(built.failed))
            os.replace(draft, path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError:
        return  # a read-only home: the bank stays in memory for this process
