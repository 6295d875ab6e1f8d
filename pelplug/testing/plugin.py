"""The plugin of pytest, found by its entry point: fixtures for authors. It imports nothing heavy until one is used."""

import pytest

__all__ = ["pelplug_trajectory"]


@pytest.fixture(scope="session")
def pelplug_trajectory(tmp_path_factory):
    """Path of a small trajectory made by `pelplug.testing.make_trajectory`."""
    from pelplug.testing.samples import make_trajectory

    return make_trajectory(tmp_path_factory.mktemp("pelplug") / "trajectory.gsd")
