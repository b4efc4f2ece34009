"""The consultation: from a patient and two laboratory files to a plan and a formula.

`consult` needs no database; the acts that keep what was decided are in `clinic/decide.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from biflora.formula.formula import Formula, Impossible
from biflora.plan.plan import Plan
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile
from biflora.twin.forecast import Forecast
from biflora.values import Finding, Value

WEEKS = 12


class Consultation(Value):
    """All that one consultation gave; `formula` is None when the plan wants no topical."""

    profile: Profile
    forecast: Forecast
    plan: Plan
    formula: Formula | Impossible | None = None

    @property
    def stops_you(self) -> bool:
        """True when a person must act before anything is made: a red flag, no possible formula, a stop finding.

        A flag that only asks does not stop; one that stops or reroutes does, until it is answered.
        """
        return (
            any(flag.level in ("stop", "reroute") for flag in self.plan.red_flags)
            or isinstance(self.formula, Impossible)
            or (isinstance(self.formula, Formula) and self.formula.blocked)
            or any(finding.level == "stop" for finding in self.findings)
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of every room, in the order of the rooms."""
        sites = [site.findings for site in (self.profile.skin, self.profile.gut) if site is not None]
        found = [*self.profile.findings, *(f for site in sites for f in site), *self.plan.findings]
        if isinstance(self.formula, Formula):
            found.extend(self.formula.findings)
        return tuple(dict.fromkeys(found))


def consult(
    patient: Patient,
    *,
    skin: Path | None = None,
    gut: Path | None = None,
    skin_sample: str | None = None,
    gut_sample: str | None = None,
    seed: int = 2026,
    alternatives: int = 5,
    time_limit_seconds: float = 10.0,
    on_step: Callable[[str], None] = lambda step: None,
) -> Consultation:
    """Profile, forecast, plan and formula of one patient; keeps nothing.

    `on_step` hears the name of each step as it begins. Errors are those of the rooms.
    """
    from biflora.profile.read import read_profile

    on_step("Reading the files")
    profile = read_profile(patient, skin=skin, gut=gut, skin_sample=skin_sample, gut_sample=gut_sample)
    return consult_on(
        profile, seed=seed, alternatives=alternatives, time_limit_seconds=time_limit_seconds, on_step=on_step
    )


def consult_on(
    profile: Profile,
    *,
    seed: int = 2026,
    alternatives: int = 5,
    time_limit_seconds: float = 10.0,
    on_step: Callable[[str], None] = lambda step: None,
) -> Consultation:
    """The same from a profile that was already read."""
    from biflora.plan.make_plan import make_plan
    from biflora.twin.run import forecast as forecast_for

    on_step("Simulating the four arms")
    forecast = forecast_for(profile, weeks=WEEKS, seed=seed)
    on_step("Ranking the arms")
    plan = make_plan(profile, forecast)
    if plan.needs is None or plan.stopped:
        return Consultation(profile=profile, forecast=forecast, plan=plan)
    from biflora.formula.formulate import formulate

    on_step("Designing the formula")
    formula = formulate(
        plan.needs, parents=(plan.id,), alternatives=alternatives, time_limit_seconds=time_limit_seconds
    )
    return Consultation(profile=profile, forecast=forecast, plan=plan, formula=formula)
