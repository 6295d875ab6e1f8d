"""Inherent structures of which each has a mean of its own, so that what belongs to one is correlated."""

from __future__ import annotations

import types
from unittest import mock

import numpy as np
import xarray as xr
from scipy import stats
from validation.stated_errors.energies import correlated
from validation.stated_errors.judged import Stated, Subject, error, interval

import pelplug

__all__ = ["SUBJECTS"]

PAIRS = 400
OWN, WITHIN = 0.1, 0.6
"""Standard deviations of ln kappa from structure to structure, and from pair to pair of one."""
SPREAD = np.hypot(OWN, WITHIN)
KAPPA = 30.0
MODULUS, MODULUS_SPREAD, PLANE_SPREAD = 12.0, 1.5, 2.0
RATIOS = (0.5, 1.0, 2.0)
"""Values of kappa/<kappa> at which the distribution is looked at."""
PARTICLES = 200
ELASTIC = [name for name, field in pelplug.ElasticConstants.FIELDS.items() if field.dims == ("frame",)]


def summary_of(analysis, dataset: xr.Dataset, particles: int) -> xr.Dataset:
    """Return what an analysis makes of the values of its frames."""
    analysis.trajectory = types.SimpleNamespace(species=np.full(particles, "A"), n=particles, path="drawn", dimension=3)
    return analysis.summarize(dataset)


def kappa(structures: int):
    """Return what draws dipole stiffnesses and shear moduli of so many structures."""

    def draw(seed: int) -> dict[str, Stated]:
        rng = np.random.default_rng(seed)
        own = rng.normal(0.0, OWN, structures)
        values = KAPPA * np.exp(own[:, None] + rng.normal(0.0, WITHIN, (structures, PAIRS)))
        modulus = (
            MODULUS + rng.normal(0, MODULUS_SPREAD, (structures, 1)) + rng.normal(0, PLANE_SPREAD, (structures, 3))
        )
        given = xr.Dataset(
            {
                "kappa_ij": ("pair", values.ravel()),
                "kappa_frame": ("frame", values.mean(axis=1)),
                "n_pairs": ("frame", np.full(structures, PAIRS)),
                "pair_rule": ("frame", np.full(structures, "interacting")),
                "shear_modulus": (("frame", "plane"), modulus),
                **{name: ("frame", modulus[:, 0]) for name in ELASTIC},
                "solver": ("frame", np.full(structures, "dense")),
                "cell": (("frame", "vector", "dimension"), np.tile(10.0 * np.eye(3), (structures, 1, 1))),
            },
            {"frame": np.arange(structures), "pair_frame": ("pair", np.repeat(np.arange(structures), PAIRS))},
        )
        analysis = pelplug.analyses.Kappa(None, inputs={"inherent-structures": xr.Dataset()})
        ds = summary_of(analysis, given, PARTICLES)
        mean = KAPPA * np.exp(0.5 * SPREAD**2)
        found = {
            name: error(ds[name], ds.get(f"{name}_error", np.nan), truth)
            for name, truth in (("kappa_mean", mean), ("shear_modulus_mean", MODULUS))
        }
        found |= {
            "kappa_mean 90 %": interval(ds["kappa_mean"], ds["kappa_interval"], mean),
            "shear_modulus_mean 90 %": interval(ds["shear_modulus_mean"], ds["shear_modulus_interval"], MODULUS),
        }
        edges = ds["kappa_ratio_edges"].values
        law = stats.norm(-0.5 * SPREAD**2, SPREAD)  # of ln(kappa / <kappa>)
        for ratio in RATIOS:
            k = int(np.searchsorted(edges, ratio) - 1)
            truth = np.diff(law.cdf(np.log(edges[k : k + 2])))[0] / (edges[k + 1] - edges[k])
            value = ds["kappa_distribution"][k]
            stated = ds["kappa_distribution_error"][k] if "kappa_distribution_error" in ds else np.nan
            found[f"kappa_distribution({ratio:g})"] = error(value, stated, truth)
            bounds = (np.nan, np.nan)
            if "kappa_distribution_interval" in ds:
                bounds = ds["kappa_distribution_interval"].transpose("bound", "kappa_ratio").values[:, k]
            found[f"kappa_distribution({ratio:g}) 90 %"] = interval(value, bounds, truth)
        return found

    return draw


KAPPAS = tuple(
    f"{name}{how}"
    for name in ("kappa_mean", "shear_modulus_mean", *(f"kappa_distribution({ratio:g})" for ratio in RATIOS))
    for how in ("", " 90 %")
)


