"""Plugins from other distributions: the good work, the broken are reported, nothing else changes."""

import importlib.metadata
import json
import os
import subprocess
import sys

import pytest
from oracles import installed

import pelplug
from pelplug.errors import InputError
from pelplug.host import functions as host
from pelplug.host.registry import Registry

VERSIONS = {"good": "1.2", "broken": "0.3", "exits": "1.0", "raises": "2.0", "taken": "0.9", "careless": "0.1"}


def install(site, *plugins):
    installed.install(site, **{plugin: VERSIONS[plugin] for plugin in plugins})


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("PELPLUG_DISABLE_PLUGINS", raising=False)
    # Other test modules hold classes of these modules: give them back what they imported.
    ours = {name: module for name, module in sys.modules.items() if _is_plugin(name)}
    for name in ours:
        del sys.modules[name]
    yield folder
    for name in [name for name in sys.modules if _is_plugin(name)]:
        del sys.modules[name]
    sys.modules.update(ours)


def _is_plugin(module):
    return module.partition(".")[0].removeprefix("pelplug_") in VERSIONS


def by_name(registry):
    return {record.name: record for record in registry.plugins()}


def bundled(registry):
    return [
        (record.name, record.status, record.errors, record.provides) for record in registry.plugins() if record.bundled
    ]


def run_python(code, site, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site), **environment},
    )


def test_one_good_and_one_broken_installed_beside_the_bundle(site, tmp_path):
    install(site, "good", "broken")
    code = f"""
import json, pelplug
from pelplug.testing import make_trajectory
path = make_trajectory({str(tmp_path / "t.gsd")!r}, frames=2)
dataset = pelplug.analyze("near", path)
records = [(r.name, r.distribution, r.version, r.bundled, r.status, r.error) for r in pelplug.host.plugins()]
print(json.dumps([records, dataset.attrs["plugin"], list(pelplug.host.models())]))
"""
    out = run_python(code, site)
    assert out.returncode == 0, out.stderr
    records, owner, models = json.loads(out.stdout.splitlines()[-1])
    third = [record for record in records if not record[3]]
    error = "It could not be imported: ModuleNotFoundError: No module named 'a_library_nobody_has'."
    assert third == [
        ["broken", "pelplug-broken", "0.3", False, "failed", error],
        ["good", "pelplug-good", "1.2", False, "loaded", None],
    ]
    assert owner == "pelplug-good 1.2"
    assert "wahnstrom" in models and "kob-andersen" in models


def test_broken_plugins_change_nothing_for_the_others(site):
    alone = bundled(Registry())
    install(site, *VERSIONS)
    registry = Registry()
    assert bundled(registry) == alone
    records = by_name(registry)
    assert [record.name for record in registry.plugins() if not record.bundled] == sorted(VERSIONS)
    assert {name: records[name].status for name in VERSIONS} == {
        "broken": "failed",
        "careless": "failed",
        "exits": "failed",
        "good": "loaded",
        "raises": "failed",
        "taken": "failed",
    }
    assert "SystemExit: no licence found" in records["exits"].error
    assert "pelplug_analyses failed: KeyError" in records["raises"].error
    assert "a_library_nobody_has" in records["broken"].tracebacks[0]
    assert "Traceback" in records["raises"].tracebacks[0]
    assert records["good"].summary == "A third-party plugin that keeps the contract."
    assert {"near", "busiest", "drift", "own", "fine"} <= set(registry.analyses())


def test_bundled_first_then_sorted_by_distribution(site):
    install(site, "raises", "good", "careless")
    names = [record.name for record in Registry().plugins()]
    assert names[-3:] == ["careless", "good", "raises"]
    assert {"models", "potentials"} <= set(names[:-3])


def test_a_taken_name_is_refused_and_both_owners_named(site):
    install(site, "good", "taken")
    registry = Registry()
    error = by_name(registry)["taken"].error
    assert "The analysis 'near' of taken (pelplug-taken 0.9) is refused" in error
    assert "good (pelplug-good 1.2) has it already" in error
    assert "the name 'kalj' is taken, models (pelplug" in error
    assert registry.analysis("near").__module__ == "pelplug_good.analyses"
    assert registry.model("kalj").name == "kob-andersen"
    assert "own" in registry.analyses() and "other" not in registry.models()


