"""From settings and registries to a plan; reads only."""
