"""A potential of which energy and forces alone are known."""

from __future__ import annotations

import pelplug


class Only(pelplug.Potential):
    """Another potential without what else it can, and with a cutoff if it is given."""

    def __init__(self, potential, cutoff=None):
        self.of, self.cutoff = potential, cutoff

    def record(self):
        return {"of": self.of.record()}

    def energy_forces(self, configuration):
        return self.of.energy_forces(configuration)
