"""The measuring rig: syncer beside its peers on one corpus, counted and timed from outside. See docs/performance.md."""
