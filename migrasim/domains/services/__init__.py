"""School places and health capacity: supply, crowding, and what newcomers reach of it."""
