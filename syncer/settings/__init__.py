"""The frozen values that a configuration becomes."""
