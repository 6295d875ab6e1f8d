"""Systems of OpenMM: the built-in mixture written as one, what cannot be computed, and without OpenMM."""

import hashlib
import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from oracles.with_openmm import kob_andersen

import pelplug
from pelplug.potentials.external.openmm import OpenmmProvider
from pelplug.testing import parametrize_with_checks, states

openmm = pytest.importorskip("openmm")


def saved(path, system):
    path.write_text(openmm.XmlSerializer.serialize(system))
    return f"openmm:{path}"


@pytest.fixture(scope="module")
def glass():
    model = pelplug.model("kob-andersen", truncation="smooth")
    state = model.random_configuration(180, np.random.default_rng(2))
    return model, states.tilted(pelplug.quench(state, model.potential(state), force_tolerance=1e-4).configuration, 1)


def test_the_built_in_mixture_in_a_tilted_cell(tmp_path, glass):
    model, state = glass
    given = saved(tmp_path / "ka.xml", kob_andersen(state.species))
    potential = pelplug.potential(given)
    ours = model.potential(state)
    for moved in (
        state,
        state.replace(positions=state.positions + 0.03 * np.random.default_rng(1).normal(size=(180, 3))),
    ):
        energy, forces = potential.energy_forces(moved)
        exact, pulls = ours.energy_forces(moved)
        assert energy == pytest.approx(exact, rel=1e-11)
        assert np.abs(forces - pulls).max() < 1e-10 * max(1.0, np.abs(pulls).max())
    assert potential.force_jumps == pytest.approx((0.0, 0.0), abs=1e-6) and potential.cutoff == pytest.approx(2.5)
    assert potential.units.length == "Angstrom" and potential.units.energy == "kJ/mol"
    record = potential.record()
    assert record["files"] == {"ka.xml": hashlib.sha256((tmp_path / "ka.xml").read_bytes()).hexdigest()}
    assert json.loads(json.dumps(record)) == record and record["openmm"]
    again = pickle.loads(pickle.dumps(potential))
    assert again.energy(state) == potential.energy(state) and again.record() == record


def test_single_precision_is_seen_in_the_noise(tmp_path, glass):
    from pelplug.potentials.from_forces.displaced import DisplacedState
    from pelplug.potentials.from_forces.steps import measure_noise

    _, state = glass
    given = saved(tmp_path / "ka.xml", kob_andersen(state.species))
    noise = {
        platform: measure_noise(
            DisplacedState(pelplug.potential(given, platform=platform), state), np.random.default_rng(1)
        ).force
        for platform in ("Reference", "CPU")
    }
    assert noise["Reference"] < 1e-11 < 1e-7 < noise["CPU"] < 1e-3


def test_a_quench_is_not_asked_for_less_than_the_noise(tmp_path, glass):
    _, state = glass
    given = saved(tmp_path / "ka.xml", kob_andersen(state.species))
    file, coarse = tmp_path / "glass.gsd", {"potential_parameters": {"platform": "CPU"}}
    pelplug.write_trajectory(file, state)
    words = r"have a noise of [\d.e-]+, so that no quench gets below 1e-10; raise --force-tolerance to ([\d.e-]+)"
    with pytest.raises(pelplug.InputError, match=words) as refused:
        pelplug.analyze("inherent-structures", file, potential=given, units="metal", **coarse)
    enough = float(re.search(words, str(refused.value))[1])
    found = pelplug.analyze(
        "inherent-structures", file, potential=given, units="metal", force_tolerance=enough, **coarse
    )
    assert float(found.max_force[0]) < enough < 0.1


def without(system):
    for k in reversed(range(system.getNumForces())):
        system.removeForce(k)
    return system


def with_sites(system):
    system.setParticleMass(0, 0.0)
    system.setVirtualSite(0, openmm.TwoParticleAverageSite(1, 2, 0.5, 0.5))
    return system


def open_ended(system):
    system.getForce(0).setNonbondedMethod(openmm.CustomNonbondedForce.NoCutoff)
    return system


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_sites, "has 1 virtual sites or fixed particles"),
        (without, "The System has no forces"),
        (open_ended, "knows no periodic images"),
    ],
)
def test_systems_of_something_else_are_refused(tmp_path, change, words):
    given = saved(tmp_path / "system.xml", change(kob_andersen("AABAAA")))
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.potential(given)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<System>", "no serialised System"),
        (b"\xff\xfe", "no text"),
        (openmm.XmlSerializer.serialize(openmm.VerletIntegrator(0.001)).encode(), "is a VerletIntegrator of OpenMM"),
    ],
    ids=["broken", "binary", "integrator"],
)
def test_other_files_are_refused(tmp_path, content, words):
    (tmp_path / "system.xml").write_bytes(content)
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.potential(f"openmm:{tmp_path}/system.xml")


@pytest.mark.parametrize("given", ["openmm:system.xml", "gromacs:topol.top"])
def test_without_openmm_one_sentence_says_what_to_install(given, tmp_path):
    code = (
        "import sys, importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name.startswith('openmm') else found(name, *more)\n"
        "import pelplug\n"
        "try:\n"
        f"    pelplug.potential({given!r})\n"
        "except pelplug.InputError as error:\n"
        "    print(error, 'openmm' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "Install OpenMM with `pip install 'pelplug[openmm]'`. False" in said.stdout


@parametrize_with_checks([OpenmmProvider])
def test_contract(check):
    check()
