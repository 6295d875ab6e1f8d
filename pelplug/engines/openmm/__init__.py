"""OpenMM as an engine, for potentials that OpenMM computes."""
