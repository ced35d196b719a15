"""``python -m migrasim`` is the command ``migrasim``."""

from migrasim.cli import main

if __name__ == "__main__":
    main()
