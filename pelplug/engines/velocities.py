"""Maxwell–Boltzmann velocities."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.arguments import takes
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["kinetic_temperature", "thermalised"]


@takes("the velocities")
def thermalised(
    configuration: Configuration,
    model: Model,
    temperature: Annotated[float, Param("of the velocities", exclusive_minimum=0.0, unit="temperature")],
    rng: np.random.Generator | int,
) -> Configuration:
    """Give particles Maxwell–Boltzmann velocities without total momentum, scaled to the exact temperature.

    Parameters
    ----------
    configuration : Configuration
        State; where it has no masses, those that the model knows.
    model : Model
        Whose units the numbers are in.
    temperature : float
        T in the units of the model: ``model.boltzmann`` times it is an energy.
    rng : numpy.random.Generator or int
        Source of randomness, or its seed.

    Returns
    -------
    Configuration
        The same state with velocities whose `kinetic_temperature` is `temperature`.

    Raises
    ------
    InputError
        If the temperature is not positive or there is only one particle.
    """
    if configuration.n < 2:
        raise InputError("One particle has no thermal velocity once the total momentum is taken out; use at least two.")
    configuration.require_masses("Thermal velocities need")
    rng = np.random.default_rng(rng)
    masses = model.masses_of(configuration)
    velocities = (
        rng.standard_normal(configuration.positions.shape)
        * np.sqrt(model.boltzmann * temperature / (model.mass_unit * masses))[:, None]
    )
    velocities -= (masses @ velocities) / masses.sum()
    moving = configuration.replace(velocities=velocities)
    return moving.replace(velocities=velocities * np.sqrt(temperature / kinetic_temperature(moving, model)))


def kinetic_temperature(configuration: Configuration, model: Model) -> float:
    """Return ``sum m v**2 / (d (N - 1) k_B)``.

    Parameters
    ----------
    configuration : Configuration
        State with velocities; its masses, or those that the model knows.
    model : Model
        Whose units the numbers are in.

    Returns
    -------
    float
        [temperature]; NaN without velocities.
    """
    if configuration.velocities is None or configuration.n < 2:
        return float("nan")
    masses = model.masses_of(configuration)
    twice = model.mass_unit * float(np.sum(masses[:, None] * configuration.velocities**2))
    return twice / (model.boltzmann * configuration.dimension * (configuration.n - 1))
