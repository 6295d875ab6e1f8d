"""Several results over each other: one colour for each group of conditions, labels that tell them apart."""

import json

import xarray as xr

from pelplug.core.conditions import Conditions
from pelplug.plotting.conditions import by_conditions


def result(model=None, **known):
    attrs = Conditions(**known).to_attributes()
    return xr.Dataset(attrs=attrs | {"model": json.dumps(model or {"name": "kob-andersen"})})


def drawn(*datasets):
    return by_conditions(datasets, [f"file{k}" for k in range(len(datasets))])


def test_replicas_share_a_colour_and_are_named_by_their_seeds():
    found = drawn(result(temperature=0.5, seed=1), result(temperature=0.4, seed=1), result(temperature=0.5, seed=2))
    assert [(one.place, one.label) for one in found] == [
        (1, "$T = 0.4$"), (0, "$T = 0.5$, seed 1"), (2, "$T = 0.5$, seed 2")
    ]  # fmt: skip
    assert found[1].colour == found[2].colour != found[0].colour


def test_results_of_one_temperature_have_colours_of_their_own():
    found = drawn(*(result(temperature=0.8, n=155, seed=seed) for seed in (1, 2, 2)))
    assert [one.label for one in found] == ["$T = 0.8$, seed 1", "$T = 0.8$ (file1)", "$T = 0.8$ (file2)"]
    assert len({one.colour for one in found}) == 3
    assert len({one.colour for one in drawn(*(result(temperature=0.8, seed=seed) for seed in range(12)))}) == 12
    sizes = drawn(result(temperature=0.8, n=155), result(temperature=0.8, n=65))
    assert [one.label for one in sizes] == ["$T = 0.8$, $N = 65$", "$T = 0.8$, $N = 155$"]


def test_equal_temperatures_are_told_apart_by_what_differs():
    found = drawn(result(temperature=0.5, density=1.3), result(temperature=0.5, density=1.2))
    assert [one.label for one in found] == [r"$T = 0.5$, $\rho = 1.2$", r"$T = 0.5$, $\rho = 1.3$"]
    assert found[0].colour != found[1].colour
    found = drawn(result(temperature=300.0, pressure=1.0), result(temperature=300.0, pressure=2.0))
    assert [one.label for one in found] == ["$T = 300$, $p = 1$", "$T = 300$, $p = 2$"]
    found = drawn(result(temperature=0.5), result({"name": "inverse-power-law"}, temperature=0.5))
    assert sorted(one.label for one in found) == ["$T = 0.5$ (file0)", "$T = 0.5$ (file1)"]
    assert found[0].colour != found[1].colour


def test_a_label_that_was_given_is_the_label():
    found = drawn(result(temperature=0.5, label="hot"), result(temperature=0.4, label="cold"), result(label="old"))
    assert [one.label for one in found] == ["cold", "hot", "old"]
    twice = drawn(result(label="a", seed=1), result(label="a", seed=2), result(label="b"))
    assert [one.label for one in twice] == ["a, seed 1", "a, seed 2", "b"]
    assert twice[0].colour == twice[1].colour != twice[2].colour


def test_inherent_structures_have_the_temperature_of_their_parents():
    found = drawn(result(parent_temperature=0.6), result(temperature=0.5), result(parent_temperature=0.4))
    assert [one.label for one in found] == ["$T_p = 0.4$", "$T = 0.5$", "$T_p = 0.6$"]


def test_results_without_conditions_have_colours_of_their_own_and_come_last():
    found = drawn(xr.Dataset(), result(temperature=float("inf")), result(temperature=0.5))
    assert [one.label for one in found] == ["$T = 0.5$", "file0", "file1"]
    assert len({str(one.colour) for one in found}) == 3