def test_the_mistakes_of_authors_are_named_and_the_rest_kept(site):
    install(site, "careless")
    registry = Registry()
    errors = "\n".join(by_name(registry)["careless"].errors)
    assert "hook pelplug_analysis, which pelplug does not have (did you mean pelplug_analyses" in errors
    assert "pelplug_models without @pelplug.hookimpl" in errors
    assert "the name 'Bad Name'; use lower-case words" in errors
    assert "'depth' of NoHelp must be annotated" in errors
    assert "<class 'int'> is not a subclass of pelplug.Analysis" in errors
    assert by_name(registry)["careless"].provides == {"analyses": ["fine"]}


@pytest.mark.parametrize("value", ["good", "pelplug-good", "pelplug_good", "broken, good", "*", "all"])
def test_disable_variable(site, monkeypatch, value):
    install(site, "good", "broken")
    monkeypatch.setenv("PELPLUG_DISABLE_PLUGINS", value)
    registry = Registry()
    assert by_name(registry)["good"].status == "disabled"
    assert by_name(registry)["models"].status == "loaded"
    assert "pelplug_good" not in sys.modules
    with pytest.raises(InputError, match="switched off"):
        registry.analysis("good")


def test_third_party_plugins_off(site):
    install(site, "good", "exits")
    registry = Registry(third_party=False)
    assert {by_name(registry)[name].status for name in ("good", "exits")} == {"disabled"}
    assert "near" not in registry.analyses() and "kob-andersen" in registry.models()


def test_a_bundled_plugin_is_disabled_by_its_own_name_only():
    assert by_name(Registry(disabled=["models"]))["models"].status == "disabled"
    assert by_name(Registry(disabled=["pelplug"]))["models"].status == "loaded"


def test_unknown_names_get_one_sentence(site):
    install(site, "good", "broken")
    registry = Registry()
    with pytest.raises(InputError, match=r"no analysis 'naer' \(did you mean near"):
        registry.analysis("naer")
    with pytest.raises(InputError, match=r"no model 'kob-anderson' \(did you mean kob-andersen"):
        registry.model("kob-anderson")
    with pytest.raises(InputError, match=r"because the plugin broken \(pelplug-broken 0.3\) failed. It could not be"):
        registry.analysis("broken")
    with pytest.raises(InputError, match=r"there are .*near"):
        registry.analysis("zzzzzz")


