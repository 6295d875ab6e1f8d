"""The bundle is the union of its plugins' own tables, so that each of them could be published by itself."""

import pathlib
import subprocess
import sys
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


def test_continuous_integration_runs_the_readmes_commands():
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Install and run") : text.index("## Simulate")]
    commands = [block.partition("```")[0].strip() for block in section.split("```bash")[1:]]
    assert len(commands) == 2 and all("&&" in command for command in commands)
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    places = [script.index(command) for command in commands]
    assert places == sorted(places)
    again = commands[0].partition("&& ")[2]
    assert again in script[places[1] :]


def test_an_editable_installation_puts_every_package_on_the_path():
    """What an old version left in site-packages hides what an import hook finds, but not a package on the path."""
    build = table(ROOT)["tool"]["hatch"]["build"]
    assert "dev-mode-exact" not in build
    assert set(build["dev-mode-dirs"]) == {".", *(f"plugins/{folder.name}" for folder in PLUGINS)}


def test_what_an_old_version_left_behind_hides_nothing(tmp_path):
    for name in ("pelplug", "pelplug_kappa"):
        (tmp_path / name / "__pycache__").mkdir(parents=True)
        (tmp_path / name / "__pycache__" / "kernels.nbi").touch()
    packages = table(ROOT)["tool"]["hatch"]["build"]["dev-mode-dirs"]
    folders = [str(tmp_path), *(str(ROOT / folder) for folder in packages)]
    script = f"import sys; sys.path[:0] = {folders!r}\nimport pelplug, pelplug_kappa\n"
    script += "print(pelplug.__file__, pelplug_kappa.__file__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    found = [str(ROOT / "pelplug" / "__init__.py"), str(ROOT / "plugins" / "kappa" / "pelplug_kappa" / "__init__.py")]
    assert done.stdout.split() == found, done.stderr
