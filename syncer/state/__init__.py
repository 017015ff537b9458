"""What outlives a run: confirmed tags, rewritten indexes, the lock."""
