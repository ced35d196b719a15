"""Rules are compiled when first called, which takes longer than an example may by default."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
