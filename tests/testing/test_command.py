"""The runner of commands, and the fixtures that pytest finds by the entry point."""

import subprocess
import sys

import pytest
from faulty.analyses import Parallel

import pelplug
from pelplug.testing import CommandRunner


def test_a_command_gives_its_code_and_what_it_prints(pelplug_command):
    done = pelplug_command("models")
    assert (done.code, done.stderr) == (0, "") and "kob-andersen" in done.stdout
    assert isinstance(pelplug_command, CommandRunner) and list(pelplug_command.folder.iterdir()) == []
    refused = pelplug_command("models", "kob")
    assert (refused.code, refused.stdout) == (2, "") and "There is no model 'kob'" in refused.stderr


def test_it_runs_in_its_folder_also_what_is_not_installed(pelplug_command, pelplug_trajectory):
    pelplug_command("analyze", pelplug_trajectory, "--plugin", "parallel", "-o", "x.nc", also=[Parallel], code=0)
    dataset = pelplug.read_results(pelplug_command.folder / "x.nc")["parallel"]
    assert dataset["x"].sizes == {"frame": 4, "particle": 100}
    assert "no analysis 'parallel'" in pelplug_command("analyze", pelplug_trajectory, "--plugin", "parallel").stderr


def test_another_code_than_is_due_shows_what_was_said(pelplug_command):
    with pytest.raises(AssertionError, match="pelplug models kob ended with 2, not 0: pelplug: There is no"):
        pelplug_command("models", "kob", code=0)


def test_a_command_that_is_started_can_be_waited_for(pelplug_command):
    process = pelplug_command.start("--version")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and out.startswith("pelplug")


def test_pytest_of_others_imports_nothing_heavy(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    assert 'pelplug.testing.plugin' in sys.modules\n"
        "    assert not {'numpy', 'MDAnalysis', 'xarray', 'numba', 'click'} & set(sys.modules)\n"
        "\ndef test_fixtures_are_there(request):\n"
        "    assert request._fixturemanager.getfixturedefs('pelplug_command', request.node)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--rootdir", tmp_path]
    done = subprocess.run([*command, tmp_path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
