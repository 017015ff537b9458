"""mirrors.yaml: from text to settings, with every mistake at once."""
