"""The plugin of pytest, found by its entry point: fixtures for authors. It imports nothing heavy until one is used."""

import pytest

__all__ = ["pelplug_command", "pelplug_seed", "pelplug_trajectory", "pytest_addoption"]

_SEED = 20261130


def pytest_addoption(parser):
    """Add the option of `pelplug_seed`."""
    text = "seed of synthetic data in tests that ask for pelplug_seed [default: %(default)s]"
    parser.addoption("--pelplug-seed", type=int, default=_SEED, help=text)


@pytest.fixture
def pelplug_seed(pytestconfig):
    """Seed of synthetic data of a known law: ``pytest --pelplug-seed N`` tries others."""
    return pytestconfig.getoption("--pelplug-seed")


@pytest.fixture(scope="session")
def pelplug_trajectory(tmp_path_factory):
    """Path of a small trajectory made by `pelplug.testing.make_trajectory`."""
    from pelplug.testing.samples import make_trajectory

    return make_trajectory(tmp_path_factory.mktemp("pelplug") / "trajectory.gsd")


@pytest.fixture
def pelplug_command(tmp_path):
    """Run ``pelplug ...`` in an empty folder and return its exit code and what it printed, as a `CommandRunner`."""
    from pelplug.testing.command import CommandRunner

    return CommandRunner(tmp_path)
