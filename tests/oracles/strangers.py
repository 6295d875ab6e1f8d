"""Potentials and models as third parties write them, with numpy and public names alone: honest ones and impostors."""

import dataclasses
import math

import numpy as np

import pelplug

EPSILON, SIGMA, END = np.array([[1.0, 1.5], [1.5, 0.5]]), np.array([[1.0, 0.8], [0.8, 0.88]]), 2.5


class Stranger(pelplug.Potential):
    """The Kob-Andersen mixture, cut and shifted, in cells wider than twice the cutoff: one for all."""

    cutoff, power = END, 6

    def record(self):
        return {"potential": "stranger", "power": self.power}

    def sizes(self, configuration):
        return np.where(configuration.species == "A", 1.0, 0.88)

    def energy_forces(self, configuration):
        kind = (configuration.species == "B").astype(int)
        i, j = np.triu_indices(configuration.n, 1)
        apart = configuration.fractional()[i] - configuration.fractional()[j]
        apart = (apart - np.rint(apart)) @ configuration.cell
        x2 = np.sum(apart**2, axis=1) / SIGMA[kind[i], kind[j]] ** 2
        near = x2 < END**2
        i, j, apart, x2 = i[near], j[near], apart[near], x2[near]
        epsilon, sigma = EPSILON[kind[i], kind[j]], SIGMA[kind[i], kind[j]]
        once, end = x2 ** (-self.power / 2), END ** float(-self.power)
        energy = 4 * epsilon * (once**2 - once - end**2 + end)
        pull = (4 * self.power * epsilon * (2 * once**2 - once) / x2 / sigma**2)[:, None] * apart
        forces = np.zeros_like(configuration.positions)
        np.add.at(forces, i, pull)
        np.add.at(forces, j, -pull)
        return energy.sum(), forces

    def native(self, engine):
        pairs = [(("A", "B")[a], ("A", "B")[b], EPSILON[a, b], SIGMA[a, b]) for a, b in ((0, 0), (0, 1), (1, 1))]
        if engine == "lammps":
            rows = [{"species": [a, b], "coefficients": [e, s, END * s]} for a, b, e, s in pairs]
            return {"style": ["lj/cut", END], "pairs": rows, "modify": ["shift", "yes"]}
        if engine == "hoomd":
            rows = [
                {"species": [a, b], "parameters": {"epsilon": e, "sigma": s}, "cutoff": END * s} for a, b, e, s in pairs
            ]
            return {"force": "pair.LJ", "mode": "shift", "pairs": rows}
        if engine == "table":
            return {"pairs": [self._table(*pair) for pair in pairs]}
        return None

    def _table(self, a, b, epsilon, sigma, first=0.6, values=4001):
        x = np.linspace(first, END, values)
        once, end = x ** float(-self.power), END ** float(-self.power)
        energy = 4 * epsilon * (once**2 - once - end**2 + end)
        force = 4 * self.power * epsilon / sigma * (2 * once**2 - once) / x
        numbers = {"energy": energy.tolist(), "force": force.tolist()}
        return {"species": [a, b], "length": sigma, "first": first * sigma, "cutoff": END * sigma, **numbers}


class Liar(Stranger):
    """Says Lennard-Jones of exponents 12 and 6, and has 10 and 5."""

    power = 5


# Another's class of this name is nobody's translation.
class PairPotential(Stranger):
    """A potential of exponents 10 and 5 that has nothing to say to engines."""

    power = 5

    def native(self, engine):
        return None


def steeper(x, p):
    """Return 4 epsilon (x^-10 - x^-5) and its derivatives."""
    u = 4.0 * p[0] * (x**-10 - x**-5)
    du = 4.0 * p[0] * (5.0 * x**-6 - 10.0 * x**-11)
    ddu = 4.0 * p[0] * (110.0 * x**-12 - 30.0 * x**-7)
    return u, du, ddu


def pair_potential(form, truncation="shift", **changes):
    """The Kob-Andersen mixture with another form."""
    tables = {"sigma": SIGMA, "cutoff": END * SIGMA, "parameters": {"epsilon": EPSILON}}
    return pelplug.PairPotential(form, species=("A", "B"), truncation=truncation, **(tables | changes))


def yukawa(x, p):
    """Return epsilon exp(-kappa x) / x and its derivatives."""
    u = p[0] * math.exp(-p[1] * x) / x
    return u, -u * (p[1] + 1.0 / x), u * (p[1] * p[1] + 2.0 * p[1] / x + 2.0 / (x * x))


