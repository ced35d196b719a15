"""Levers of the year and exogenous reclassification of villages as towns."""