def test_ctrl_c_during_import_is_not_swallowed(site):
    class Entry:
        name, value, group, dist = "stopped", "x", "pelplug", None

        def load(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Registry(entry_points=[Entry()])


def test_unreadable_metadata_hides_no_other_plugin(site, monkeypatch):
    install(site, "good")

    class Damaged(importlib.metadata.Distribution):
        metadata = {"Name": "pelplug-damaged"}  # noqa: RUF012

        def read_text(self, filename):
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

        def locate_file(self, path):
            return path

    real = importlib.metadata.distributions
    monkeypatch.setattr(importlib.metadata, "distributions", lambda **kw: [Damaged(), *real(**kw)])
    registry = Registry()
    assert "near" in registry.analyses() and "kob-andersen" in registry.models()
    assert any("cannot be read" in (record.error or "") for record in registry.plugins())


class Group:
    """The part of a click group that matters."""

    def __init__(self):
        self.commands = {"analyze": "ours", "models": "ours"}

    def add_command(self, command):
        self.commands[command.name] = command


def test_commands_are_added_and_none_replaced(site):
    install(site, "good", "raises", "taken")
    registry, group = Registry(), Group()
    registry.add_commands(group)
    assert group.commands["analyze"] == "ours" and group.commands["models"] == "ours"
    assert group.commands["good"].name == "good"
    # Two come with bundled analyses.
    assert sorted(group.commands) == ["analyze", "good", "metabasins", "models", "msed"]
    assert "The command 'analyze' is refused: pelplug has one" in by_name(registry)["taken"].error
    assert "RuntimeError: half way" in by_name(registry)["raises"].error


def test_engines_exporters_and_forms_are_checked():
    class Fine:
        name, summary, suffixes = "fine", "s", (".fine",)

        def export(self, datasets, trajectory, path):
            pass

        @staticmethod
        def available():
            return True

        status = session = available

    class Bare:
        name = "bare"

    class Plugin:
        @pelplug.hookimpl
        def pelplug_exporters(self):
            return [Fine(), Bare()]

        @pelplug.hookimpl
        def pelplug_engines(self):
            return [Fine, Bare]

        @pelplug.hookimpl
        def pelplug_forms(self):
            return [Bare()]

        @pelplug.hookimpl
        def pelplug_potentials(self):
            return [Bare]

        @pelplug.hookimpl
        def pelplug_models(self):
            return "not a list"

    registry = Registry(third_party=False)
    assert set(registry.engines()) == {"hoomd", "lammps", "openmm"}
    registry.register(Plugin(), "mixed")
    assert registry.has_engine() and "fine" in registry.exporters()
    assert set(registry.engines()) == {"hoomd", "lammps", "openmm", "fine"}
    errors = "\n".join(by_name(registry)["mixed"].errors)
    assert "exporter bare must have suffixes" in errors
    assert "engine bare has no available()" in errors
    assert "is not a pelplug.Form" in errors
    assert "is not a subclass of pelplug.Provider" in errors
    assert "returned 'not a list' where a list is due" in errors


def test_an_ending_of_an_exporter_that_is_taken_is_told_with_its_owner():
    def plugin(*suffixes_of):
        class Exporter:
            name, summary, suffixes = suffixes_of[0], "s", suffixes_of[1:]
            export = staticmethod(lambda datasets, trajectory, path: None)

        class Plugin:
            @pelplug.hookimpl
            def pelplug_exporters(self):
                return [Exporter()]

        return Plugin()

    registry = Registry(third_party=False)
    records = [
        registry.register(plugin(*offers), offers[0], "pelplug-some", "1.0")
        for offers in (("first", ".fine"), ("second", ".other", ".FINE"), ("third", ".csv"))
    ]
    assert list(registry.exporters()) == ["first"]
    assert "the name '.fine' is taken, first (pelplug-some 1.0) has it already" in records[1].error
    assert "the ending '.csv' of the exporter third is taken, pelplug writes such files" in records[2].error


def test_a_plugin_that_returns_forms_where_providers_are_due_is_told_once():
    class Plugin:
        @pelplug.hookimpl
        def pelplug_potentials(self):
            return [pelplug.Form(name, form, ("epsilon",), "epsilon x") for name in ("one", "two")]

    def form(x, p):
        return p[0] * x, p[0], 0.0

    registry = Registry(third_party=False)
    record = registry.register(Plugin(), "older")
    assert not {"one", "two"} & {*registry.forms(), *registry.potentials()}
    assert record.status == "failed" and len(record.errors) == 1
    assert record.error.endswith(
        "functional forms moved to the hook pelplug_forms; give the function pelplug_potentials, which returned them, "
        "that name."
    )


@pytest.mark.parametrize("kind", ["forms", "potentials"])
def test_forms_and_providers_of_a_taken_name_are_refused(kind):
    class Tables(pelplug.Provider):
        name, summary = "tables", "from a table"

        def potential(self, file):
            raise NotImplementedError

    offered = {"forms": pelplug.Form("tables", lambda x, p: (x, 1.0, 0.0), (), "x"), "potentials": Tables}[kind]

    def offer(self):
        return [offered]

    offer.__name__ = f"pelplug_{kind}"
    plugin = type("Plugin", (), {f"pelplug_{kind}": pelplug.hookimpl(offer)})
    registry = Registry(third_party=False)
    registry.register(plugin(), "first", "pelplug-first", "1.0")
    second = registry.register(plugin(), "second", "pelplug-second", "2.0")
    assert getattr(registry, kind)()["tables"] is offered
    assert "of second (pelplug-second 2.0) is refused: the name 'tables' is taken" in second.error
    assert "first (pelplug-first 1.0) has it already" in second.error


def test_the_default_registry_can_be_replaced():
    before = host.default_registry()
    try:
        mine = Registry(third_party=False)
        host.use_registry(mine)
        assert host.default_registry() is mine and host.plugins() == mine.plugins()
    finally:
        host.use_registry(before)


def test_model_from_a_file_of_the_user(tmp_path):
    with pytest.raises(InputError, match=r"m\.toml"):
        pelplug.model(tmp_path / "m.toml")
