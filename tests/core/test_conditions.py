"""Conditions: one meaning, records that come back, contradictions in one sentence, and groups of replicas."""

import json
import math

import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.core.conditions import Conditions, Ramp
from pelplug.core.units import REDUCED, Units

KA = {"name": "kob-andersen", "parameters": {"truncation": "shift", "cutoff": 2.5}}
FULL = Conditions(
    model=KA, n=1000, density=1.2, temperature=0.5, pressure=3.0, parent_temperature=0.6, replica=2,
    seed=7, label="a liquid", units=REDUCED, several=("density",),
)  # fmt: skip


def test_a_record_is_plain_json_and_comes_back():
    text = json.dumps(FULL.to_record(), allow_nan=False)
    assert Conditions.from_record(json.loads(text)) == FULL
    ramp = Conditions(ramp=Ramp(1.0, 0.4, 1e-3), n=10)
    assert Conditions.from_record(json.loads(json.dumps(ramp.to_record()))) == ramp
    assert "model" not in FULL.to_record(model=False)
    hot = Conditions(temperature=math.inf)
    assert Conditions.from_record(json.loads(json.dumps(hot.to_record(), allow_nan=False))) == hot
    # A later version may know more.
    assert Conditions.from_record({"temperature": 0.5, "humidity": 3}) == Conditions(temperature=0.5)


def test_attributes_of_a_result_can_be_read_and_come_back():
    dataset = xr.Dataset(attrs=FULL.to_attributes())
    assert dataset.attrs["temperature"] == 0.5
    assert json.loads(dataset.attrs["conditions"])["density"] == 1.2
    dataset.attrs |= {"model": json.dumps(KA), "units": json.dumps(REDUCED.to_dict())}
    assert Conditions.of(dataset) == FULL


def test_results_of_the_first_version_say_their_temperature():
    assert Conditions.of(xr.Dataset(attrs={"temperature": 0.5})).temperature == 0.5
    assert Conditions.of(xr.Dataset({"temperature": 0.4})).temperature == 0.4
    assert Conditions.of(xr.Dataset({"temperature": ("t", [0.4])})) == Conditions()
    assert Conditions.of(xr.Dataset(attrs={"temperature": "warm"})) == Conditions()


