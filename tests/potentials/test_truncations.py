"""A truncation is a function from form to form, and every route takes the form that comes out."""

import importlib.util
import pathlib
import pickle
import re
import sys

import numba
import numpy as np
import pytest

import pelplug
from pelplug.core.parameters import read_arguments
from pelplug.engines.lammps.forces import forces_of
from pelplug.engines.swap.run import swap_monte_carlo
from pelplug.potentials.expressions import evaluated, filled
from pelplug.potentials.form_check import _check_function
from pelplug.potentials.forms import FORMS
from pelplug.potentials.pair_native import evaluate_pair
from pelplug.potentials.truncations import TRUNCATIONS, shift, smooth, truncated

ROOT = pathlib.Path(__file__).parent.parent.parent
VANISH = {"cut": 0, "shift": 1, "shifted-force": 2, "smooth": 3}


def numbers(form):
    values = {"epsilon": 1.3, "exponent": 12.0, "a": 4.4, "b": 3.1}
    return [values.get(name, 0.05 * (k + 1)) for k, name in enumerate(form.parameters)]


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("name", FORMS)
def test_energy_and_derivatives_vanish_at_the_cutoff(name, truncation):
    form = truncated(FORMS[name], truncation)
    p = form.numbers(numbers(form), 1.7)
    assert p.shape == (form.size,)
    inner = FORMS[name].function(1.7, p)
    for order, value in enumerate(form.function(1.7, p)):
        if order < VANISH[truncation]:
            assert abs(value) < 1e-12 * max(map(abs, inner))
        elif order > 0 and truncation in ("cut", "shift"):  # a constant is all that may be added
            assert value == inner[order]


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("name", FORMS)
def test_a_truncated_form_is_one_thing_by_function_square_formula_and_derivatives(name, truncation):
    form = truncated(FORMS[name], truncation)
    p = form.numbers(numbers(form), 1.7)
    _check_function(form, p, 1.7)
    assert (form.squared is None) == (FORMS[name].squared is None)
    for x in np.linspace(0.7, 1.69, 23):
        u, du, _ = form.function(x, p)
        # No test of the last digit: terms of opposite sign cancel near the cutoff.
        size = 1e-13 * max(map(abs, FORMS[name].function(min(x, 1.0), p)))
        assert evaluated(form.expression, x, p) == pytest.approx(u, abs=size, rel=1e-13)
        assert "p[" not in filled(form.expression, p)
        if form.squared is not None:
            assert form.squared(x * x, p) == pytest.approx((u, du / x), abs=10 * size, rel=1e-13)


# --- a third party's, as the page has it ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The module that docs/hooks/forms.md shows."""
    text = (ROOT / "docs" / "hooks" / "forms.md").read_text().partition("\n## A truncation of your own\n")[2]
    path = tmp_path_factory.mktemp("page") / "truncation_of_the_page.py"
    path.write_text(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1])
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[path.stem]


def state_of(n=120, d=3):
    rng = np.random.default_rng(4)
    side = int(np.ceil(n ** (1 / d)))
    sites = np.stack(np.meshgrid(*[np.arange(side)] * d, indexing="ij"), axis=-1).reshape(-1, d)[:n]
    positions = 1.15 * (sites + 0.1 * rng.uniform(-1, 1, sites.shape))
    return pelplug.Configuration(positions, [1.15 * side] * d, np.where(np.arange(n) % 3, "A", "B"))


SIGMA = np.array([[1.0, 0.9], [0.9, 0.8]])


def potential_of(truncation, form=None):
    return pelplug.PairPotential(
        form or FORMS["lennard-jones"], species=("A", "B"), sigma=SIGMA, cutoff=2.0 * SIGMA,
        parameters={"epsilon": [[1.0, 1.5], [1.5, 0.5]]}, truncation=truncation,
    )  # fmt: skip


def by_hand(state):
    """Energy and forces of Lennard-Jones with the quadratic end c0 + c2 x**2, by numpy from their formulas alone."""
    kind = (state.species == "B").astype(int)
    apart = state.positions[None] - state.positions[:, None]
    apart -= np.diag(state.cell) * np.round(apart / np.diag(state.cell))
    r = np.linalg.norm(apart, axis=-1) + 1e3 * np.eye(state.n)
    sigma, epsilon = SIGMA[kind[:, None], kind], np.array([[1.0, 1.5], [1.5, 0.5]])[kind[:, None], kind]
    x, end = r / sigma, 2.0
    slope = 4 * epsilon * (-12 * end**-13 + 6 * end**-7)
    c2 = -slope / (2 * end)
    c0 = -4 * epsilon * (end**-12 - end**-6) - c2 * end**2
    inside = x < end
    u = np.where(inside, 4 * epsilon * (x**-12 - x**-6) + c0 + c2 * x**2, 0.0)
    du = np.where(inside, 4 * epsilon * (-12 * x**-13 + 6 * x**-7) + 2 * c2 * x, 0.0)
    return 0.5 * u.sum(), np.sum((du / sigma / r)[..., None] * apart, axis=1)


