"""Swap Monte Carlo, for polydisperse liquids that no dynamics equilibrates."""
