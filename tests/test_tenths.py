"""Reduced units that MDAnalysis wrote in nm, a tenth of what they were: the refusal's remedy gives the right energy."""

import pathlib
import re
import shlex

import MDAnalysis
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli

EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "kob-andersen.gsd"


@pytest.mark.parametrize("ending", ["trr", "gro"])
def test_a_tenth_of_the_length_is_remedied_as_said(tmp_path, ending):
    state = pelplug.read_configuration(EXAMPLE, frame=0)
    universe = MDAnalysis.Universe.empty(state.n, trajectory=True)
    universe.add_TopologyAttr("names", state.species)
    universe.add_TopologyAttr("resnames", ["LJ"])
    universe.add_TopologyAttr("resids", [1])
    universe.atoms.positions = state.positions
    universe.dimensions = [*np.diag(state.cell), 90, 90, 90]
    universe.atoms.write(tmp_path / "a.gro")
    universe.atoms.write(tmp_path / f"a.{ending}")
    out = tmp_path / "o.nc"
    command = ["analyze", "--plugin", "inherent-structures", str(tmp_path / f"a.{ending}"), "-o", str(out)]
    command += ["--model", "kob-andersen", "--topology", str(tmp_path / "a.gro")]

    refused = CliRunner().invoke(cli, [*command, "--units", "lj"])
    assert refused.exit_code == 2
    remedy = re.search(r"--model-param .*epsilon=1\b", " ".join(refused.output.split())).group()
    result = CliRunner().invoke(cli, [*command, *shlex.split(remedy)])
    assert result.exit_code == 0, result.output
    expected = pelplug.quench(state, pelplug.model("kob-andersen").potential(state)).energy / state.n
    with xr.open_dataset(out) as found:
        # GRO holds a hundredth of sigma, from where the quench may end in a neighbouring minimum
        np.testing.assert_allclose(found.energy_per_particle, expected, rtol=1e-6 if ending == "trr" else 0.01)


def test_a_system_that_is_too_small_is_told_so_without_guessing():
    small = pelplug.Configuration([[0.1, 0.1, 0.1]], 0.9 * np.eye(3), ["A"])
    with pytest.raises(pelplug.InputError, match=r"use a larger system\.$"):
        pelplug.model("kob-andersen").potential(small)
