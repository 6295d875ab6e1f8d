"""The command line in this process."""

import pytest

from pelplug.cli import cli


@pytest.fixture
def run(capsys):
    """Run pelplug with some arguments; gives what it wrote to stdout and stderr, and wants the exit code."""

    def run(*args, code=0):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main([str(one) for one in args])
        captured = capsys.readouterr()
        assert stop.value.code == code, captured.err
        assert "Traceback" not in captured.err
        return captured

    return run
