"""The potentials of pelplug keep the contract of a potential, one item a rule."""

from __future__ import annotations

import functools

import pelplug
from pelplug.testing import parametrize_with_checks, states

# model, parameters, number of particles
CASES = {
    "lennard-jones-shift": ("kob-andersen", {}, 60),
    "lennard-jones-shifted-force": ("kob-andersen", {"truncation": "shifted-force"}, 40),
    "lennard-jones-smooth": ("kob-andersen", {"truncation": "smooth", "cutoff": 1.8}, 60),
    "lennard-jones-shifted-force-2d": ("kob-andersen-2d", {"truncation": "shifted-force"}, 40),
    "lennard-jones-two-cutoffs": ("modified-kob-andersen", {}, 60),
    "lennard-jones-smooth-2d": ("kob-andersen-2d", {"truncation": "smooth"}, 30),
    "inverse-power-law-2d": ("inverse-power-law-2d", {}, 30),
    "inverse-power-law": ("inverse-power-law", {}, 60),
    "sticky-spheres": ("sticky-spheres", {}, 60),
    "soft-spheres": ("polydisperse-soft-spheres", {}, 60),
    "soft-discs": ("polydisperse-soft-spheres-2d", {}, 40),
    "harmonic-discs": ("harmonic-spheres", {"dimension": 2}, 40),
    "harmonic-spheres": ("harmonic-spheres", {"dimension": 3}, 60),
    "harmonic-spheres-4d": ("harmonic-spheres", {"dimension": 4, "volume_fraction": 0.8}, 24),
    "harmonic-spheres-5d": ("harmonic-spheres", {"dimension": 5, "volume_fraction": 0.8}, 14),
    "harmonic-spheres-6d": ("harmonic-spheres", {"dimension": 6, "volume_fraction": 0.35}, 12),
    "harmonic-spheres-8d": ("harmonic-spheres", {"dimension": 8, "volume_fraction": 0.03}, 10),
    "stillinger-weber": ("stillinger-weber", {}, 40),
    "mari-kurchan": ("mari-kurchan", {}, 40),
}

EXPECTED = {
    "mari-kurchan": {
        "check_strain_is_derivative": "its shifts are drawn in a cubic cell: a strained one has no energy",
        "check_strain_curvature": "the same",
    }
}


@functools.cache
def potential_of(name):
    """The potential of a model, and the state that it is looked at in: no lattice, in a tilted cell."""
    model_name, parameters, n = CASES[name]
    model = pelplug.model(model_name, **parameters)
    state = model.random_configuration(n, 5)
    if model_name != "mari-kurchan":  # which needs a cubic box
        state = states.tilted(state, 5, tilt=0.2, rotate=False)
    potential = model.potential(state)
    potential.name = name
    state = states.without_overlaps(state, potential, steps=30)
    potential.trial = {"configuration": state, "expected_failures": EXPECTED.get(name, {})}
    return potential


@parametrize_with_checks(map(potential_of, CASES))
def test_contract(check):
    check()
