"""Studies of results that are made here, and the registry that offers them."""

from typing import Annotated, ClassVar

import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.core.conditions import Conditions
from pelplug.host import functions as host
from pelplug.host.registry import Registry
from pelplug.tasks.provenance import to_json

FIELD = pelplug.Field
KOB = {"name": "kob-andersen", "parameters": {"truncation": "shift", "seed": 1}}


class Slope(pelplug.Study):
    """Mean of an analysis over independent runs, at each temperature."""

    name = "slope"
    summary = "Mean height over temperature"
    uses = ("height",)
    varies = ("temperature",)
    provides: ClassVar = {
        "temperature": FIELD(("temperature",), "temperature", "temperature"),
        "mean": FIELD(("temperature",), "energy / length**2", "mean height"),
        "mean_error": FIELD(("temperature",), "energy / length**2", "its error"),
        "largest": FIELD((), "energy / length**2", "largest of the means"),
    }

    def __init__(self, collection, *, factor: Annotated[float, pelplug.Param("a factor", minimum=0)] = 1.0, **base):
        super().__init__(collection, **base)
        self.factor = factor

    def compute(self, collection):
        groups = collection.groups("temperature")
        heights = [[self.factor * float(one["height"].mean()) for one in group] for group in groups]
        means = [np.mean(some) for some in heights]
        return {
            "temperature": [group.value("temperature") for group in groups],
            "mean": means,
            "mean_error": [np.std(some, ddof=1) / np.sqrt(len(some)) if len(some) > 1 else np.nan for some in heights],
            "largest": max(means),
        }


class Square(pelplug.Study):
    """x**2 on a grid."""

    name = "square"
    summary = "A theory"
    provides: ClassVar = {"x": FIELD(("x",), "1", "x"), "y": FIELD(("x",), "1", "x squared")}

    def __init__(self, collection=None, *, points: Annotated[int, pelplug.Param("points", minimum=2)] = 5, **base):
        super().__init__(collection, **base)
        self.points = points

    def compute(self, collection):
        x = np.linspace(0, 1, self.points)
        return {"x": x, "y": x**2}


def result(height, temperature=1.0, analysis="height", request=None, version=2, **more):
    """A result as an analysis leaves it, of one number in two frames."""
    said = {"model": KOB, "n": 100, "density": 1.2, "temperature": temperature, **more}
    dataset = xr.Dataset({"height": ("frame", [height - 1.0, height + 1.0])}, {"frame": [0, 1]})
    conditions = Conditions(**said)
    attributes = {"analysis": analysis, "fingerprint": "f", "provenance_version": version, "created": "now"}
    attributes |= {"units": conditions.units.to_dict(), "model": conditions.model or ""}
    attributes |= {"request": request or f"{height} {temperature} {sorted(more)}", "parameters": {"pairs": 3}}
    attributes |= conditions.to_attributes()
    dataset.attrs = {key: to_json(value) if isinstance(value, dict) else value for key, value in attributes.items()}
    return dataset


RUNS = [result(3.0, 0.5, seed=1), result(8.0, 1.0, seed=1), result(5.0, 0.5, seed=2), result(8.5, 1.0, seed=7)]


@pytest.fixture
def files(tmp_path):
    for k, one in enumerate(RUNS):
        pelplug.write_netcdf(tmp_path / f"run-{k}.nc", one)
    return tmp_path


@pytest.fixture
def registry():
    class Plugin:
        """Two studies."""

        @staticmethod
        @pelplug.hookimpl
        def pelplug_studies():
            return [Slope, Square]

    made = Registry(third_party=False)
    record = made.register(Plugin(), "mine", "pelplug-mine", "1.0")
    assert set(made.studies()) >= {"slope", "square"} and record.error is None
    assert record.provides["studies"] == ["slope", "square"]
    host.use_registry(made)
    yield made
    host.use_registry(None)
