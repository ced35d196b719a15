"""Jobs by chain and sector, wages, farm incomes, matching."""
