"""Other programs' forces, and a glass of 500 with all analyses: kappa, moduli and modes as by the built-in derivatives.

Run with ``-s`` for the figures; docs/records/2026-11-30-from-forces.md has them.
"""

import json
import sys
import time

import numpy as np
import oracles
import pytest
from oracles.installed import SOURCES
from oracles.stillinger_weber import write_sw_file
from oracles.with_lammps import restricted_cell

import pelplug
from pelplug.execution.lammps import shipped_potential
from pelplug.testing.crystals import crystal

pytestmark = pytest.mark.validation


class Lammps(pelplug.Potential):
    """A LAMMPS that holds one system: energy and forces, whatever its pair style, in any cell of as many atoms."""

    def __init__(self, commands, species, cutoff, units="lj"):
        self.commands, self.species, self.cutoff, self.style = commands, species, cutoff, units
        self.running, self.evaluations = None, 0

    def record(self):
        return {"potential": "lammps", "commands": self.commands, "units": self.style}

    def energy_forces(self, configuration):
        n = configuration.n
        if self.running is None or self.n != n:
            self.close()
            self.running, _ = oracles.build_lammps(configuration, self.species, self.commands, units=self.style)
            self.n = n
        lower, turn = restricted_cell(configuration.cell)
        s = configuration.fractional()
        (xx, _, _), (xy, yy, _), (xz, yz, zz) = lower.tolist()
        self.running.command(
            f"change_box all x final 0 {xx!r} y final 0 {yy!r} z final 0 {zz!r} "
            f"xy final {xy!r} xz final {xz!r} yz final {yz!r} units box"
        )
        positions = (s - np.floor(s)) @ lower
        self.running.scatter_atoms("x", 1, 3, np.ctypeslib.as_ctypes(positions.ravel().copy()))
        self.running.command("run 0 post no")
        self.evaluations += 1
        forces = np.ctypeslib.as_array(self.running.gather_atoms("f", 1, 3)).reshape(-1, 3)
        return self.running.get_thermo("pe"), forces @ turn

    def close(self):
        if self.running is not None:
            self.running.close()
            self.running = None


def amorphous_silicon(n):
    model = pelplug.model("stillinger-weber")
    start = model.random_configuration(n, 7)
    liquid = pelplug.quench(start, model.potential(start), "lbfgs", force_tolerance=1e-11).require_converged()
    return model, liquid.configuration.wrapped()


def told(name, made, seconds, potential, **more):
    report = made.found()
    names = "reach_origin colours order step noise_of_forces asymmetry acoustic_sum second_step pairs errors"
    shown = {key: report.get(key) for key in names.split()}
    print(f"\n{name}: {seconds:.1f} s, {potential.evaluations} evaluations", {**shown, **more})


def test_silicon_by_stillinger_weber_in_lammps(tmp_path):
    model, state = amorphous_silicon(1000)
    built_in = model.potential(state)
    potential = Lammps(write_sw_file(tmp_path), state.species_names, built_in.cutoff)
    begin = time.perf_counter()
    response = pelplug.LinearResponse(state, potential)
    seconds = time.perf_counter() - begin
    exact = pelplug.LinearResponse(state, built_in)
    assert len(response.pairs) == len(exact.pairs)
    kappa, expected = pelplug.dipole_stiffness(response), pelplug.dipole_stiffness(exact)
    shear, true_shear = pelplug.shear_modulus(response), pelplug.shear_modulus(exact)
    off = kappa.mean / expected.mean - 1.0
    of_each = np.abs(kappa.kappa_i / expected.kappa_i - 1.0).max()
    of_shear = np.abs(shear.values - true_shear.values).max() / true_shear.mean
    told("sw", response.potential, seconds, potential, mean=off, kappa_i=of_each, shear=of_shear)
    assert abs(off) < 4e-7 and abs(off) < kappa.errors["kappa_mean"]
    assert of_each < kappa.errors["kappa_i"] < 1e-4
    assert np.all(np.abs(shear.values - true_shear.values) < shear.errors) and of_shear < 1e-6
    assert response.potential.found()["colours"] < 400
    potential.close()


