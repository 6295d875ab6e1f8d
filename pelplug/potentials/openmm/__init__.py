"""Potentials that OpenMM computes: of a System, whoever made it."""
