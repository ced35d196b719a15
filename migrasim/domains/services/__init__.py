"""School places, health capacity, access of permit holders."""
