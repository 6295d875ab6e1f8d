"""The public face and the hooks: light to import, complete, documented."""

import importlib
import inspect
import json
import subprocess
import sys

import pelplug
from pelplug.host import hookspecs

HOOKS = ["analyses", "commands", "engines", "exporters", "models", "potentials"]


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
    assert heavy <= {"pelplug", "pluggy"}


def test_every_public_name_exists_and_is_listed():
    assert sorted(pelplug._HOME_OF) == sorted(set(pelplug.__all__) - {"__version__", "models"})
    for name in pelplug.__all__:
        assert getattr(pelplug, name) is not None
    assert set(pelplug.__all__) <= set(dir(pelplug))
    assert pelplug.__version__.count(".") == 2


def test_unknown_names_are_attribute_errors():
    assert not hasattr(pelplug, "no_such_thing")


def test_type_checkers_see_the_same_names():
    source = inspect.getsource(pelplug)
    block = source[source.index("if TYPE_CHECKING:") : source.index("# Which module")]
    for name in set(pelplug.__all__) - {"__version__"}:
        assert f" {name}" in block


def test_the_whole_landscape_room_is_public():
    landscape = importlib.import_module("pelplug.landscape")
    public = {name for name in landscape.__all__ if not name.isupper()}
    assert public <= set(pelplug.__all__)


def test_models_can_be_called_and_asks_the_host():
    assert "kob-andersen" in pelplug.host.models()
    assert pelplug.model("kob-andersen").name == "kob-andersen"


def test_hooks_are_those_of_the_contract_each_with_an_example():
    found = {name: getattr(hookspecs, name) for name in dir(hookspecs) if name.startswith("pelplug_")}
    assert sorted(found) == [f"pelplug_{name}" for name in HOOKS]
    for name, spec in found.items():
        assert f"def {name}(" in inspect.getdoc(spec)
        assert "@pelplug.hookimpl" in inspect.getdoc(spec)