def screened(truncation):
    """A form that HOOMD-blue has, as docs/hooks/forms.md says it."""
    parameters = {"epsilon": "epsilon * sigma", "kappa": "kappa / sigma"}
    native = {"force": "pair.Yukawa", "mode": "none", "parameters": parameters, "ends": {"shift": {"mode": "shift"}}}
    form = pelplug.Form("yukawa", yukawa, ("epsilon", "kappa"), "epsilon exp(-kappa x) / x", native={"hoomd": native})
    return pair_potential(form, truncation, parameters={"epsilon": EPSILON, "kappa": 1.7})


def twelve_six(x, p):
    """Return a x^-12 - b x^-6 and its derivatives."""
    u = p[0] * x**-12 - p[1] * x**-6
    return u, (6.0 * p[1] * x**-6 - 12.0 * p[0] * x**-12) / x, (156.0 * p[0] * x**-12 - 42.0 * p[1] * x**-6) / x**2


def ab(truncation):
    """Lennard-Jones by two coefficients: engines want it by epsilon and sigma."""
    epsilon, sigma = "b^2 / (4 * a)", "sigma * (a / b)^(1/6)"
    native = {
        "hoomd": {
            "force": "pair.LJ",
            "mode": "none",
            "parameters": {"epsilon": epsilon, "sigma": sigma},
            "ends": {"shift": {"mode": "shift"}},
        },
        "lammps": {
            "style": ("lj/cut", "cutoff"),
            "coefficients": (epsilon, sigma, "cutoff"),
            "ends": {"shift": {"modify": ("shift", "yes")}},
        },
    }
    form = pelplug.Form("twelve-six", twelve_six, ("a", "b"), "a x^-12 - b x^-6", native=native)
    return pair_potential(form, truncation, parameters={"a": 3.1, "b": 4.7})


def lennard_jones():
    """Return pelplug's own form, as a third party gets hold of it."""
    state = pelplug.Configuration(np.zeros((1, 3)), np.eye(3) * 9.0, ["A"])
    return pelplug.model("kob-andersen").potential(state).form


def named_so():
    """Another function under the name of Lennard-Jones."""
    return pair_potential(pelplug.Form("lennard-jones", steeper, ("epsilon",), "4 epsilon (x^-10 - x^-5)"))


def says_so(truncation="shift"):
    """Another function that says of itself what Lennard-Jones says, all of it."""
    return pair_potential(
        dataclasses.replace(lennard_jones(), function=steeper, squared=None, expression=None), truncation
    )


def shift(form):
    """Add c0 x**2: another truncation under the name of pelplug's own."""
    n, inner = form.size, form.function

    def function(x, p):
        u, du, ddu = inner(x, p)
        return u + p[n] * x * x, du + 2.0 * p[n] * x, ddu + 2.0 * p[n]

    return form.derived(shift, function, lambda p, end: (-inner(end, p)[0] / (end * end),), 1)


def truncated_so():
    """Lennard-Jones with another truncation under a known name."""
    return pair_potential(lennard_jones(), shift)


class Walled(pelplug.PairPotential):
    """Lennard-Jones between particles, and a wall that no particle has reached yet."""

    def energy_forces(self, configuration):
        energy, forces = super().energy_forces(configuration)
        beyond = np.maximum(configuration.positions[:, 0] - 1e3, 0.0)
        forces = forces.copy()
        forces[:, 0] -= beyond
        return energy + 0.5 * np.sum(beyond**2), forces


def walled():
    """Pairs that are Lennard-Jones and more."""
    tables = {"sigma": SIGMA, "cutoff": END * SIGMA, "parameters": {"epsilon": EPSILON}}
    return Walled(lennard_jones(), species=("A", "B"), truncation="shift", **tables)


class Mixture(pelplug.Model):
    """Any of these, as the interactions of a mixture."""

    name = "strangers"
    summary = "a mixture by somebody else's potential"
    formula = "theirs"
    species = ("A", "B")
    composition = {"A": 0.8, "B": 0.2}  # noqa: RUF012
    density = 1.2
    time_step = 0.005
    constants = {}  # noqa: RUF012
    largest_size = 1.0

    def __init__(self, make=Stranger):
        super().__init__()
        self.make = make

    def potential_of(self, configuration):
        return self.make()