def test_the_truncation_of_the_page_takes_about_ten_lines(page):
    source = pathlib.Path(page.__file__).read_text()
    body = source[source.index("def quadratic") :]
    assert 8 <= len([line for line in body.splitlines() if line.strip()]) <= 13


@pytest.mark.parametrize("d", [2, 3])
def test_forces_are_the_analytic_ones(page, d):
    state = state_of(120 if d == 3 else 49, d)
    energy, forces = potential_of(page.quadratic).energy_forces(state)
    expected, expected_forces = by_hand(state)
    assert energy == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(forces, expected_forces, atol=1e-12 * np.abs(expected_forces).max())


def test_every_route_takes_it(page):
    state = state_of()
    potential = potential_of(page.quadratic)
    energy, forces = by_hand(state)
    # Second derivatives, by differences of the forces above.
    direction = np.random.default_rng(0).normal(size=state.positions.shape)
    ends = [by_hand(state.replace(positions=state.positions + h * direction))[1] for h in (1e-5, -1e-5)]
    slope = (potential.hessian(state) @ direction.ravel()).reshape(direction.shape)
    np.testing.assert_allclose(slope, -(ends[0] - ends[1]) / 2e-5, atol=1e-6 * np.abs(slope).max())
    # Pairs, with the first derivative.
    pairs = potential.pairs(state)
    pull = (pairs.first / pairs.distances)[:, None] * pairs.vectors
    total = np.zeros_like(forces)
    np.add.at(total, pairs.i, pull)
    np.add.at(total, pairs.j, -pull)
    np.testing.assert_allclose(total, forces, atol=1e-11 * np.abs(forces).max())
    # It ends without a jump of the force.
    assert potential.force_jumps == (0.0, 0.0)
    assert min(potential_of("shift").force_jumps) == 0.0 < max(potential_of("shift").force_jumps)
    # HOOMD-blue's table.
    u, f = evaluate_pair(potential, (0, 0), np.array([1.0, 2.0]))
    assert u[1] == pytest.approx(0.0, abs=1e-15) and f[1] == pytest.approx(0.0, abs=1e-15)
    assert u[0] == pytest.approx(potential.truncated.function(1.0, potential.numbers[0, 0])[0], rel=1e-14)
    # Monte Carlo adds up differences of energy and compares them with the potential after each sweep.
    run = swap_monte_carlo(state, potential, temperature=1.0, sweeps=5, seed=1)
    assert run.displacement_acceptance > 0.05 and run.drift < 1e-9
    assert potential.energy(run.configuration) == pytest.approx(by_hand(run.configuration)[0], rel=1e-11)
    # The body of the CUDA kernel, on HOOMD-blue's arrays.
    from pelplug.engines.hoomd.cuda_pair import pair_body

    body = numba.njit(pair_body(potential.truncated, 3, None, "cpu"))
    n = state.n
    near = np.array([j for i in range(n) for j in range(n) if i != j], np.uint32)
    count, head = np.full(n, n - 1, np.uint32), (n - 1) * np.arange(n, dtype=np.uint64)
    got, energies = np.zeros((n, 3)), np.zeros(n)
    groups = (state.species == "B").astype(np.int64)
    for i in range(n):
        body(i, state.positions, np.arange(n, dtype=np.uint32), head, count, near, state.cell, groups, np.ones(n),
             1 / SIGMA, potential.numbers, (2.0 * SIGMA) ** 2, got, energies)  # fmt: skip
    assert energies.sum() == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(got, forces, atol=1e-12 * np.abs(forces).max())


