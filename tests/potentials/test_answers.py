"""Potentials of others that are wrong are refused in one sentence, before any frame is worked on."""

import itertools

import numpy as np
import pytest
import scipy.sparse
from click.testing import CliRunner

import pelplug
from pelplug import Capability
from pelplug.cli.main import cli
from pelplug.potentials.answers import check_told_apart
from pelplug.potentials.derivatives import check_potential
from pelplug.potentials.forms import FORMS

NUMBERS = itertools.count()
ALL = Capability.HESSIAN | Capability.PAIRS | Capability.STRAIN | Capability.EVALUATOR


def state(n=40, seed=1):
    rng = np.random.default_rng(seed)
    return pelplug.Configuration(rng.uniform(0, 3.7, (n, 3)), [3.7] * 3, ["A"] * n, frame=0)


def own(epsilon=1.0):
    numbers = {"epsilon": epsilon, "exponent": 10}
    form = FORMS["inverse-power-law"]
    return pelplug.PairPotential(form, species=("A",), sigma=1.0, cutoff=1.5, parameters=numbers, truncation="smooth")


class Right(pelplug.Potential):
    """Somebody's own, which asks one of ours; each test changes one answer."""

    capabilities = ALL
    cutoff = 1.5
    name = "right"

    def __init__(self, epsilon=1.0):
        self._own, self.epsilon = own(epsilon), epsilon

    def record(self):
        return {"potential": self.name, "epsilon": self.epsilon}

    def energy_forces(self, configuration):
        return self._own.energy_forces(configuration)

    def evaluator(self, configuration):
        return self._own.evaluator(configuration)

    def hessian(self, configuration):
        return self._own.hessian(configuration)

    def pairs(self, configuration):
        return self._own.pairs(configuration)

    def strain_derivatives(self, configuration):
        return self._own.strain_derivatives(configuration)


def changed(**attributes):
    """A class of its own with some methods or attributes replaced, and another record."""
    return type("Wrong", (Right,), {"name": f"wrong {next(NUMBERS)}"} | attributes)()


def test_a_right_one_passes_and_is_looked_at_once(monkeypatch):
    potential, asked = Right(), []
    check_potential(potential, state(), hessian=True)
    monkeypatch.setattr(Right, "energy_forces", lambda self, state: asked.append(state))
    check_potential(potential, state(), hessian=True)
    assert asked == []


def energies(answer):
    return {"energy_forces": lambda self, configuration: answer(*self._own.energy_forces(configuration))}


def first_nan(array):
    array = np.array(array)
    array.flat[0] = np.nan
    return array


def raising(self, configuration):
    raise ZeroDivisionError("the library is not there")


def of_hessian(change):
    return {"hessian": lambda self, configuration: change(self._own.hessian(configuration))}


def of_pairs(**change):
    def pairs(self, configuration):
        found = self._own.pairs(configuration)
        return pelplug.Pairs(**{**vars(found), **{name: value(getattr(found, name)) for name, value in change.items()}})

    return {"pairs": pairs}


def of_strain(**change):
    def strain_derivatives(self, configuration):
        found = self._own.strain_derivatives(configuration)
        changes = {name: value(getattr(found, name)) for name, value in change.items()}
        return pelplug.StrainDerivatives(**{**vars(found), **changes})

    return {"strain_derivatives": strain_derivatives}


class Silent(pelplug.Evaluator):
    def __call__(self, positions, forces):
        return 0.0


class Shared:
    """Forces in one array, which each call overwrites."""

    def __init__(self):
        self.array = None

    def __call__(self, potential, configuration):
        energy, forces = potential._own.energy_forces(configuration)
        self.array = forces if self.array is None else self.array
        self.array[:] = forces
        return energy, self.array


def shared():
    keeper = Shared()
    return {"energy_forces": lambda self, configuration: keeper(self, configuration)}


def changing():
    counter = iter(range(1000))
    return {"record": lambda self: {"now": next(counter)}}


