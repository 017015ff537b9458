"""Wiring: what is made of which parts, and the runs that the commands start."""
