"""Minimisers: from a configuration to its inherent structure."""
