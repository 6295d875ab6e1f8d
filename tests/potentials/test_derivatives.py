"""Derivatives of a third party's forms and potentials are checked at first use, and right ones never refused."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.sparse

import pelplug
from pelplug.host.functions import default_registry
from pelplug.landscape.minimise.quench import quench
from pelplug.models.harmonic_spheres import additive
from pelplug.potentials import derivatives, differences, form_check
from pelplug.potentials.base import Capability, Evaluator, Pairs, Potential, StrainDerivatives
from pelplug.potentials.forms import FORMS


@pytest.fixture(autouse=True)
def nothing_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(differences, "_passed", set())
    monkeypatch.setattr(differences, "cache_folder", lambda: tmp_path / "cache")


def pair(function, parameters=None, cutoff=2.5, squared=None, **more):
    parameters = {"epsilon": 1.0} if parameters is None else parameters
    form = pelplug.Form("mine", function, tuple(parameters), "mine", squared=squared)
    return pelplug.PairPotential(form, sigma=1.0, cutoff=cutoff, parameters=parameters, **more)


# --- right forms ------------------------------------------------------------------------------------------------------


def yukawa(x, p):
    u = p[0] * math.exp(-p[1] * x) / x
    du = -u * (p[1] + 1.0 / x)
    return u, du, u * ((p[1] + 1.0 / x) ** 2 + 1.0 / x**2)


def morse(x, p):
    e = math.exp(-p[1] * (x - 1.0))
    return p[0] * (e * e - 2.0 * e), 2.0 * p[0] * p[1] * (e - e * e), 2.0 * p[0] * p[1] ** 2 * (2.0 * e * e - e)


def steep(x, p):
    u = p[0] * x**-36.0
    return u, -36.0 * u / x, 36.0 * 37.0 * u / x**2


def kinked(x, p):
    """A parabola that ends within the cutoff: U'' jumps, and a ramp beyond."""
    if x < 1.1:
        return 0.5 * p[0] * (1.1 - x) ** 2, -p[0] * (1.1 - x), p[0]
    return 0.1 * p[0] * (x - 1.1), 0.1 * p[0], 0.0


def core(x, p):
    if x < 1.0:
        return math.inf, math.nan, math.nan
    return -p[0] / x**6, 6 * p[0] / x**7, -42 * p[0] / x**8


def square_well(x, p):
    return (0.0 if x > 1.5 else -p[0]), 0.0, 0.0


def wca(x, p):
    if x * x >= 2.0 ** (1.0 / 3.0):
        return 0.0, 0.0, 0.0
    s = x**-6.0
    return 4 * p[0] * (s * s - s) + p[0], -24 * p[0] * (2 * s * s - s) / x, 24 * p[0] * (26 * s * s - 7 * s) / x**2


def lj_shift(x, p):
    s = x**-6.0
    return 4 * p[0] * (s * s - s) + 1e3, -24 * p[0] * (2 * s * s - s) / x, 24 * p[0] * (26 * s * s - 7 * s) / x**2


def oscillating(x, p):
    return (
        p[0] * math.cos(20 * x) / x,
        -p[0] * (20 * math.sin(20 * x) + math.cos(20 * x) / x) / x,
        p[0] * (-400 * math.cos(20 * x) / x + 40 * math.sin(20 * x) / x**2 + 2 * math.cos(20 * x) / x**3),
    )


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (yukawa, {"epsilon": 10.0, "screening": 3.0}),
        (yukawa, {"epsilon": 1e-9, "screening": 0.0}),
        (yukawa, {"epsilon": 0.0, "screening": 1.0}),
        (morse, {"epsilon": 1.0, "a": 14.0}),
        *((f, {"epsilon": 2.0}) for f in (steep, kinked, core, square_well, wca, lj_shift, oscillating)),
    ],
)
@pytest.mark.parametrize("cutoff", [0.9, 2.5])
def test_right_forms_are_taken(function, parameters, cutoff):
    assert pair(function, parameters, cutoff).cutoff == cutoff
    assert pair(function, parameters, cutoff, truncation="smooth").cutoff == cutoff


@pytest.mark.parametrize("name", FORMS)
def test_bundled_forms_pass_the_same_check(name):
    own = FORMS[name]
    numbers = {"exponent": 12.0} | {
        key: value for key, value in zip(own.parameters, (1.0, 0.3, -0.2, 0.1), strict=False)
    }
    p = np.array([numbers.get(key, 0.05) for key in own.parameters])
    form_check._check_function(own, p, own.cutoff or 2.5)


# --- wrong ones -------------------------------------------------------------------------------------------------------


def wrong_second(x, p):
    u, du, ddu = morse(x, p)
    return u, du, 1.013 * ddu


def wrong_sign(x, p):
    u, du, ddu = morse(x, p)
    return u, -du, ddu


def wrong_near_the_cutoff(x, p):
    u, du, ddu = yukawa(x, p)
    return u, du, ddu if x < 2.4 else ddu + 0.02 * abs(ddu)


def wrong_with_one_parameter(x, p):
    """As if the author had tried screening 1 only."""
    u, du, ddu = yukawa(x, p)
    return u, du, ddu * p[1]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (wrong_second, "wrong second derivative: at x = r / sigma = .* correct its function"),
        (wrong_sign, "wrong first derivative"),
        (wrong_near_the_cutoff, "wrong second derivative: at x = r / sigma = 2.4"),
        (wrong_with_one_parameter, "wrong second derivative"),
        (lambda x, p: (1.0 / x, -1.0 / x**2), "does not return"),
        (lambda x, p: np.linalg.inv(x), "fails at x = r / sigma"),
    ],
)
def test_wrong_forms_are_refused(function, words):
    with pytest.raises(pelplug.InputError, match=words) as caught:
        pair(function, {"epsilon": 1.0, "a": 3.0})
    assert "\n" not in str(caught.value)
    with pytest.raises(pelplug.InputError, match=words):
        form = pelplug.Form("mine", function, ("epsilon", "a"), "mine")
        pelplug.PairPotential(
            form, sigma="diameters", mixing=additive, cutoff=2.5, parameters={"epsilon": 1.0, "a": 3.0}
        )


def test_the_second_function_of_a_form_agrees_with_the_first():
    def squared(s, p):
        return p[0] * s**-6.0, -12.0 * p[0] * s**-7.0

    def other(s, p):
        return p[0] * s**-6.0, -11.0 * p[0] * s**-7.0

    def twelve(x, p):
        return p[0] * x**-12.0, -12.0 * p[0] * x**-13.0, 156.0 * p[0] * x**-14.0

    pair(twelve, squared=squared)
    with pytest.raises(pelplug.InputError, match="is two things"):
        pair(twelve, squared=other)


def test_what_has_passed_is_remembered_by_its_code(monkeypatch, tmp_path):
    first = differences.key_of("form", [morse, None, [(2.5, 1.0)]])
    assert first != differences.key_of("form", [wrong_second, None, [(2.5, 1.0)]])
    assert first != differences.key_of("form", [morse, None, [(2.5, 2.0)]])
    pair(morse, {"epsilon": 1.0, "a": 3.0})
    kept = list((tmp_path / "cache" / "derivatives").iterdir())
    assert len(kept) == 1
    monkeypatch.setattr(differences, "_passed", set())
    monkeypatch.setattr(form_check, "_check_function", lambda *_: pytest.fail("checked twice"))
    pair(morse, {"epsilon": 1.0, "a": 3.0})


# --- whole potentials -------------------------------------------------------------------------------------------------


class Springs(Potential):
    """Every pair within the box, U = k/2 (r - 1)^2 + c r^3 of the nearest images of few particles; dense and slow."""

    cutoff = 10.0
    capabilities = Capability.HESSIAN | Capability.PAIRS | Capability.STRAIN | Capability.EVALUATOR

    def __init__(self, force=1.0, curvature=1.0, mixed=1.0, slope=1.0, jump=0.0):
        self.force, self.curvature, self.mixed, self.slope, self.jump = force, curvature, mixed, slope, jump

    def _sum(self, state):
        n, d = state.positions.shape
        energy, forces, hessian = 0.0, np.zeros((n, d)), np.zeros((n, d, n, d))
        stress, mixed = np.zeros((d, d)), np.zeros((d, d, n, d))
        inverse = np.linalg.inv(state.cell)
        for i in range(n):
            for j in range(i + 1, n):
                s = (state.positions[j] - state.positions[i]) @ inverse
                r = (s - np.rint(s)) @ state.cell
                length = np.linalg.norm(r)
                if length > 2.0:
                    continue
                e = r / length
                u1, u2 = length - 2.0 + self.jump, 1.0
                energy += 0.5 * (length - 2.0) ** 2 + self.jump * (length - 2.0)
                forces[i] += u1 * e
                forces[j] -= u1 * e
                block = u2 * np.outer(e, e) + u1 / length * (np.eye(d) - np.outer(e, e))
                hessian[i, :, i] += block
                hessian[j, :, j] += block
                hessian[i, :, j] -= block
                hessian[j, :, i] -= block
                stress += np.outer(u1 * e, r)
                # d/dF_ab of (F^T grad) for the relative vector r
                part = np.einsum("ca,b->abc", block, r)
                part = part + np.einsum("a,bc->abc", u1 * e, np.eye(d))
                mixed[:, :, j] += part
                mixed[:, :, i] -= part
        return energy, forces, hessian.reshape(n * d, n * d), stress, mixed.reshape(d, d, n * d)

    def record(self):
        return {"springs": [self.force, self.curvature, self.mixed, self.slope, self.jump]}

    def energy_forces(self, configuration):
        energy, forces, *_ = self._sum(configuration)
        return energy, self.force * forces

    def hessian(self, configuration):
        return self.curvature * scipy.sparse.bsr_matrix(self._sum(configuration)[2])

    def strain_derivatives(self, configuration):
        *_, stress, mixed = self._sum(configuration)
        planes = ((0, 1), (0, 2), (1, 2))
        return StrainDerivatives(
            planes, self.slope * stress, np.zeros(3), self.mixed * np.array([mixed[a, b] for a, b in planes])
        )

    def pairs(self, configuration):
        empty = np.array([])
        return Pairs(empty.astype(int), empty.astype(int), np.zeros((0, 3)), empty, empty, empty, empty)

    def evaluator(self, configuration):
        potential = self

        class Direct(Evaluator):
            def __call__(self, positions, forces):
                self.evaluations += 1
                energy, forces[:] = potential.energy_forces(configuration.replace(positions=positions))
                return energy

        return Direct()


def few(seed=4, n=14):
    return pelplug.Configuration(np.random.default_rng(seed).uniform(0, 4.5, (n, 3)), [4.5] * 3, ["A"] * n)


@pytest.mark.parametrize("jump", [0.0, 0.3])
def test_right_potentials_are_taken(jump):
    derivatives.check_potential(Springs(jump=jump), few(), hessian=True)
    derivatives.check_potential(Springs(jump=jump), few(9), hessian=True)
    end = quench(few(), Springs(), force_tolerance=1e-8).configuration
    derivatives.check_potential(Springs(), end, hessian=True)  # at a minimum too


class Borrowed(Potential):
    """A third party's potential with all derivatives by strain, some of them wrong by a factor."""

    capabilities = Springs.capabilities

    def __init__(self, potential, **wrong):
        self._potential, self._wrong, self.cutoff = potential, wrong, potential.cutoff

    def record(self):
        return {"borrowed": self._potential.record(), "wrong": sorted(self._wrong)}

    def energy_forces(self, configuration):
        return self._potential.energy_forces(configuration)

    def evaluator(self, configuration):
        return self._potential.evaluator(configuration)

    def hessian(self, configuration):
        return self._potential.hessian(configuration)

    def pairs(self, configuration):
        return self._potential.pairs(configuration)

    def strain_derivatives(self, configuration):
        found = self._potential.strain_derivatives(configuration)
        return dataclasses.replace(found, **{name: by * getattr(found, name) for name, by in self._wrong.items()})


