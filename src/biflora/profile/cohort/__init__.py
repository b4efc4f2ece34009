"""Statistics of cohorts: many samples of many persons, compared by a formula."""
