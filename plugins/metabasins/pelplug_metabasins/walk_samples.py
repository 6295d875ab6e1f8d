"""Random walks in a landscape of known law, as results of metabasins: to try the study random-walk with."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import xarray as xr

import pelplug

__all__ = ["walks"]

PARTICLES, MOVE = 65, 0.075  # standard deviation of a coordinate's move from one metabasin to the next


def walks(landscape: pelplug.TrapLandscape, temperatures, metabasins: int, seed: int, *, analysed: bool = True) -> list:
    """Return results of `metabasins` at each temperature, of records that begin and end with a jump.

    Parameters
    ----------
    landscape : TrapLandscape
        Energies are counted from its centre.
    temperatures : sequence of float
        [temperature]
    metabasins : int
        How many at each.
    seed : int
        Of the walks.
    analysed : bool, optional
        False for the list of metabasins alone, without averages and places, which is made at once.
    """
    made = []
    for k, temperature in enumerate(temperatures):
        rng = np.random.default_rng([seed, k])
        energy = landscape.draw(metabasins, temperature, rng, 1.0)
        stay = rng.exponential(1.0 / landscape.draw_rates(energy, temperature, rng, 1.0))
        if analysed:
            dataset = _analysed(energy, stay, rng)
        else:
            # what is met first was entered before, so that every one of them was seen whole
            columns = {"metabasin_energy": energy, "waiting_time": stay, "complete": np.ones(metabasins)}
            dataset = xr.Dataset({name: ("metabasin", column) for name, column in columns.items()})
        said = pelplug.Conditions(
            model={"name": "kob-andersen", "parameters": {}},
            n=PARTICLES,
            density=1.2,
            temperature=float(temperature),
            seed=seed,
            units=pelplug.Units.of("reduced"),
        )
        name = hashlib.sha256(f"{temperature} {seed} {metabasins}".encode()).hexdigest()
        dataset.attrs |= {
            "analysis": "metabasins", "parameters": "{}", "created": name,
            "trajectories": json.dumps([{"file": name[:8], "sha256": name, "frames": ""}]),
            "model": json.dumps(said.model), "units": json.dumps(said.units.to_dict()), **said.to_attributes(),
        }  # fmt: skip
        made.append(dataset)
    return made


def _analysed(energy: np.ndarray, stay: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
    end, visit = np.cumsum(stay), np.arange(stay.size)
    moves = MOVE * rng.normal(size=(stay.size, PARTICLES, 3))
    moves -= moves.mean(axis=1, keepdims=True)
    source = xr.Dataset(
        {
            "visit_structure": ("visit", visit),
            "visit_first": ("visit", 2 * visit),
            "visit_last": ("visit", 2 * visit + 1),
            "visit_energy": ("visit", energy),
            "positions": (("visit", "particle", "dimension"), np.cumsum(moves, axis=0)),
            "cell": (("vector", "dimension"), 3.8 * np.eye(3)),
        },
        {
            "frame": ("frame", np.arange(2 * stay.size)),
            "time": ("frame", np.column_stack([np.r_[0.0, end[:-1]], end]).ravel()),
        },
    )
    inputs = {"inherent-structure-transitions": source}
    return pelplug.analyses.Metabasins(None, inputs=inputs, samples=40).summarize(xr.Dataset())