def defects(frames: int, tau: float):
    """Return what draws shares of particles in defects, correlated from frame to frame."""

    def draw(seed: int) -> dict[str, Stated]:
        rng = np.random.default_rng(seed)
        phi = 0.3 + 0.04 * correlated(rng, frames, tau)
        given = xr.Dataset(
            {
                **{f"{name}_frame": ("frame", phi) for name in ("phi", "broken", "inserted")},
                "phi": (("frame", "particle"), np.zeros((frames, PARTICLES), dtype=np.int8)),
                "positions": (("frame", "particle", "dimension"), np.zeros((frames, PARTICLES, 3))),
                "g": (("frame", "x"), np.tile(RDF, (frames, 1))),
                "x_eq": ("frame", np.full(frames, 1.4)),
            },
            {"frame": np.arange(frames)},
        )
        analysis = pelplug.analyses.Defects(None, x_eq=1.4, inputs={"inherent-structures": xr.Dataset()})
        ds = summary_of(analysis, given, PARTICLES)
        return {
            "phi_mean": error(ds["phi_mean"], ds["phi_mean_error"], 0.3),
            "chi": error(ds["chi"], ds["chi_error"], PARTICLES * 0.04**2),
        }

    return draw


_X = 0.02 * (np.arange(100) + 0.5)
RDF = np.where(_X > 0.9, 1.0 + np.cos(2.0 * np.pi * (_X - 1.05) / 0.8), 0.0)
"""A g(x) with a minimum, which the summary looks for."""

BETA = 0.85


def descent(frames: int):
    """Return what draws descents, v(t) = t^-beta in the mean, each faster or slower, steeper or flatter than that."""

    def draw(seed: int) -> dict[str, Stated]:
        rng = np.random.default_rng(seed)
        analysis = pelplug.analyses.Relaxation(None, t_min=10.0, t_max=300.0)
        times = analysis.descent_times
        shape = 1.0 + 0.08 * rng.normal(size=(frames, 1)) + 0.04 * rng.normal(size=(frames, 1)) * np.log(times / 50.0)
        curves = times**-BETA * shape
        energy = -7.0 + 0.1 * rng.normal(size=(frames, 1)) + 0.0 * times
        given = xr.Dataset(
            {
                "rms_velocity": (("frame", "descent_time"), curves),
                "energy_per_particle": (("frame", "descent_time"), energy),
                "end_time": ("frame", np.full(frames, 1e4)),
            },
            {"frame": np.arange(frames)},
        )
        ds = summary_of(analysis, given, PARTICLES)
        found = {"beta": error(ds["beta"], ds["beta_error"], BETA)}
        for name, truth in (("mean_velocity", times**-BETA), ("mean_energy_per_particle", -7.0 + 0.0 * times)):
            k = int(np.argmin(abs(np.log(times / 30.0))))
            found[name] = error(ds[name][k], ds[f"{name}_error"][k], truth[k])
        return found

    return draw


RUNS, MOVING = 20, 4
SIGMA = 0.1
START = pelplug.Configuration(
    positions=np.random.default_rng(0).uniform(0.0, 8.0, (60, 3)),
    cell=8.0 * np.eye(3),
    species=np.array(["A"] * 48 + ["B"] * 12),
)


def propensity(seed: int) -> dict[str, Stated]:
    """Return what propensity says of particles whose displacements in the runs of one frame are drawn."""
    rng = np.random.default_rng(seed)
    state = START
    moved = rng.normal(0.0, SIGMA, (RUNS, 1, state.n, 3))
    runs = pelplug.IsoconfigurationalRuns(np.array([1.0]), moved, np.zeros((RUNS, state.n, 3)), "drawn", "drawn")
    analysis = pelplug.analyses.Propensity(
        None, model=pelplug.model("kob-andersen"), duration=1.0, velocity_temperature=1.0, time_step=0.005,
        inputs={"kappa": xr.Dataset({"kappa": ("particle", rng.uniform(1, 2, state.n))})},
    )  # fmt: skip
    analysis.trajectory = types.SimpleNamespace(species=state.species, species_names=["A", "B"], n=state.n)
    with mock.patch.object(pelplug, "isoconfigurational", return_value=runs):
        values = analysis.compute(state)
    mean, stated = values["propensity"], values["propensity_error"]
    truth = SIGMA * np.sqrt(8.0 / np.pi)
    return {f"propensity of particle {i}": error(mean[i], stated[i], truth) for i in range(MOVING)}


