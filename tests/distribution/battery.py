"""Write keyed draws as raw bytes for a battery of tests.

``python tests/distribution/battery.py | dieharder -a -g 200``

The order is the one in which the model uses them: alternative within chooser, chooser within year.
"""

import sys

import numpy as np

from migrasim.core.chance import Decision, draw, stream
from migrasim.core.rule import kernel

ALTERNATIVES, CHOOSERS = 16, 1 << 16


@kernel
def block(key, first, words):
    for i in range(CHOOSERS):
        for j in range(ALTERNATIVES):
            words[i * ALTERNATIVES + j] = draw(key, np.uint64(first + i), j)


def main() -> None:
    """Years upon years of draws, until the reader has had enough."""
    words = np.empty(CHOOSERS * ALTERNATIVES, np.uint64)
    year = 2021
    try:
        while True:
            key = np.uint64(stream(0, Decision.GUMBEL, year))
            for first in range(0, 1 << 20, CHOOSERS):
                block(key, first, words)
                sys.stdout.buffer.write(words.tobytes())
            year += 1
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
