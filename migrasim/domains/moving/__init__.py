"""Considering, choosing and making a move."""