def test_a_result_that_says_two_temperatures_or_nonsense_is_refused():
    dataset = xr.Dataset(attrs=Conditions(temperature=0.5).to_attributes())
    dataset.attrs["temperature"] = 0.6
    with pytest.raises(pelplug.InputError, match=r"0\.5.*0\.6"):
        Conditions.of(dataset)
    with pytest.raises(pelplug.InputError, match="damaged"):
        Conditions.of(xr.Dataset(attrs={"conditions": "{"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 0.0}, {"temperature": -1}, {"temperature": "cold"}, {"temperature": math.nan},
        {"temperature": True}, {"density": math.inf}, {"density": 0}, {"pressure": math.inf}, {"n": 0}, {"n": 2.5},
        {"replica": -1}, {"seed": "x"}, {"label": " "}, {"label": "a\nb"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(wrong):
    with pytest.raises(pelplug.InputError) as error:
        Conditions(**wrong)
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")


def test_given_counts_where_nothing_is_recorded():
    recorded = Conditions(temperature=0.5, seed=3, label="old")
    merged = recorded.merged(Conditions(temperature=0.5 + 1e-12, pressure=2.0, label="new", seed=9), "a.gsd")
    assert merged == Conditions(temperature=0.5, seed=3, pressure=2.0, label="new")  # the seed is the file's own


@pytest.mark.parametrize(
    ("recorded", "given", "words"),
    [
        (Conditions(temperature=0.5), Conditions(temperature=0.6), "a.gsd records the temperature 0.5.*0.6"),
        (Conditions(replica=1), Conditions(replica=2), "replica 1"),
        (Conditions(parent_temperature=0.5), Conditions(parent_temperature=0.4), "parent temperature 0.5"),
        (Conditions(ramp=Ramp(1.0, 0.4)), Conditions(temperature=0.4), "a ramp of the temperature, 1 to 0.4"),
        (Conditions(several=("temperature",)), Conditions(temperature=0.4), "more than one temperature.*--start"),
    ],
)
def test_a_contradiction_is_one_sentence_with_a_remedy(recorded, given, words):
    with pytest.raises(pelplug.InputError, match=words) as error:
        recorded.merged(given, "a.gsd")
    assert "leave it out" in str(error.value)


def test_the_inherent_structures_of_a_liquid_have_its_temperature_as_parent():
    liquid = Conditions(temperature=0.5, seed=1)
    minima = liquid.quenched()
    assert minima == Conditions(parent_temperature=0.5, seed=1)
    assert minima.quenched() == minima and minima.liquid_temperature == liquid.liquid_temperature == 0.5
    # A glass at 0.1 that came from a liquid at 0.5.
    glass = Conditions(temperature=0.1, parent_temperature=0.5)
    assert glass.quenched() == Conditions(parent_temperature=0.5) and glass.liquid_temperature == 0.1
    ramp = Conditions(ramp=Ramp(1.0, 0.4), several=("temperature",))
    assert ramp.quenched() == Conditions(ramp=Ramp(1.0, 0.4), several=("parent_temperature",))


def test_states_of_several_runs_say_what_differs():
    joined = Conditions.joined([Conditions(temperature=0.5, n=10, seed=1), Conditions(temperature=0.4, n=10, seed=2)])
    assert joined == Conditions(n=10, several=("seed", "temperature"))
    assert Conditions.joined([FULL]) == FULL
    ramp = Conditions.joined([Conditions(ramp=Ramp(1.0, 0.4)), Conditions(temperature=0.4)])
    assert ramp.several == ("ramp", "temperature")


def test_replicas_are_of_one_group_and_nothing_else_is():
    base = Conditions(model=KA, n=1000, density=1.2, temperature=0.3, units=REDUCED)

    def like(**changes):
        return Conditions(**{"model": KA, "n": 1000, "density": 1.2, "temperature": 0.3, "units": REDUCED} | changes)

    # Cells in float32, and temperatures that were added up, are the same to rounding.
    same = [like(seed=5, replica=1), like(temperature=0.1 + 0.2), like(density=1000 / float(np.float32(9.410360)) ** 3)]
    assert {one.group for one in same} == {base.group}
    planted = {"name": "mari-kurchan", "parameters": {"seed": 1, "planted_temperature": 0.01}}
    assert like(model=planted).group == like(model=planted | {"parameters": planted["parameters"] | {"seed": 2}}).group
    other_model = {"name": "kob-andersen", "parameters": {"truncation": "smooth", "cutoff": 2.5}}
    others = [
        like(model=other_model), like(n=999), like(density=1.21), like(temperature=0.31), like(pressure=1.0),
        like(parent_temperature=0.3), like(ramp=Ramp(1.0, 0.3)), like(label="x"), like(units=Units.of("metal")),
        like(several=("density",)),
    ]  # fmt: skip
    groups = [one.group for one in others]
    assert len({base.group, *groups}) == len(others) + 1


def test_numbers_follow_the_units():
    metal, gromacs = Units.of("metal"), Units.of("gromacs")
    kelvin = Conditions(temperature=300.0, density=0.05, pressure=0.01, ramp=Ramp(300.0, 100.0, 2.0), units=metal)
    found = kelvin.in_units(gromacs)
    assert found.temperature == 300.0 and found.ramp == Ramp(300.0, 100.0, 2.0)
    assert found.density == pytest.approx(50.0)  # per nm^3
    assert found.pressure == pytest.approx(0.01 * 96.48533212331 * 1e3)  # eV / A^3 in kJ/mol / nm^3
    flat = Conditions(density=0.05, units=metal).in_units(gromacs, 2)
    assert flat.density == pytest.approx(5.0)
    # Where k_B is 1 a temperature is an energy: 300 K is 0.0258520 eV.
    energies = Units(length="Angstrom", energy="eV", mass="g/mol", time="ps", boltzmann=1.0)
    assert kelvin.in_units(energies).temperature == pytest.approx(300.0 * 8.617333262e-5, rel=1e-9)
    assert kelvin.in_units(Units()) == kelvin
