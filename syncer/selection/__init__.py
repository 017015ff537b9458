"""Which tags and which platforms: pure functions."""
