"""Dwellings by tenure: stock and flow, rents, the queue for public rental housing, relief for newcomers."""
