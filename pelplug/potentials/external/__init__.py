"""Providers of potentials that are not pelplug's own, one file each, found without a list. For users of other codes."""