def test_engines_take_its_formula_where_it_has_one_and_else_the_kernel(page):
    state = state_of()

    class Stub:
        name = "stub"

        def __init__(self, truncation):
            self.potential = lambda configuration: potential_of(truncation)

    assert forces_of(Stub(page.quadratic), state).route.startswith("kernel")
    with pytest.raises(pelplug.InputError, match="no form"):
        forces_of(Stub(page.quadratic), state, "native")

    def with_formula(form):
        plain, n = page.quadratic(form), form.size
        return form.derived(
            with_formula, plain.function, lambda p, end: plain.constants(p, end), 2,
            expression=f"{form.expression}+p[{n}]+p[{n + 1}]*x^2",
        )  # fmt: skip

    found = forces_of(Stub(with_formula), state, "native")
    potential = potential_of(with_formula)
    assert found.route == "native: lepton"
    for (a, b), words in zip([(0, 0), (0, 1), (1, 1)], found.commands[1:], strict=True):
        formula, _, length = str(words[3].text).partition(";x=r/")
        assert float(length) == SIGMA[a, b]
        value = evaluated(formula, 1.4, ())
        assert value == pytest.approx(potential.truncated.function(1.4, potential.numbers[a, b])[0], rel=1e-13)


def test_it_can_be_pickled_and_offered_as_a_form(page):
    for truncation in (page.quadratic, "smooth", "cut"):
        potential = potential_of(truncation)
        again = pickle.loads(pickle.dumps(potential))
        assert again.energy(state_of()) == potential.energy(state_of())
        assert again.truncated == potential.truncated
    form = page.quadratic(FORMS["lennard-jones"])
    assert form.name == "lennard-jones-quadratic" and form.ends and not FORMS["lennard-jones"].ends
    assert potential_of("cut", form).energy(state_of()) == pytest.approx(by_hand(state_of())[0], rel=1e-12)
    # In a model file it needs no other truncation.
    pair = {"epsilon": 1.0}
    definition = {"form": form.name, "cutoff": 2.0, "species": ["A"], "pair": [{"species": ["A", "A"], **pair}]}
    model = pelplug.models.UserModel(definition, {form.name: form})
    assert model.truncation == "cut"


def test_truncations_of_truncations_have_their_own_constants(page):
    both = smooth(page.quadratic(FORMS["lennard-jones"]))
    p = both.numbers([1.0], 2.0)
    assert p.shape == (6,) and np.all(np.abs(p[3:]) < 10)
    values = both.function(2.0, p)
    np.testing.assert_allclose(values, 0.0, atol=1e-13)
    _check_function(both, p, 2.0)
    assert shift(FORMS["lennard-jones"]) is shift(FORMS["lennard-jones"])


# --- mistakes ---------------------------------------------------------------------------------------------------------


def wrong_derivative(form):
    inner, n = form.function, form.size

    def function(x, p):
        u, du, ddu = inner(x, p)
        return u + p[n] * x, du, ddu

    return form.derived(wrong_derivative, function, lambda p, end: (-inner(end, p)[0] / end,), 1)


def wrong_square(form):
    inner, squared = form.function, form.squared

    def function(x, p):
        u, du, ddu = inner(x, p)
        return u, du, ddu

    def by_square(s, p):
        u, w = squared(s, p)
        return u + 0.1 * s, w

    return form.derived(wrong_square, function, squared=by_square)


def wrong_formula(form):
    return form.derived(wrong_formula, form.function, expression=f"{form.expression}+0.5*x")


def no_formula(form):
    return form.derived(no_formula, form.function, expression="4*epsilon*(x^(-12)-x^(-6))")


def too_few(form):
    return form.derived(too_few, form.function, lambda p, end: (1.0,), 2)


def nothing(form):
    """Forget to return it."""


@pytest.mark.parametrize(
    ("truncation", "words"),
    [
        (wrong_derivative, "lennard-jones-wrong-derivative has a wrong first derivative: at x"),
        (wrong_square, "lennard-jones-wrong-square is two things: .* its squared"),
        (wrong_formula, "lennard-jones-wrong-formula is two things: .* its expression"),
        (no_formula, "expression .* of the form lennard-jones-no-formula is no formula"),
        (too_few, "lennard-jones-too-few has 1 constants where it adds 2"),
        (nothing, r"truncation 'nothing' returns None; let it return form.derived\(\.\.\.\)"),
        (
            "smoth",
            r"Unknown truncation 'smoth' \(did you mean smooth\?\); choose one of cut, shift, ",
        ),
        (["shift"], "Unknown truncation"),
    ],
)
def test_mistakes_are_one_sentence(truncation, words):
    with pytest.raises(pelplug.InputError, match=words):
        potential_of(truncation)


def test_a_wrong_argument_of_a_pair_potential_is_told_with_the_nearest():
    with pytest.raises(pelplug.InputError, match=r"PairPotential has no argument 'truncaton' \(did you mean"):
        pelplug.PairPotential(None, sigma=1.0, cutoff=1.0, parameters={}, truncaton="cut")
    declared = read_arguments(pelplug.PairPotential.__init__)["truncation"]
    assert declared.metavar == "cut|shift|shifted-force|smooth" and declared.default == "cut"