def test_silicon_by_tersoff_in_lammps():
    """No built-in form: differences of columns by another step and order, and a crystal's elastic constants."""
    file = shipped_potential("Si.tersoff")
    commands = f"pair_style tersoff\npair_coeff * * {file} Si"
    potential = Lammps(commands, ("Si",), 3.0, "metal")
    state = crystal("diamond", 5, spacing=2.3516, species="Si")
    rng = np.random.default_rng(0)
    moved = state.replace(positions=state.positions + rng.normal(scale=0.03, size=state.positions.shape))
    made = pelplug.FromForces(potential)
    begin = time.perf_counter()
    found = made.hessian(moved)
    seconds = time.perf_counter() - begin
    told("tersoff", made, seconds, potential)
    some = rng.choice(found.shape[0], 6, replace=False)
    x = np.zeros(moved.positions.shape)
    for column in some:
        differences = []
        for h in (1e-3, 5e-4):
            x[:] = 0.0
            x.flat[column] = h
            ends = [potential.energy_forces(moved.replace(positions=moved.positions + s * x))[1] for s in (1, -1)]
            differences.append((ends[1] - ends[0]).ravel() / (2 * h))
        richardson = (4 * differences[1] - differences[0]) / 3
        assert np.abs(found.tocsr()[:, [column]].toarray()[:, 0] - richardson).max() < 1e-6 * np.abs(richardson).max()
    potential.close()


def test_elastic_constants_of_silicon_by_tersoff():
    """Those published for the parameters of 1988 that LAMMPS ships: C11 = 1.217, C12 = 0.858, C44 = 0.103 Mbar.

    H. Balamane, T. Halicioglu and W. A. Tiller, Phys. Rev. B 46, 2250 (1992), as T2.
    """
    potential = Lammps(
        f"pair_style tersoff\npair_coeff * * {shipped_potential('Si.tersoff')} Si", ("Si",), 3.0, "metal"
    )
    state = crystal("diamond", 2, spacing=5.4321 * np.sqrt(3) / 4, species="Si")
    state = pelplug.quench(state, potential, force_tolerance=1e-9).require_converged().configuration
    elastic = pelplug.elastic_constants(pelplug.LinearResponse(state, potential))
    mbar = 1.602176634  # eV / Angstrom**3
    found = [value * mbar for value in (elastic.c11, elastic.c12, elastic.c44)]
    print("\ntersoff elastic constants [Mbar]", found)
    assert found == pytest.approx([1.217, 0.858, 0.103], abs=0.005)
    potential.close()


@pytest.fixture(scope="module")
def glass(tmp_path_factory):
    """A supercooled liquid of 500 (T = 0.5, a short run), quenched."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    folder = tmp_path_factory.mktemp("glass")
    pelplug.simulate(model, n=500, temperature=0.5, steps=40_000, output=folder / "t.gsd", frames="20000", seed=4)
    last = pelplug.read_configuration(folder / "t.gsd", frame=-1)
    end = pelplug.quench(last, model.potential(last)).require_converged().configuration.wrapped()
    pelplug.write_trajectory(folder / "glass.nc", [end.replace(step=0, velocities=None)])
    return model, folder / "glass.nc"


@pytest.mark.parametrize("name", ["kappa", "vibrations", "inherent-structures"])
def test_a_glass_of_500_by_a_numpy_calculator(glass, name):
    model, file = glass
    sys.path.insert(0, str(SOURCES))
    try:
        from pelplug_calculator import Calculator

        more = {} if name == "inherent-structures" else {"solver": "dense"}
        begin = time.perf_counter()
        found = pelplug.analyze(name, file, potential=Calculator(), **more)
        seconds = time.perf_counter() - begin
    finally:
        sys.path.remove(str(SOURCES))
    exact = pelplug.analyze(name, file, model=model, **more)
    if name == "inherent-structures":
        np.testing.assert_allclose(found["energy"], exact["energy"], atol=1e-9)
        return
    (frame,) = json.loads(found.attrs["derivatives"])["frames"].values()
    errors = frame["errors"]
    of_shear = float(np.abs(found["shear_modulus"] - exact["shear_modulus"]).max() / exact["shear_modulus"].mean())
    shown = {"evaluations": frame["evaluations"], "colours": frame["colours"], "shear_modulus": of_shear}
    assert of_shear < errors["shear_modulus"] < 1e-6
    if name == "kappa":
        shown["mean"] = abs(float(found["kappa_mean"] / exact["kappa_mean"]) - 1.0)
        shown["kappa_i"] = float(np.abs(found["kappa"] / exact["kappa"] - 1.0).max())
        assert shown["mean"] < errors["kappa_mean"] < 1e-5 and shown["kappa_i"] < errors["kappa_i"] < 1e-4
    else:
        shown["softest"] = float(np.abs((found["omega"][0] / exact["omega"][0]) ** 2 - 1.0))
        shown["omega"] = float(np.abs(found["omega"] / exact["omega"] - 1.0).max())
        assert shown["softest"] < errors["softest_mode"] < 1e-4 and shown["omega"] < 1e-6
    print(f"\n{name}: {seconds:.0f} s", shown, errors)
