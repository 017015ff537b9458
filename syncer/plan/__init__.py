"""What a run will do, as data."""