def spearman(frames: int):
    """Return what draws rank correlations, one a frame."""

    def draw(seed: int) -> dict[str, Stated]:
        rng = np.random.default_rng(seed)
        found = 0.3 + 0.1 * rng.normal(size=frames)
        given = xr.Dataset(
            {
                "spearman_frame": ("frame", found),
                "kappa_ratio": (("frame", "particle"), rng.lognormal(0, 0.3, (frames, START.n))),
                "kappa_rank": (("frame", "particle"), rng.uniform(size=(frames, START.n))),
                "mobile": (("frame", "selected"), np.zeros((frames, 5), dtype=int)),
                "immobile": (("frame", "selected"), np.ones((frames, 5), dtype=int)),
            },
            {"frame": np.arange(frames)},
        )
        analysis = pelplug.analyses.Propensity(
            None, model=pelplug.model("kob-andersen"), duration=1.0, velocity_temperature=1.0, time_step=0.005
        )
        analysis.trajectory = types.SimpleNamespace(
            species=START.species, species_names=["A", "B"], n=START.n, configuration=lambda frame: START
        )
        ds = analysis.summarize(given)
        return {"spearman_mean": error(ds["spearman_mean"], ds["spearman_error"], 0.3)}

    return draw


SOFT, MODES = 2.0, 100
"""Mean number of modes of a structure below the frequency 1, and of all that it has."""


def vibrations(structures: int):
    """Return what draws frequencies with a density that grows as omega^4, below 1 as many as chance has it."""

    def draw(seed: int) -> dict[str, Stated]:
        rng = np.random.default_rng(seed)
        number = rng.poisson(SOFT, structures)
        omega = np.concatenate([np.r_[np.sort(rng.random(n) ** 0.2), 1.5] for n in number])
        given = xr.Dataset(
            {
                "omega": ("mode", omega),
                "n_modes": ("frame", np.full(structures, MODES)),
                **{name: ("frame", np.full(structures, 1.2)) for name in ("omega_known", "omega_phonon")},
                "debye": ("frame", np.full(structures, 0.1)),
                **{name: ("frame", 1.0 + rng.random(structures)) for name in ("shear_modulus", *ELASTIC)},
            },
            {"frame": np.arange(structures), "mode_frame": ("mode", np.repeat(np.arange(structures), number + 1))},
        )
        analysis = pelplug.analyses.Vibrations(None, fit_below=1.0, inputs={"inherent-structures": xr.Dataset()})
        ds = summary_of(analysis, given, PARTICLES)
        return {
            "exponent": error(ds["exponent"], ds["exponent_error"], 4.0),
            "quartic": error(ds["quartic"], ds["quartic_error"], 5.0 * SOFT / MODES),
        }

    return draw


SUBJECTS = (
    Subject(
        "vibrations-20-structures",
        "vibrations",
        f"modes of 20 structures with a density that grows as omega^4, {SOFT:g} a structure below the limit of the fit",
        400,
        14_500,
        ("exponent", "quartic"),
        vibrations(20),
    ),
    *(
        Subject(
            f"kappa-{structures}-structures",
            "kappa",
            f"{structures} inherent structures of {PAIRS} pairs, log-normal kappa with a mean of each structure's own",
            400,
            7000 + 1000 * k,
            KAPPAS,
            kappa(structures),
        )
        for k, structures in enumerate((5, 20))
    ),
    *(
        Subject(
            f"defects-{words}",
            "defects",
            f"shares of particles in defects in {frames} frames, {how}",
            400,
            9000 + 1000 * k,
            ("phi_mean", "chi"),
            defects(frames, tau),
        )
        for k, (words, frames, tau, how) in enumerate(
            (("apart", 20, 1e-3, "independent"), ("in-time", 400, 4.0, "correlated over 4 frames"))
        )
    ),
    *(
        Subject(
            f"relaxation-{frames}-frames",
            "relaxation",
            f"power laws of descent with scatter from frame to frame, {frames} frames",
            400,
            11_000 + 1000 * k,
            ("beta", "mean_velocity", "mean_energy_per_particle"),
            descent(frames),
        )
        for k, frames in enumerate((5, 20))
    ),
    Subject(
        "propensity-of-particles",
        "propensity",
        f"Gaussian displacements of particles in {RUNS} runs from one frame",
        400,
        13_000,
        tuple(f"propensity of particle {i}" for i in range(MOVING)),
        propensity,
    ),
    Subject(
        "propensity-spearman",
        "propensity",
        "rank correlations of 10 frames",
        400,
        14_000,
        ("spearman_mean",),
        spearman(10),
    ),
)
