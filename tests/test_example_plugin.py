"""The example plugin, installed as a distribution of its own: found, run, and passing its own tests."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "pelplug-coordination"


@pytest.fixture
def environment(tmp_path):
    """Lay the example out as an installer does, from its own pyproject.toml."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    shutil.copytree(EXAMPLE / "pelplug_coordination", site / "pelplug_coordination")
    info = site / f"pelplug_coordination-{project['version']}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    points = [f"{name} = {value}" for name, value in project["entry-points"]["pelplug"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pelplug]", *points]) + "\n")
    return {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}


def test_it_is_found_and_runs(environment, tmp_path):
    code = f"""
import json, pelplug, pelplug.host.functions
from pelplug.testing import make_trajectory
path = make_trajectory({str(tmp_path / "t.gsd")!r}, frames=2)
dataset = pelplug.analyze("coordination", path, distance=1.3)
record = next(r for r in pelplug.host.functions.plugins() if r.name == "coordination")
print(json.dumps([record.status, record.owner, record.summary, record.provides, dict(dataset.sizes)]))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert out.returncode == 0, out.stderr
    status, owner, summary, provides, sizes = json.loads(out.stdout.splitlines()[-1])
    assert (status, owner) == ("loaded", "coordination (pelplug-coordination 1.0.0)")
    assert summary == "Coordination number of every particle, found by freud."
    assert provides == {"analyses": ["coordination"]}
    assert sizes["frame"] == 2 and sizes["particle"] == 100


def test_its_own_tests_pass(environment, tmp_path):
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    out = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert out.returncode == 0, out.stdout + out.stderr
    assert "passed" in out.stdout
