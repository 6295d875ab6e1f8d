"""pelplug.analyses: the classes of what is installed, by completion, loaded when asked for."""

import rlcompleter
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

import pelplug
from pelplug.host import functions as host
from pelplug.host.registry import Registry


@pytest.fixture
def registry():
    """A registry that is the default one for a test."""
    registry = Registry()
    host.use_registry(registry)
    yield registry
    host.use_registry(None)


def an_analysis(class_name, its_name):
    class Some(pelplug.Analysis):
        name, summary = its_name, "Nothing at all"
        provides: ClassVar = {"zero": pelplug.Field(("frame",), "1", "nothing")}

        def compute(self, configuration):
            return {"zero": 0.0}

    Some.__name__ = class_name
    return Some


def plugin_of(*classes):
    class Plugin:
        @staticmethod
        @pelplug.hookimpl
        def pelplug_analyses():
            return list(classes)

    return Plugin()


def test_everything_installed_is_listed_by_the_names_of_the_classes():
    installed = host.default_registry().analyses()
    assert len(installed) > 10
    assert dir(pelplug.analyses) == sorted(cls.__name__ for cls in installed.values())
    lines = repr(pelplug.analyses).split("\n")
    for cls in installed.values():
        assert getattr(pelplug.analyses, cls.__name__) is cls
        assert any(line.split()[0] == cls.__name__ and cls.summary in line for line in lines)


def test_completion_of_the_prompt():
    """What ``python -i`` does at a tab."""
    completer = rlcompleter.Completer({"pelplug": pelplug})
    assert completer.complete("pelplug.analyses.Kap", 0).startswith("pelplug.analyses.Kappa")
    assert completer.complete("pelplug.analyses.Kap", 1) is None
    assert completer.complete("pelplug.analys", 0) == "pelplug.analyses"


def test_no_plugin_is_loaded_before_a_name_is_asked_for():
    code = (
        "import sys, pelplug; dir(pelplug); pelplug.analyses; print('pelplug_kappa' in sys.modules)\n"
        "pelplug.analyses.Kappa; print('pelplug_kappa' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_run_and_results_as_in_mdanalysis(tmp_path):
    """Of the class by itself, and of one that uses another: what the host gives for the same states."""
    path = pelplug.testing.make_trajectory(tmp_path / "a.gsd", n=100, frames=2)
    model = pelplug.model("kob-andersen", cutoff=1.8)
    minima = pelplug.analyses.InherentStructures(path, model=model).run()
    inputs = {"inherent-structures": minima.to_dataset()}
    results = pelplug.analyses.Kappa(path, model=model, inputs=inputs).run().results
    both = pelplug.analyze(["inherent-structures", "kappa"], path, model=model)
    np.testing.assert_array_equal(minima.results.energy, both["inherent-structures"]["energy"])
    np.testing.assert_allclose(results.kappa, both["kappa"]["kappa"], rtol=1e-12)


def test_a_wrong_name_gets_the_nearest_and_the_remedy(registry):
    with pytest.raises(AttributeError, match=r"no Kapa \(did you mean Kappa\?\); `pelplug plugins` lists"):
        pelplug.analyses.Kapa  # noqa: B018
    with pytest.raises(AttributeError, match=r"no kappa; the class of kappa is pelplug\.analyses\.Kappa\.$"):
        pelplug.analyses.kappa  # noqa: B018
    registry.register(object(), "hollow")
    with pytest.raises(AttributeError, match=r"Failed to load: .*hollow"):
        pelplug.analyses.Hollow  # noqa: B018
    assert not hasattr(pelplug.analyses, "__array__")


def test_a_class_name_of_two_plugins_is_refused_with_both_named(registry):
    registry.register(plugin_of(an_analysis("Twin", "first"), an_analysis("Alone", "alone")), "one")
    registry.register(plugin_of(an_analysis("Twin", "second")), "other")
    with pytest.raises(AttributeError, match=r"no Twin, for first \(.*\) and second \(.*\) both have"):
        pelplug.analyses.Twin  # noqa: B018
    assert pelplug.analyses.Alone.name == "alone"
    assert "Twin" not in dir(pelplug.analyses) and "Twin" not in repr(pelplug.analyses)
