"""Readers of particle files in double precision: MDAnalysis readers that drop nothing pelplug needs."""
