"""Several analyses of one run: one that fails does not take the others with it."""

import sys

import numpy as np
import pytest

import pelplug
from pelplug.cli.main import main


@pytest.fixture
def uneven(tmp_path):
    """Frames that are not evenly spaced, which dynamics takes and hop-events refuses."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 6, (1, 30, 3)) + np.cumsum(rng.normal(0, 0.1, (40, 30, 3)), axis=0)
    times = np.cumsum(rng.integers(1, 4, 40))
    states = [
        pelplug.Configuration(place % 6, [6.0] * 3, ["A"] * 30, step=int(time), time=float(time))
        for place, time in zip(places, times, strict=True)
    ]
    pelplug.write_trajectory(tmp_path / "t.gsd", states)
    return tmp_path / "t.gsd"


def test_the_others_are_there_in_python(uneven):
    with pytest.warns(RuntimeWarning, match=r"hop-events failed, the rest is there: .*not evenly spaced"):
        found = pelplug.analyze(["dynamics", "hop-events"], uneven, min_origins=1)
    assert list(found) == ["dynamics"] and np.isfinite(found["dynamics"].msd).any()
    with pytest.raises(pelplug.InputError, match="not evenly spaced"):
        pelplug.analyze("hop-events", uneven)
    with pytest.raises(pelplug.InputError, match="not evenly spaced"):
        pelplug.analyze(["hop-events"], uneven)


def test_the_others_are_written_by_the_command(uneven, tmp_path, monkeypatch, capsys):
    output = tmp_path / "o.nc"
    command = ["analyze", str(uneven), "--plugin", "hop-events,dynamics", "--min-origins", "1", "-o", str(output)]
    monkeypatch.setattr(sys, "argv", ["pelplug", *command])
    with pytest.raises(SystemExit) as end:
        main()
    err = capsys.readouterr().err
    assert end.value.code == 2 and "hop-events failed, the rest is there: " in err and "not evenly spaced" in err
    assert list(pelplug.read_results(output)) == ["dynamics"]
