"""biflora: from a patient's skin and gut microbiome to a dual plan, a safe formula and its proof.

Eight nouns, one verb each: Profile (`read_profile`), Forecast (`forecast`), Plan (`make_plan`), Formula
(`formulate`), Prescription (`prescribe`), Batch (`compound`), Outcome (`record_outcome`), Evidence (`analyse`).
The verbs load on first use, so that `import biflora` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biflora.dispensary.compound import compound as compound
    from biflora.followup.record import record_outcome as record_outcome
    from biflora.formula.formulate import formulate as formulate
    from biflora.plan.make_plan import make_plan as make_plan
    from biflora.prescription.prescribe import prescribe as prescribe
    from biflora.profile.read import read_profile as read_profile
    from biflora.trial.analyse import analyse as analyse
    from biflora.twin.run import forecast as forecast

__version__ = "0.1.0"

_VERBS = {
    "read_profile": "biflora.profile.read",
    "forecast": "biflora.twin.run",
    "make_plan": "biflora.plan.make_plan",
    "formulate": "biflora.formula.formulate",
    "prescribe": "biflora.prescription.prescribe",
    "compound": "biflora.dispensary.compound",
    "record_outcome": "biflora.followup.record",
    "analyse": "biflora.trial.analyse",
}

__all__ = [
    "__version__",
    "analyse",
    "compound",
    "forecast",
    "formulate",
    "make_plan",
    "prescribe",
    "read_profile",
    "record_outcome",
]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'biflora' has no attribute '{name}'")
