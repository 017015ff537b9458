"""The values of the image world: digests, names, references, descriptors, manifests. Nothing here does I/O."""
