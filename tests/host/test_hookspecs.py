"""The hooks: light to import, complete, documented."""

import inspect
import json
import subprocess
import sys

import pelplug
from pelplug.host import hookspecs

HOOKS = ["analyses", "commands", "engines", "exporters", "forms", "models", "potentials", "readers", "studies"]


def _modules_after(code):
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(out.stdout.splitlines()[-1])}


def test_importing_pelplug_loads_no_library():
    plain = _modules_after("")
    heavy = _modules_after("import pelplug; pelplug.hookimpl; dir(pelplug)") - plain - set(sys.stdlib_module_names)
    assert heavy <= {"pelplug", "pluggy", "lazy_loader"}


def test_models_can_be_called_and_asks_the_host():
    assert "kob-andersen" in pelplug.host.models()
    assert pelplug.model("kob-andersen").name == "kob-andersen"


def test_hooks_are_those_of_the_contract_each_with_an_example():
    found = {name: getattr(hookspecs, name) for name in dir(hookspecs) if name.startswith("pelplug_")}
    assert sorted(found) == [f"pelplug_{name}" for name in HOOKS]
    for name, spec in found.items():
        assert f"def {name}(" in inspect.getdoc(spec)
        assert "@pelplug.hookimpl" in inspect.getdoc(spec)
