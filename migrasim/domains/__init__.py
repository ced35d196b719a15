"""The domains: each a folder with its facts, its rules and its phase."""
