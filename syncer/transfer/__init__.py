"""One image graph to n targets."""
