"""The CUDA kernel does what the engine does, as far as it can be seen without a GPU.

Witness: Numba's CUDA simulator, which runs the kernel and all it calls as plain Python, thread by thread. It
shows that each thread takes its own patient and gives her own results back; it is no run on a GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import cuda

from biflora.errors import OperatorMust
from biflora.twin import gpu
from biflora.twin.arms import timetable_of
from biflora.twin.engine import run
from biflora.twin.population import at_first_visit

WEEKS = 2
SIMULATED = """
import sys
import numpy as np
from biflora.twin import gpu
from biflora.twin.arms import timetable_of

given = np.load(sys.argv[1])
gpu.CHUNK = 2  # three patients in two chunks
found = gpu.run_on_gpu(
    given["states"], given["rates"], given["keys"], timetable_of("combination", given["drive"].shape[1]),
    given["drive"], want_states=True,
)
np.savez(sys.argv[2], **dict(zip(("ends", "seen", "course", "status"), found)))
"""


def test_the_simulator_gives_the_engines_numbers(tmp_path: Path) -> None:
    patients = at_first_visit(3, 3)
    drive = patients.drive(WEEKS)
    exact = run(
        patients.states, patients.rates, patients.latent.keys, timetable_of("combination", WEEKS), drive,
        want_states=True,
    )  # fmt: skip
    given = {"states": patients.states, "rates": patients.rates, "keys": patients.latent.keys, "drive": drive}
    np.savez(tmp_path / "given.npz", **given)
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SIMULATED, tmp_path / "given.npz", tmp_path / "found.npz"],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr[-2000:]
    found = np.load(tmp_path / "found.npz")
    for key, one in zip(("ends", "seen", "course", "status"), exact, strict=True):
        # the same arithmetic on the same processor; compiled code may round an expression's last bit otherwise
        assert np.allclose(found[key], one, rtol=1e-9, atol=1e-12), key
        assert not np.isnan(found[key]).any()


@pytest.mark.skipif(cuda.is_available(), reason="this machine has a CUDA device")
def test_without_a_device_the_operator_is_told_what_to_do() -> None:
    patients = at_first_visit(2, 3)
    with pytest.raises(OperatorMust, match=r"biflora\[gpu\]"):
        gpu.run_on_gpu(
            patients.states, patients.rates, patients.latent.keys, timetable_of("oral", 2), patients.drive(2)
        )


@pytest.mark.skipif(not cuda.is_available(), reason="no CUDA device on this machine")
def test_a_gpu_gives_the_engines_numbers() -> None:
    patients = at_first_visit(500, 3)
    given = (patients.states, patients.rates, patients.latent.keys, timetable_of("oral", 12), patients.drive(12))
    exact, found = run(*given, want_states=True), gpu.run_on_gpu(*given, want_states=True)
    assert np.array_equal(exact[3], found[3])
    # other roundings may take other steps: both are within the tolerance of 1e-4 of the truth
    assert np.quantile(np.abs(found[2] - exact[2]) / (np.abs(exact[2]) + 1e-3), 0.999) < 1e-3
