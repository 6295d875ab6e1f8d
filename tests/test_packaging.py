"""The bundle is the union of its plugins' own tables, so that each of them could be published by itself."""

import pathlib
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


def table(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())


def requirements(entries):
    return {entry.split(">")[0].split("=")[0].split("[")[0].strip(): entry for entry in entries}


def test_there_are_plugins_and_each_folder_is_one():
    assert PLUGINS
    assert {path.name for path in ROOT.glob("plugins/*") if path.is_dir()} == {path.name for path in PLUGINS}


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_plugin_is_bundled_as_it_declares(folder):
    root, own = table(ROOT), table(folder)
    bundled = root["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for package in own["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"plugins/{folder.name}/{package}" in bundled
        assert (folder / package / "__init__.py").is_file()
    entry_points = own["project"]["entry-points"]["pelplug"]
    assert entry_points.items() <= root["project"]["entry-points"]["pelplug"].items()
    root_requirements = requirements(root["project"]["dependencies"])
    for name, entry in requirements(own["project"]["dependencies"]).items():
        if name != "pelplug":
            assert root_requirements.get(name) == entry
    assert own["project"]["version"] == root["project"]["version"]
    assert own["project"]["requires-python"] == root["project"]["requires-python"]
    # Installing it over the bundle and removing it would delete the bundle's files.
    assert "Private :: Do Not Upload" in own["project"]["classifiers"]
    assert (folder / "README.md").is_file()
    assert list((folder / "tests").glob("test_*.py"))


def test_bundle_holds_nothing_that_no_plugin_declares():
    root = table(ROOT)
    packages = {
        f"plugins/{folder.name}/{package}"
        for folder in PLUGINS
        for package in table(folder)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    }
    assert set(root["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == {"pelplug", *packages}
    entry_points = {}
    for folder in PLUGINS:
        entry_points |= table(folder)["project"]["entry-points"]["pelplug"]
    own = {"engines": "pelplug.simulate", "models": "pelplug.models", "potentials": "pelplug.potentials"}
    assert root["project"]["entry-points"]["pelplug"] == {**own, **entry_points}


def test_plugins_are_watched_by_import_linter():
    names = {package for folder in PLUGINS for package in table(folder)["project"]["entry-points"]["pelplug"].values()}
    linter = table(ROOT)["tool"]["importlinter"]
    assert set(linter["root_packages"]) == {"pelplug", *names}
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    assert set(contracts["Plugins see the public face only"]["source_modules"]) == names
    assert set(contracts["Plugins never import each other"]["modules"]) == names
