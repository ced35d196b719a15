"""Births, deaths, ageing, schooling, new households."""