CASES = {
    "energy alone": (energies(lambda u, f: (u, None)), "gives no forces, and everything needs them"),
    "one thing": (energies(lambda u, f: u), "gives float where two things are due"),
    "energies of particles": (energies(lambda u, f: (np.ones(len(f)), f)), r"gives the energy an array of .* \(40,\)"),
    "energy of words": (energies(lambda u, f: (str(u), f)), "gives the energy '"),
    "forces turned over": (energies(lambda u, f: (u, f.T)), r"as forces an array of float64 of shape \(3, 40\)"),
    "complex forces": (energies(lambda u, f: (u, f + 1j)), "as forces an array of complex128"),
    "nan": (energies(lambda u, f: (np.nan, f)), "an energy that is no number"),
    "nan in the forces": (energies(lambda u, f: (u, first_nan(f))), "forces on 1 of 40 particles that are no number"),
    "other forces": (energies(lambda u, f: (u, 1.01 * f)), "wrong forces"),
    "other sign": (energies(lambda u, f: (u, -f)), "wrong forces"),
    "one array": (shared(), "changes the array of forces that it returned before"),
    "raising": ({"energy_forces": raising}, r"fails in energy_forces\(\) \(ZeroDivisionError: the library"),
    "hessian raising": ({"hessian": raising}, r"fails in hessian\(\) \(ZeroDivisionError: the library"),
    "hessian of nothing": (of_hessian(lambda h: None), r"Hessian of shape \(\) for 40 particles"),
    "hessian of another shape": (of_hessian(lambda h: h.tocsr()[:3, :3]), r"Hessian of shape \(3, 3\)"),
    "hessian with nan": (of_hessian(lambda h: h * np.nan), "not finite"),
    "hessian that is not symmetric": (of_hessian(scipy.sparse.triu), "not symmetric|wrong Hessian"),
    "hessian of something else": (of_hessian(lambda h: 1.02 * h), "wrong Hessian"),
    "pairs raising": ({"pairs": raising}, r"fails in pairs\(\) .* or leave PAIRS out of its capabilities"),
    "pairs of a kind": ({"pairs": lambda self, configuration: [(0, 1)]}, r"gives as pairs\(\) a list"),
    "pairs one short": (of_pairs(first=lambda values: values[1:]), "gives as first of its pairs an array"),
    "pairs by name": (of_pairs(i=lambda values: values + 40), "pairs of particles that are not 0 to 39"),
    "pairs with nan": (of_pairs(second=first_nan), "gives as second of its pairs"),
    "strain raising": ({"strain_derivatives": raising}, r"fails in strain_derivatives\(\)"),
    "strain of a kind": ({"strain_derivatives": lambda self, configuration: 3}, r"as strain_derivatives\(\) 3"),
    "strain of another shape": (of_strain(mixed=lambda values: values.reshape(-1)), "gives as mixed of its strain"),
    "strain without symmetry": (of_strain(first=lambda values: values + np.triu(values, 1)), "dU/dF that is not symm"),
    "strain of something else": (of_strain(first=lambda values: 1.02 * values), "wrong dU/dF"),
    "evaluator raising": ({"evaluator": raising}, r"fails in evaluator\(\) .* leave EVALUATOR out"),
    "evaluator of a kind": ({"evaluator": lambda self, configuration: print}, r"gives as evaluator\(\) a builtin"),
    "evaluator that says nothing": ({"evaluator": lambda self, configuration: Silent()}, "does not give what energy_f"),
    "record of a kind": ({"record": lambda self: "mine"}, "'mine', not a dictionary with something in it"),
    "empty record": ({"record": lambda self: {}}, "not a dictionary with something in it"),
    "record of an object": ({"record": lambda self: {"of": object()}}, "is not plain data .* has no JSON form"),
    "record raising": ({"record": lambda self: 1 / 0}, r"fails in record\(\) \(ZeroDivisionError"),
    "record of the time": (changing(), "is another one each time"),
    "units of a kind": ({"units": 3}, "units of the potential Wrong are 3"),
    "cutoff below zero": ({"cutoff": -1.0}, "cutoff of the potential Wrong is -1.0"),
    "sizes of species": ({"sizes": lambda self, configuration: np.ones(2)}, r"gives as sizes\(\) an array"),
    "flags of a kind": ({"capabilities": "HESSIAN"}, "give pelplug.Capability flags"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_answer_is_refused(name):
    attributes, words = CASES[name]
    with pytest.raises(pelplug.InputError, match=words) as caught:
        check_potential(changed(**attributes), state(), hessian=True)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize("capability", [one for one in Capability if one in ALL])
def test_what_is_declared_and_not_there_is_refused(capability):
    class Bare(pelplug.Potential):
        capabilities = capability

        def energy_forces(self, configuration):
            return own().energy_forces(configuration)

        def record(self):
            return {"bare": capability.name}

    with pytest.raises(pelplug.InputError, match=rf"declares {capability.name} and has no \w+\(\); write it, or leave"):
        check_potential(Bare(), state(), hessian=True)


def test_what_fails_before_it_is_asked_for_forces_is_a_sentence_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pelplug.write_trajectory("a.gsd", [state().replace(step=0)])

    def of_instance(self):
        self.units = "furlongs"
        Right.__init__(self)

    for attributes, words in [
        ({"sizes": raising}, r"fails in sizes\(\) \(ZeroDivisionError"),
        ({"units": 3}, "The units of the potential Wrong: there are no units '3'"),
        ({"__init__": of_instance}, "The units of the potential Wrong: there are no units 'furlongs'"),
        ({"record": raising}, r"fails in record\(\)"),
    ]:
        with pytest.raises(pelplug.InputError, match=words):
            pelplug.analyze("inherent-structures", "a.gsd", potential=changed(**attributes))


def test_units_may_be_given_by_name():
    assert changed(units="metal").units == pelplug.Units.of("metal")


def test_what_no_analysis_asks_for_is_not_looked_at():
    """A Hessian that takes hours is no reason to refuse a quench."""
    check_potential(changed(hessian=raising, pairs=raising, strain_derivatives=raising), state())


def test_two_potentials_of_one_record_are_told_apart():
    class Same(Right):
        def record(self):
            return {"potential": "the same"}

    check_potential(Same(), state())
    check_potential(Same(), state(seed=2))  # another object of the same numbers
    with pytest.raises(pelplug.InputError, match="has the record of another one: one state has the energy"):
        check_potential(Same(1.1), state())
    with pytest.raises(pelplug.InputError, match="has the record of another one"):
        check_potential(Same(1.1), state(seed=3))


def test_the_record_of_a_potential_for_other_particles_is_no_quarrel():
    class Bound(Right):
        """It knows its own number of particles only."""

        def __init__(self, n):
            super().__init__()
            self.n = n

        def record(self):
            return {"potential": "bound"}

        def energy_forces(self, configuration):
            if configuration.n != self.n:
                raise ValueError("another number of particles")
            return super().energy_forces(configuration)

    check_told_apart(Bound(40), state())
    check_told_apart(Bound(30), state(30))


def test_before_work_by_analyses_simulations_and_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pelplug.write_trajectory("a.gsd", [state(seed=k).replace(step=k) for k in range(3)])
    alone = changed(**CASES["energy alone"][0])
    for plugin in ("inherent-structures", "kappa"):
        with pytest.raises(pelplug.InputError, match="gives no forces"):
            pelplug.analyze(plugin, "a.gsd", potential=alone)
    with pytest.raises(pelplug.InputError, match="gives no forces"):
        pelplug.simulate(potential=alone, start="a.gsd", temperature=1.0, steps=10, time_step=0.001, output="b.gsd")
    (tmp_path / "calc.py").write_text(
        "import numpy as np\n\ndef wrong(configuration):\n"
        "    return float(np.sum(configuration.positions**2)), configuration.positions\n"
    )
    for command in (["quench", "a.gsd"], ["analyze", "--plugin", "kappa", "a.gsd"]):
        suffix = ".gsd" if command[0] == "quench" else ".nc"
        answer = CliRunner().invoke(cli, [*command, "--potential", "python:calc.py", "-o", f"out{suffix}"])
        assert answer.exit_code == 2, answer.stderr
        assert answer.stderr.count("\n") == 1 and "The potential wrong has wrong forces" in answer.stderr
    assert not list(tmp_path.glob("out*")) and not list(tmp_path.glob("b*"))


def test_a_state_with_overlaps_is_left_to_the_run():
    """Infinite is what some functions are there; the frame is left out, and others are not."""
    check_potential(changed(**energies(lambda u, f: (np.inf, f))), state())
