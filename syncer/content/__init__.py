"""Where images live: the protocols of places, and the checks that no place may skip."""
