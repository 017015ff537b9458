"""Who runs the copies of a plan."""
