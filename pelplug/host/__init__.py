"""The host of the plugins: hooks, discovery, registry, which analyses run, and the functions that users call."""
