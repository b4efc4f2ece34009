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
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from biflora.twin import fingerprint
from biflora.twin import state as at
from biflora.twin.forecast import ARMS

if TYPE_CHECKING:
    from biflora.twin.population import Latent, Patients

Wanted = tuple[int, int, int, bool]
"""Weeks, size, seed, quorum sensing."""
SEED = 2026
SIZE = 20_480
"""Eighty patients of each of 256 possible populations."""
WEEKS = 12
LONG_SIZE = 4096
"""Size of the bank for more than `WEEKS` weeks, which is built on demand."""
KEPT_FILES = 8
"""Banks left in the cache: a few horizons and structures, and those of the version before."""
_KEPT: dict[Wanted, Bank] = {}
_BUILDING = Lock()


@dataclass(frozen=True, slots=True)
class Bank:
    """Latent observables of virtual patients: (arm, observable, week, patient), as in `observe.OBSERVED`."""

    on: NDArray[np.float32]
    off: NDArray[np.float32]
    """The same with the gut link off."""
    kept: NDArray[np.int64]
    """Which of the drawn patients these are; `drawn` makes them again."""
    failed: int
    """Trajectories that could not be finished; their patients are not in the bank."""
    drawn_size: int
    seed: int

    @property
    def size(self) -> int:
        return int(self.on.shape[3])

    @property
    def weeks(self) -> int:
        return int(self.on.shape[2]) - 1

    def drawn(self) -> Latent:
        """What the bank's patients are made of."""
        return first_draw(self.drawn_size, self.seed).some(self.kept)


def bank(weeks: int = WEEKS, *, size: int | None = None, seed: int = SEED, quorum: bool = True) -> Bank:
    """The bank that reaches `weeks`, from memory, from the cache, or built now.

    `quorum` False: the smaller bank of the structure without quorum sensing.
    """
    horizon = max(weeks, WEEKS)
    wanted = (horizon, size or (SIZE if horizon == WEEKS and quorum else min(LONG_SIZE, SIZE)), seed, quorum)
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
    """Compile the engine and build the banks, so that nobody waits later."""
    bank()
    bank(quorum=False)


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


def _name(wanted: Wanted) -> str:
    text = f"{wanted} {fingerprint.of_source(fingerprint.POPULATION)} {fingerprint.of_tables()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_draw(size: int, seed: int) -> Latent:
    """What the drawn patients are made of, before any of them is simulated."""
    from biflora.twin.population import draw

    return draw(size, np.random.default_rng([seed, 1]))


def _build(weeks: int, size: int, seed: int, quorum: bool) -> Bank:
    from biflora.twin.population import rates_of, settle

    latent = first_draw(size, seed)
    rates = rates_of(latent)
    patients = settle(latent, seed, rates if quorum else without_quorum(rates))
    on, failed_on = courses(patients, weeks, gut_link=True)
    off, failed_off = courses(patients, weeks, gut_link=False)
    whole = np.isfinite(on).all(axis=(0, 1, 2)) & np.isfinite(off).all(axis=(0, 1, 2))
    place = {key: i for i, key in enumerate(latent.keys.tolist())}
    kept = np.array([place[key] for key in patients.latent.keys[whole].tolist()], dtype=np.int64)
    return Bank(
        np.ascontiguousarray(on[..., whole]), np.ascontiguousarray(off[..., whole]), kept,
        patients.failed + failed_on + failed_off, size, seed,
    )  # fmt: skip


def without_quorum(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same rates with virulence that follows the load by plain saturation, and that no commensal blocks."""
    plain = rates.copy()
    plain[:, at.QUORUM_SLOPE], plain[:, at.QUORUM_BLOCK] = 1.0, 0.0
    return plain


def courses(patients: Patients, weeks: int, *, gut_link: bool) -> tuple[NDArray[np.float32], int]:
    """Every arm's course of these patients in the bank's layout, and how many trajectories failed."""
    from biflora.twin.cohort import simulate_arms

    made = simulate_arms(patients, ARMS, weeks, gut_link)
    return np.ascontiguousarray(made.values.transpose(0, 3, 2, 1)), made.failed


def _read(path: Path, wanted: Wanted) -> Bank | None:
    """The bank in `path`; None when there is none or it is damaged (it is then built again)."""
    try:
        with np.load(path, allow_pickle=False) as held:
            found = Bank(
                held["on"], held["off"], held["kept"], int(held["failed"]), int(held["drawn_size"]),
                int(held["seed"]),
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    fits = found.on.shape == found.off.shape and found.on.ndim == 4 and found.weeks == wanted[0]
    fits = fits and len(found.kept) == found.size
    return found if fits and np.isfinite(found.on).all() else None


def _write(path: Path, built: Bank) -> None:
    """Write under another name first, so that nobody ever reads half a bank."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(
                    file, on=built.on, off=built.off, kept=built.kept, failed=np.int64(built.failed),
                    drawn_size=np.int64(built.drawn_size), seed=np.int64(built.seed),
                )  # fmt: skip
            os.replace(draft, path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
        _tidy(path.parent)
    except OSError:
        return  # a read-only home: the bank stays in memory for this process


def _tidy(folder: Path) -> None:
    """Leave the newest banks: each change of the model leaves one behind that nobody will read again."""
    banks = sorted(folder.glob("bank-*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in banks[KEPT_FILES:]:
        old.unlink(missing_ok=True)