@pytest.mark.parametrize("name", ["inverse-power-law", "stillinger-weber", "harmonic-spheres"])
def test_all_derivatives_by_strain_of_a_state_with_forces(name):
    model = pelplug.model(name, dimension=3) if name == "harmonic-spheres" else pelplug.model(name)
    state = model.random_configuration(100, 2)
    potential = model.potential(state)
    classes = [type("Right", (Borrowed,), {})]  # what has passed is remembered by class: they must live
    derivatives.check_potential(classes[0](potential), state, hessian=True)
    for wrong in ("mixed", "coupling", "curvature"):
        classes.append(type(f"Wrong{wrong}", (Borrowed,), {}))
        with pytest.raises(pelplug.InputError, match=r"correct strain_derivatives\(\)"):
            derivatives.check_potential(classes[-1](potential, **{wrong: 1.02}), state, hessian=True)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"force": 1.01}, "wrong forces"),
        ({"force": -1.0}, "wrong forces"),
        ({"curvature": 0.98}, "wrong Hessian"),
        ({"mixed": 2.0}, "wrong derivative d2U/"),
        ({"slope": -1.0}, "wrong dU/dF"),
    ],
)
def test_wrong_potentials_are_refused(wrong, words):
    with pytest.raises(pelplug.InputError, match=words):
        derivatives.check_potential(Springs(**wrong), few(), hessian=True)


def test_before_the_first_frame(tmp_path, monkeypatch):
    """A wrong potential ends `analyze` before anything is quenched, and its sentence is all that is said."""
    pelplug.write_trajectory(tmp_path / "t.gsd", [few(k).replace(step=k) for k in range(3)])
    with pytest.raises(pelplug.InputError, match="wrong forces"):
        pelplug.analyze("inherent-structures", tmp_path / "t.gsd", potential=Springs(force=1.1))
    with pytest.raises(pelplug.InputError, match="wrong Hessian"):
        pelplug.analyze("kappa", tmp_path / "t.gsd", potential=Springs(curvature=1.1))
    with pytest.raises(pelplug.InputError, match="wrong forces"):
        default_registry().analysis("inherent-structures")(tmp_path / "t.gsd", potential=Springs(force=0.9)).run()
    found = pelplug.analyze("inherent-structures", tmp_path / "t.gsd", potential=Springs(), force_tolerance=1e-6)
    assert found.sizes["frame"] == 3
