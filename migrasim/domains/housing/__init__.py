"""Dwellings by tenure, rents, queues."""
