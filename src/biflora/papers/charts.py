"""All charts by name; each returns `Chart` values and none reads or writes anything."""

from __future__ import annotations

from biflora.papers.chart import Chart
from biflora.papers.charts_dots import outcome_dots
from biflora.papers.charts_forecast import difference_fans, forecast_fans, outcome_course
from biflora.papers.charts_goals import finger_tips, twenty_dots
from biflora.papers.charts_microbiome import composition, log_ratio
from biflora.papers.charts_trial import trial_comparison

__all__ = [
    "Chart",
    "composition",
    "difference_fans",
    "finger_tips",
    "forecast_fans",
    "log_ratio",
    "outcome_course",
    "outcome_dots",
    "trial_comparison",
    "twenty_dots",
]
