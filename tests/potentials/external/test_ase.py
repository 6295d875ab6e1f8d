"""Calculators of ASE: Kob-Andersen and silicon beside pelplug's own, Hessians of matscipy, and what is refused."""

import hashlib
import json
import pickle
import re

import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli.main import cli

ase = pytest.importorskip("ase")

KOB_ANDERSEN = '''
import numpy as np
from ase.calculators.calculator import Calculator, all_changes

EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
SIGMA = np.array([[1.0, 0.8], [0.8, 0.88]])
CUT = 1.8
C4 = 24 * CUT**-10 - 84 * CUT**-16
C2 = 24 * CUT**-14 - 12 * CUT**-8 - 2 * C4 * CUT**2
C0 = -4 * (CUT**-12 - CUT**-6) - C2 * CUT**2 - C4 * CUT**4


class KobAndersen(Calculator):
    """Kob-Andersen with U, U' and U'' zero at the cutoff, argon the large ones, krypton the small ones."""

    implemented_properties = ["energy", "forces"]
    default_parameters = {"scale": 1.0}

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.parameters.get("fails_above") and atoms.cell[0, 0] > self.parameters.fails_above:
            raise RuntimeError("the cycle did not converge")
        kind = (atoms.numbers == 36).astype(int)
        i, j = np.triu_indices(len(atoms), 1)
        apart = atoms.positions[i] - atoms.positions[j]
        apart -= np.rint(apart @ np.linalg.inv(atoms.cell.array)) @ atoms.cell.array
        epsilon, sigma = EPSILON[kind[i], kind[j]], SIGMA[kind[i], kind[j]]
        x2 = np.sum(apart**2, axis=1) / sigma**2
        near = x2 < CUT**2
        i, j, apart, epsilon, sigma, x2 = (one[near] for one in (i, j, apart, epsilon, sigma, x2))
        slope = epsilon * (-48 * x2**-7 + 24 * x2**-4 + 2 * C2 + 4 * C4 * x2) / sigma**2
        forces = np.zeros_like(atoms.positions)
        np.subtract.at(forces, i, slope[:, None] * apart)
        np.add.at(forces, j, slope[:, None] * apart)
        energy = np.sum(epsilon * (4 * (x2**-6 - x2**-3) + C0 + C2 * x2 + C4 * x2**2))
        if "hessian" in properties:
            along = epsilon * (624 * x2**-7 - 168 * x2**-4 + 2 * C2 + 12 * C4 * x2) / sigma**2
            blocks = ((along - slope) / (x2 * sigma**2))[:, None, None] * apart[:, :, None] * apart[:, None]
            blocks += slope[:, None, None] * np.eye(3)
            whole = np.zeros((len(atoms), 3, len(atoms), 3))
            for one, other, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                np.add.at(whole, (one, slice(None), other), sign * blocks)
            self.results["hessian"] = whole.reshape(2 * (3 * len(atoms),))
        scale = self.parameters.scale
        self.results |= {"energy": scale * energy, "forces": scale * forces}


class Analytic(KobAndersen):
    implemented_properties = ["energy", "forces", "hessian"]


def make():
    return KobAndersen()


def analytic():
    return Analytic()


class Single(KobAndersen):
    """In single precision, as models that were learned are."""

    def calculate(self, *arguments):
        super().calculate(*arguments)
        self.results["forces"] = self.results["forces"].astype(np.float32)


def single():
    return Single()


def weak():
    return KobAndersen(scale=0.5)


def sometimes():
    return KobAndersen(fails_above=5.25)


def number():
    return 3


def broken():
    raise OSError("no file of weights")


def needs(weights):
    return KobAndersen()
'''
SILICON = """
def make():
    from matscipy.calculators.manybody import Manybody
    from matscipy.calculators.manybody.explicit_forms import StillingerWeber
    from matscipy.calculators.manybody.explicit_forms.stillinger_weber import Stillinger_Weber_PRB_31_5262_Si

    return Manybody(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))


def without():
    calculator = make()
    calculator.implemented_properties = ["energy", "forces"]
    return calculator
"""
NAMES = {"A": "Ar", "B": "Kr"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calc.py").write_text(KOB_ANDERSEN)
    (tmp_path / "silicon.py").write_text(SILICON)
    return tmp_path


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def kob_andersen():
    return pelplug.model("kob-andersen", truncation="smooth", cutoff=1.8, units="metal", sigma=1.0, epsilon=1.0)


def glass(n=80, seed=1):
    """An inherent structure of Kob-Andersen with masses of two kinds, large enough for one image of each pair."""
    model = kob_andersen()
    start = model.random_configuration(n, np.random.default_rng(seed))
    found = pelplug.quench(start, model.potential(start), force_tolerance=1e-10).configuration
    return found.replace(masses=np.where(found.species == "A", 40.0, 84.0), step=0)


def liquid(seed=3, n=30):
    """Particles on a disturbed lattice."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3)[:n] * 1.3
    return pelplug.Configuration(
        grid + rng.uniform(-0.1, 0.1, (n, 3)), [5.2] * 3, ["Ar"] * (n - 6) + ["Kr"] * 6, step=0
    )


def test_kob_andersen_by_a_calculator_is_the_built_in(here):
    """With a Hessian of its own; by forces alone it is the same to 1e-8, and takes minutes."""
    pelplug.write_trajectory("glass.gsd", glass())
    asked = {"units": "metal", "pairs": "all"}
    theirs = pelplug.analyze(
        ["kappa", "vibrations"], "glass.gsd", potential="ase:calc.py:analytic", species=NAMES, **asked
    )
    ours = pelplug.analyze(["kappa", "vibrations"], "glass.gsd", model=kob_andersen(), **asked)
    np.testing.assert_allclose(theirs["kappa"]["kappa"], ours["kappa"]["kappa"], rtol=1e-5)
    np.testing.assert_allclose(theirs["kappa"]["shear_modulus"], ours["kappa"]["shear_modulus"], rtol=1e-6)
    frequencies = [one["vibrations"]["omega"] for one in (theirs, ours)]
    assert frequencies[0].attrs["units"] == frequencies[1].attrs["units"] == "rad / ps"
    np.testing.assert_allclose(*frequencies, rtol=1e-6, atol=1e-6)


def silicon():
    """Disturbed silicon and the built-in model of it."""
    basis = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0], [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]]) / 4
    cells = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3)
    places = (cells[:, None] + basis).reshape(-1, 3) * 5.431
    places += np.random.default_rng(2).normal(0, 0.1, places.shape)
    state = pelplug.Configuration(places, [2 * 5.431] * 3, ["Si"] * 64, masses=np.full(64, 28.085), step=0)
    return state, pelplug.model("stillinger-weber", three_body=21.0, units="metal", sigma=2.0951, epsilon=2.1683)


def test_silicon_by_matscipys_own_hessian_is_the_built_in(here):
    pytest.importorskip("matscipy")
    state, model = silicon()
    own, theirs = model.potential(state), pelplug.potential("ase:silicon.py:make")
    assert theirs.can(pelplug.Capability.HESSIAN)
    for one, other in zip(own.energy_forces(state), theirs.energy_forces(state), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5)
    exact = own.hessian(state).toarray()
    np.testing.assert_allclose(theirs.hessian(state).toarray(), exact, atol=1e-5 * np.abs(exact).max())


@pytest.mark.validation
def test_stiffness_of_silicon_by_matscipy_is_that_of_the_built_in(here):
    """Pairs are those within the cutoff, so kappa_i is a mean over the same ones."""
    pytest.importorskip("matscipy")
    state, model = silicon()
    theirs = pelplug.potential("ase:silicon.py:make")
    # The same calculator without its Hessian: by differences of its forces.
    analytic = theirs.hessian(state).toarray()
    measured = pelplug.FromForces(pelplug.potential("ase:silicon.py:without"))
    np.testing.assert_allclose(measured.hessian(state).toarray(), analytic, atol=1e-6 * np.abs(analytic).max())
    moved = state.positions + np.random.default_rng(3).normal(0, 0.45, (64, 3))
    glass = pelplug.quench(state.replace(positions=moved), model.potential(state), force_tolerance=1e-9).configuration
    pelplug.write_trajectory("silicon.gsd", glass.replace(step=0))
    asked = {"units": "metal", "pairs": "all"}
    by_ase = {"potential": "ase:silicon.py:make", "potential_parameters": {"cutoff": 1.8 * 2.0951}}
    kappa, wanted = (pelplug.analyze("kappa", "silicon.gsd", **one, **asked) for one in (by_ase, {"model": model}))
    np.testing.assert_allclose(kappa["kappa"], wanted["kappa"], rtol=1e-5)
    np.testing.assert_allclose(kappa["shear_modulus"], wanted["shear_modulus"], rtol=1e-6)


def test_what_it_is_made_of_is_recorded(here):
    found = pelplug.potential("ase:calc.py:weak")
    record = found.record()
    assert record["calculator"] == "KobAndersen" and record["parameters"]["scale"] == 0.5
    assert record["sha256"] == hashlib.sha256((here / "calc.py").read_bytes()).hexdigest()
    assert record["name"] == "weak" and record["versions"]["ase"] == ase.__version__
    assert json.loads(json.dumps(record)) == record
    assert str(here) not in json.dumps(record)  # a path says nothing
    found.energy(liquid())
    assert found.record() == record == pelplug.potential("ase:calc.py:weak").record()
    again = pickle.loads(pickle.dumps(found))  # as a worker gets it
    assert again.record() == record and again.energy(liquid()) == found.energy(liquid())
    assert str(found.units).startswith("metal")


def test_an_object_is_a_potential_too(here):
    from ase.build import bulk
    from ase.calculators.emt import EMT

    calculator = EMT()
    found, by_name = pelplug.potential(calculator), pelplug.potential("ase:ase.calculators.emt:EMT")
    rng = np.random.default_rng(4)
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    atoms.rattle(0.05, rng=rng)
    state = pelplug.Configuration(atoms.positions, atoms.cell.array, atoms.get_chemical_symbols())
    atoms.calc = EMT()
    for one in (found, by_name):
        energy, forces = one.energy_forces(state)
        assert energy == pytest.approx(atoms.get_potential_energy(force_consistent=True), rel=1e-12)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-10)
    assert found.record()["content"] == pelplug.potential(EMT()).record()["content"]
    assert found.record()["content"] == pelplug.potential(calculator).record()["content"]  # not of what it saw last
    # A particle in any image, and a cell of other vectors of the lattice, mean the same.
    moved = state.replace(positions=state.positions + rng.integers(-2, 3, (state.n, 3)) @ state.cell)
    assert found.energy(moved) == pytest.approx(found.energy(state), rel=1e-12)
    with pytest.raises(pelplug.InputError, match=r"a state, not a potential; give their calculator, atoms\.calc"):
        pelplug.potential(atoms)


def test_a_frame_in_which_it_raises_fails_alone(here):
    """The first as well as any other."""
    states = [liquid(seed).replace(cell=[edge, 5.2, 5.2], step=seed) for seed, edge in enumerate((5.3, 5.2, 5.3))]
    pelplug.write_trajectory("run.gsd", states)
    asked = {"potential": "ase:calc.py:sometimes", "units": "metal", "force_tolerance": 1.0}
    found = pelplug.analyze("inherent-structures", "run.gsd", **asked)
    assert found.sizes["frame"] == 1
    why = json.loads(found.attrs["failed_frames"])
    assert list(why) == ["0", "2"] and all("the cycle did not converge" in one for one in why.values())


def test_a_quench_is_not_asked_for_less_than_the_noise(here):
    pelplug.write_trajectory("glass.gsd", liquid())
    asked = {"potential": "ase:calc.py:single", "units": "metal"}
    words = r"have a noise of [\d.e-]+, so that no quench gets below 1e-10; raise --force-tolerance to ([\d.e-]+)"
    with pytest.raises(pelplug.InputError, match=words) as refused:
        pelplug.analyze("inherent-structures", "glass.gsd", **asked)
    enough = float(re.search(words, str(refused.value))[1])
    found = pelplug.analyze("inherent-structures", "glass.gsd", force_tolerance=enough, **asked)
    assert float(found.max_force[0]) < enough < 1e-2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("ase:calc.py:number", ["number of calc.py returns 3, no calculator of ASE; write a function without"]),
        ("ase:calc.py:broken", ["broken of calc.py fails: OSError: no file of weights"]),
        ("ase:calc.py:needs", ["needs of calc.py fails", "weights"]),
        ("ase:calc.py:CUT", ["CUT of calc.py is 1.8, no calculator"]),
        ("ase:calc.py:mak", ["calc.py defines no mak (did you mean make?)"]),
        ("ase:calc.py", ["several calculators; it has make, analytic, single, weak", "ase:calc.py:make"]),
        ("ase:clac.py:make", ["There is no file clac.py"]),
        ("ase:no.such.module:EMT", ["There is no module no.such.module; a file is given with its ending, as ase:calc"]),
        ("ase:calc.py:make", ["takes chemical elements, and A is none (Kr would be", "--species A=Ar"]),
    ],
)
def test_bad_calculators_are_one_sentence_before_any_work(here, given, words):
    pelplug.write_trajectory("a.gsd", liquid().replace(species=["A"] * 24 + ["Kr"] * 6))
    answer = run("quench", "a.gsd", "--potential", given, "--units", "metal", "-o", "out.gsd")
    assert answer.exit_code == 2, answer.stderr
    assert answer.stderr.count("\n") == 1 and "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr
    assert not list(here.glob("out*"))


def test_units_dimensions_and_the_library(here, monkeypatch):
    pelplug.write_trajectory("a.gsd", liquid())
    asked = {"potential": "ase:calc.py:make"}
    with pytest.raises(pelplug.InputError, match=r"a\.gsd is in reduced units and the potential KobAndersen in real"):
        pelplug.analyze("inherent-structures", "a.gsd", units="lj", **asked)
    flat = pelplug.Configuration(np.random.default_rng(1).uniform(0, 9, (9, 2)), [9.0, 9.0], ["Ar"] * 9)
    with pytest.raises(pelplug.InputError, match="three-dimensional, and the configuration has d = 2"):
        pelplug.potential("ase:calc.py:make").energy(flat)
    calculator = pelplug.potential("ase:calc.py:make").calculator
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None)
    for given in ("ase:calc.py:make", calculator):
        with pytest.raises(
            pelplug.InputError, match=r"ASE is not installed\. Install ASE with `pip install 'pelplug\[ase"
        ):
            pelplug.potential(given)


def test_a_potential_that_is_not_smooth_is_refused_for_moduli(here):
    """Lennard-Jones cut off without a shift: the energy jumps where a pair crosses the cutoff."""
    plain = KOB_ANDERSEN.replace(" + C0 + C2 * x2 + C4 * x2**2", "").replace(" + 2 * C2 + 4 * C4 * x2", "")
    (here / "cut.py").write_text(plain)
    pelplug.write_trajectory("a.gsd", glass())
    with pytest.raises(pelplug.PelplugError, match="must be continuous where a particle crosses a cutoff"):
        pelplug.analyze("kappa", "a.gsd", potential="ase:cut.py:make", species=NAMES, units="metal")


def test_what_nothing_identifies_is_refused():
    class Handle:
        def get_potential_energy(self, atoms):
            return 0.0

        def get_forces(self, atoms):
            return np.zeros((len(atoms), 3))

    held = Handle()
    held.stream = (number for number in range(3))
    with pytest.raises(pelplug.InputError, match=r"Nothing identifies the calculator Handle.*ase:calc"):
        pelplug.potential(held)
