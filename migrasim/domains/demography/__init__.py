"""Births, deaths, ageing, schooling, marriages, new and dissolved households, arrivals."""
