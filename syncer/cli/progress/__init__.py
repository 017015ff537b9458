"""What stderr shows while a run goes on."""
