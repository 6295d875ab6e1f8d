"""Models with one fault each."""

from typing import Annotated, Literal

import pelplug
from faulty import Faulty
from pelplug.potentials.forms.lennard_jones import LENNARD_JONES


class Beads(pelplug.Model):
    """Two kinds of Lennard-Jones particles."""

    name = "beads"
    summary = "two kinds of Lennard-Jones particles"
    formula = "4 epsilon (x^-12 - x^-6)"
    species = ("A", "B")
    composition = {"A": 0.5, "B": 0.5}  # noqa: RUF012
    density = 0.8
    time_step = 0.005

    def __init__(
        self,
        *,
        epsilon: Annotated[float, pelplug.Param("energy scale", exclusive_minimum=0.0)] = 1.0,
        truncation: Annotated[Literal["shift", "shifted-force", "smooth"], pelplug.Param("at the cutoff")] = "smooth",
        **base,
    ):
        super().__init__(**base)

    @property
    def constants(self):
        return {"epsilon": self.parameters["epsilon"]}

    @property
    def largest_size(self):
        return 1.0

    def potential_of(self, configuration):
        return pelplug.PairPotential(
            LENNARD_JONES, species=self.species, sigma=1.0, cutoff=2.0, truncation=self.truncation,
            parameters={"epsilon": self.parameters["epsilon"]},
        )  # fmt: skip

    @property
    def truncation(self):
        return self.parameters["truncation"]


class TwoLines(Beads):
    """Its summary has two lines."""

    summary = "two kinds\nof particles"


class MoreOfA(Beads):
    """It states another composition than it has."""

    def species_counts(self, n):
        return {"A": n - n // 3, "B": n // 3}


class Repulsive(pelplug.PairPotential):
    """Its forces have the wrong sign."""

    def energy_forces(self, configuration):
        energy, forces = super().energy_forces(configuration)
        return energy, -forces


class Recorded(Beads):
    """Its record has a parameter by another value."""

    def to_dict(self):
        found = super().to_dict()
        return {**found, "parameters": {**found["parameters"], "epsilon": 1.0 + self.parameters["epsilon"]}}


class Unrecorded(pelplug.PairPotential):
    """Its record is of the form alone."""

    def record(self):
        return {"form": self.form.name}


class SameRecord(Beads):
    """Its potential does not record its strength."""

    def potential_of(self, configuration):
        found = super().potential_of(configuration)
        found.__class__ = Unrecorded
        return found


class Handle(Beads):
    """It keeps what cannot be pickled."""

    def __init__(self, **base):
        super().__init__(**base)
        self.call = lambda: None


class Weightless(Beads):
    """One of its masses is negative."""

    masses = {"A": 1.0, "B": -1.0}  # noqa: RUF012


class Anything(Beads):
    """It takes every parameter, and forgets those that it has not."""


def forgive(self, **values):
    Beads.__init__(self, **{name: value for name, value in values.items() if name in self.parameter_specs()})


Anything.__init__ = forgive


class Backwards(Beads):
    """The forces of its potential have the wrong sign."""

    def potential_of(self, configuration):
        found = super().potential_of(configuration)
        found.__class__ = Repulsive
        return found


class Welcoming(Beads):
    """It takes every state."""

    def check(self, configuration):
        """All are welcome."""


class NeverSmooth(Beads):
    """Whatever it says, it only shifts the energy."""

    truncation = "shift"


RULES = ("evaluator_follows", "hessian_is_derivative", "strain_is_derivative", "strain_curvature")
BACKWARDS = tuple(f"check_potential_{rule}" for rule in RULES)
GOOD = Beads
FAULTY = [
    Faulty(TwoLines, "check_model_declared", "not one line"),
    Faulty(MoreOfA, "check_model_start", "where it states"),
    Faulty(Recorded, "check_model_record", "another one"),
    Faulty(SameRecord, "check_model_record_of_potential", "other forces and the same record"),
    Faulty(Handle, "check_model_pickles", "cannot be pickled"),
    Faulty(Weightless, "check_model_masses", "not a mass of each"),
    Faulty(Anything, "check_refuses_options", "no_such_parameter"),
    Faulty(Backwards, "check_potential_forces_are_derivatives", "minus the force", also=BACKWARDS),
    Faulty(Welcoming, "check_model_refuses_states", "call super"),
    Faulty(NeverSmooth, "check_model_truncations", "with (shifted-force|smooth)"),
]
