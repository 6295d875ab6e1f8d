"""A user's own pair model from a TOML file."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

import pelplug.models as models
from pelplug.errors import InputError

OWN = """
name = "my-mixture"
form = "lennard-jones"
dimension = 3
species = ["A", "B"]
cutoff = 2.5
truncation = "shift"
density = 1.2
composition = {A = 0.8, B = 0.2}

[[pair]]
species = ["A", "A"]
epsilon = 1.0

[[pair]]
species = ["A", "B"]
sigma = 0.8
epsilon = 1.5

[[pair]]
species = ["B", "B"]
sigma = 0.88
epsilon = 0.5
"""


def test_kob_andersen_as_a_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    own = models.from_file(path)
    reference = models.build("kalj")
    c = own.random_configuration(120, 1)
    assert own.potential(c).energy(c) == reference.potential(c).energy(c)
    np.testing.assert_array_equal(own.potential(c).forces(c), reference.potential(c).forces(c))
    assert models.from_record(own.to_log()) == own
    assert own.name == "my-mixture" and "A-B 1.5" in own.describe()


def test_diameters_in_a_file(tmp_path):
    path = tmp_path / "discs.toml"
    path.write_text(
        'form = "inverse-power-law"\nsigma = "diameters"\nmixing = "non-additive"\ncutoff = 1.25\n'
        'truncation = "smooth"\n[parameters]\nepsilon = 1.0\nexponent = 12\n'
    )
    own = models.from_file(path)
    assert own.name == "discs" and own.needs_diameters and own.dimension is None
    c = models.build("pss").random_configuration(100, 1)
    expected = models.build("pss").potential(c)
    assert own.potential(c).energy(c) == pytest.approx(expected.energy(c), rel=1e-12)
    np.testing.assert_allclose(own.potential(c).forces(c), expected.forces(c), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('form = "lennard-jones"', 'form = "lennard-bones"', "there is no form"),
        ('form = "lennard-jones"', "", "needs the parameter form"),
        (
            'truncation = "shift"',
            'truncation = "chop"',
            "truncation of the definition of a model must be one of cut",
        ),
        ("cutoff = 2.5", "", "cutoff of the pair A-A is missing"),
        ("cutoff = 2.5", "cutoff = -1", r"must be above 0 \(in units of sigma_ij\)"),
        ("epsilon = 1.5", "", "lacks 'epsilon'"),
        ("epsilon = 1.5", "epsilon = 1.5\ndepth = 3", "has 'depth'"),
        ("epsilon = 1.5", 'epsilon = "deep"', "is a number"),
        ('species = ["A", "B"]\nsigma', 'species = ["A", "C"]\nsigma', "names two of the species"),
        ('species = ["B", "B"]', 'species = ["B", "A"]', "given twice"),
        ("dimension = 3", "dimension = 1", "at least 2 and at most 8"),
        ("dimension = 3", "dimensions = 3", r"no parameter 'dimensions' \(did you mean dimension"),
        ("composition = {A = 0.8, B = 0.2}", "composition = {A = 0.8}", "with sum 1"),
        ("density = 1.2", "density = ", "not valid TOML"),
        ("density = 1.2", "self = 1.2", "no parameter 'self'"),
        ("density = 1.2", 'density = "thick"', "density of the definition of a model must be a number"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, old, new, words):
    path = tmp_path / "own.toml"
    assert old in OWN
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(InputError, match=words) as caught:
        models.from_file(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, -1, True, "x", [], [1], {}, {"a": 1}, [["A"]], float("inf")])
def test_values_of_the_wrong_kind_never_escape(value):
    base = tomllib.loads(OWN)
    changed = [{**base, key: value} for key in (*base, "sigma", "mixing", "parameters", "units", "cites", "time_step")]
    for key in ("species", "sigma", "epsilon", "cutoff"):
        changed.append({**base, "pair": [base["pair"][0], {**base["pair"][1], key: value}, base["pair"][2]]})
    changed += [{"form": "harmonic", "sigma": "diameters", "parameters": item} for item in (value, {"epsilon": value})]
    refused = 0
    for definition in changed:
        try:
            models.UserModel(definition).describe()
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > len(changed) / 2


def test_missing_file_and_missing_pair(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        models.from_file(tmp_path / "none.toml")
    path = tmp_path / "own.toml"
    path.write_text(OWN[: OWN.rindex("[[pair]]")])
    with pytest.raises(InputError, match="B-B has no"):
        models.from_file(path)
