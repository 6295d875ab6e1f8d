"""Hooks, discovery, registry, pipeline, and the functions that users call. For the face and `cli`."""
