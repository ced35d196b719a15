"""What the plan decides: this year's values of the levers."""
