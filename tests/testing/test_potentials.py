"""Potentials of models with other parameters than their own keep the contract too, one item a rule; see test_models."""

from __future__ import annotations

import functools

from faulty import potentials

import pelplug
from pelplug.potentials.given import as_potential
from pelplug.testing import Kit, parametrize_with_checks, states
from pelplug.testing.models import disordered

# model, parameters, number of particles
CASES = {
    "lennard-jones-smooth": ("kob-andersen", {"truncation": "smooth", "cutoff": 1.8}, 60),
    "lennard-jones-shifted-force": ("kob-andersen", {"truncation": "shifted-force"}, 40),
    "lennard-jones-smooth-2d": ("kob-andersen-2d", {"truncation": "smooth"}, 30),
    "harmonic-discs": ("harmonic-spheres", {"dimension": 2}, 40),
    "harmonic-spheres-4d": ("harmonic-spheres", {"dimension": 4, "volume_fraction": 0.8}, 24),
    "harmonic-spheres-5d": ("harmonic-spheres", {"dimension": 5, "volume_fraction": 0.8}, 14),
    "harmonic-spheres-6d": ("harmonic-spheres", {"dimension": 6, "volume_fraction": 0.35}, 12),
    "harmonic-spheres-8d": ("harmonic-spheres", {"dimension": 8, "volume_fraction": 0.03}, 10),
}


@functools.cache
def potential_of(name):
    """The potential of a model, and the state that it is looked at in: no lattice, in a tilted cell."""
    model_name, parameters, n = CASES[name]
    model = pelplug.model(model_name, **parameters)
    state = disordered(model, n, 5)
    potential = model.potential(state)
    potential.name, potential.trial = name, {"configuration": state}
    return potential


def bonds():
    """Stillinger-Weber particles in two dimensions, with other exponents; and three, whose images all meet."""
    for name, n, d, numbers in (
        ("stillinger-weber-2d", 24, 2, {"q": 1.0, "p": 5}),
        ("stillinger-weber-three", 3, 3, {}),
    ):
        potential = pelplug.StillingerWeberPotential(**numbers)
        state = states.tilted(states.liquid(n, d, density=0.55, seed=n), 1, tilt=0.2)
        potential.trial = {"configuration": states.without_overlaps(state, potential)}
        potential.name = name
        yield potential


@parametrize_with_checks([*map(potential_of, CASES), *bonds()])
def test_contract(check):
    check()


class Bare(pelplug.Potential):
    """Energy and forces in plain numpy, and nothing else."""

    name = "energy-and-forces"

    def energy_forces(self, configuration):
        return potentials.GOOD.energy_forces(configuration)

    def record(self):
        return potentials.GOOD.record()


def function(configuration):
    """What a user hands over instead of a potential."""
    return potentials.GOOD.energy_forces(configuration)


@parametrize_with_checks(
    [Bare(), pelplug.FromForces(Bare()), as_potential(function)], kit=Kit(configuration=potentials.STATE)
)
def test_what_has_forces_alone(check):
    check()
