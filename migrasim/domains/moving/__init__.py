"""Considering, choosing where and in which form, and being matched or refused."""
