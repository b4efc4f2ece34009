"""A mass too small for the balance is weighed inside a larger one: the trituration's arithmetic."""

from __future__ import annotations

import math

from biflora.knowledge.dispensing import dispensing_setting
from biflora.values import Value


class Trituration(Value):
    """Weigh `weigh_g`, mix with `diluent_g`, and take `take_g` of the mixture: it holds the wanted mass."""

    factor: int
    weigh_g: float
    diluent_g: float
    take_g: float


def trituration_for(target_g: float) -> Trituration | None:
    """The smallest whole-number trituration that keeps every weighing at or above the balance's least weight.

    With factor k: k times the target is weighed, diluted to k times k times the target, and one k-th of that is
    taken, which again holds the target. None when the target can be weighed as it is.
    """
    least = dispensing_setting("balance_least_weight_g").value
    if target_g >= least or target_g <= 0:
        return None
    factor = math.ceil(least / target_g - 1e-9)
    weigh = factor * target_g
    return Trituration(
        factor=factor,
        weigh_g=round(weigh, 6),
        diluent_g=round((factor - 1) * weigh, 6),
        take_g=round(weigh, 6),
    )
