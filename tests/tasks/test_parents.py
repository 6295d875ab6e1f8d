"""Of what temperature a study takes inherent structures to be: the parent's, which a glass has beside its own."""

import numpy as np
import xarray as xr

from pelplug import Collection, Conditions


def result(quenched, **temperatures):
    attrs = {"analysis": "kappa", **Conditions(n=8, **temperatures).to_attributes()}
    return xr.Dataset({"a": ((), 1.0)}, attrs=attrs | ({"quench": '{"method": "fire"}'} if quenched else {}))


def test_inherent_structures_of_a_glass_are_of_its_parent():
    glass = Collection([result(True, temperature=0.1, parent_temperature=0.6)])
    assert glass.value("liquid_temperature") == 0.6 and glass.value("temperature") == 0.1
    assert Collection([result(False, temperature=0.1, parent_temperature=0.6)]).value("liquid_temperature") == 0.1
    assert Collection([result(True, temperature=0.5)]).value("liquid_temperature") == 0.5


def test_glasses_of_several_parents_are_several_groups():
    given = [result(True, temperature=0.1, parent_temperature=parent) for parent in (0.6, 0.5, 0.6)]
    groups = Collection(given).groups("liquid_temperature")
    assert [group.value("liquid_temperature") for group in groups] == [0.5, 0.6]
    assert np.array_equal([len(group) for group in groups], [1, 2])


def test_positions_of_frames_are_no_minima():
    frames = result(True, temperature=0.1, parent_temperature=0.6)
    frames["positions"] = ("x", np.zeros(3), {"of": "frame"})
    assert Collection([frames]).value("liquid_temperature") == 0.1
