"""Results of runs: what one holds, and how it is stored."""
