"""What the pages say of each other and of the tests: links that lead somewhere, records that stand in the table."""

import contextlib
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import click
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


sys.path.insert(0, str(DOCS))
import rendering  # noqa: E402

sys.path.remove(str(DOCS))


def rows():
    lines = (DOCS / "reproduction.md").read_text().splitlines()
    return [line.split(" | ") for line in lines if line.startswith("| ")][1:]


def test_each_row_of_the_reproduction_links_to_a_record_and_names_a_test():
    assert len(rows()) > 90
    for row in rows():
        assert len(row) == 6, row
        link = re.match(r"\| \[.+?\]\((records/\d{4}-\d\d-\d\d-[a-z0-9-]+\.md)\)", row[0])
        assert link and (DOCS / link.group(1)).is_file(), row
        test = row[5].removesuffix(" |")
        if test != "in the record":
            assert (ROOT / "tests" / "validation" / f"test_{test.strip('`').split()[0]}.py").is_file(), row


def test_each_record_is_reached_from_the_table():
    page = (DOCS / "reproduction.md").read_text()
    assert [path.name for path in sorted(DOCS.glob("records/20*.md")) if f"(records/{path.name})" not in page] == []


def numbers(text):
    plain = text.replace("\\,", "").replace("$", "")
    return {float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", plain)}


def test_each_number_of_the_table_stands_in_its_record():
    for row in rows():
        record = DOCS / re.search(r"\((records/[^)]+)\)", row[0])[1]
        strange = set.union(*map(numbers, row[1:4])) - numbers(record.read_text())
        assert not strange, f"{record.name} does not have {sorted(strange)} of the row {row[:4]}"


def test_each_record_says_what_was_declared_and_what_came_of_it():
    for path in DOCS.glob("records/20*.md"):
        title, _, head = path.read_text().splitlines()[:3]
        assert title.startswith("# ") and head == "| declared beforehand | run | with | verdict |", path.name


def test_pages_named_in_the_code_exist():
    files = [path for folder in ("pelplug", "plugins", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    named = {
        (name, str(path.relative_to(ROOT)))
        for path in [*files, *ROOT.glob("*.md"), ROOT / "pyproject.toml"]
        for name in re.findall(r"\bdocs/[a-z0-9/-]+\.md", path.read_text())
    }
    assert len(named) > 20
    assert sorted(pair for pair in named if not (ROOT / pair[0]).is_file()) == []


def test_files_named_on_pages_exist():
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    pattern = r"\b(?:(?:pelplug|plugins/\w+|tests|benchmarks|examples|docs)/[a-z0-9_/.-]*[a-z0-9_-]\.(?:py|md|toml))\b"
    named = {(name, page.name) for page in pages for name in re.findall(pattern, page.read_text())}
    assert len(named) > 40
    assert sorted(pair for pair in named if not (ROOT / pair[0]).is_file()) == []


def options():
    """Every option of every command, of every bundled analysis, study and engine, by its present name."""
    from pelplug.cli.main import cli
    from pelplug.host.registry import Registry

    # --r-max is of the function in README.md and docs/hooks/analyses.md.
    registry, found, added = Registry(third_party=False), {"--help", "--r-max"}, click.Group()
    registry.add_commands(added)
    commands = [cli, added]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        found.update(text for one in command.params for text in (*one.opts, *one.secondary_opts))
    for cls in registry.analyses().values():
        found.add(f"--{cls.name}")  # of --kappa.pairs
    for cls in (*registry.analyses().values(), *registry.studies().values(), *registry.engines().values()):
        found.update(f"--{no}{spec.option}" for spec in cls.parameter_specs().values() for no in ("", "no-"))
    return found


def test_options_on_pages_exist():
    """Those in text and in lines of examples that call pelplug; other programs have options of their own."""
    known, wrong = options(), []
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", *ROOT.glob("plugins/*/README.md")]
    for page in sorted({*pages} - {DOCS / "benchmarks.md"}):  # which has those of the scripts
        blocks = re.split(r"^```.*$", page.read_text(), flags=re.MULTILINE)
        # Those of the examples of hooks have options of their own, and are run by tests/test_hook_pages.py.
        shown = [] if page.parent.name == "hooks" else blocks[1::2]
        lines = [line for block in shown for line in block.splitlines() if line.startswith("pelplug ")]
        lines += [code for block in blocks[::2] for code in re.findall(r"`((?:--|pelplug )[^`]+)`", block)]
        given = {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", line)}
        wrong += [(page.name, option) for option in sorted(given - known)]
    assert len(known) > 150
    assert wrong == []


def resolves(name):
    """Whether a dotted name can be imported: a module as far as it goes, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        with contextlib.suppress(ImportError):
            found = importlib.import_module(".".join(parts[:length]))
            for attribute in parts[length:]:
                found = getattr(found, attribute, None)
            return found is not None
    return False


def test_names_of_the_code_on_pages_exist():
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("plugins/*/README.md")]
    pattern = r"\bpelplug(?:_\w+)?(?:\.[A-Za-z_]\w*)+"
    named = {(name, page.name) for page in pages for name in re.findall(pattern, page.read_text())}
    examples = ("pelplug_foo.", "pelplug.something", "pelplug_command.")  # the last is a fixture
    # Files that the examples of the pages are made of.
    written = {name for page in pages for name in re.findall(r"^# (pelplug_\w+\.py)$", page.read_text(), re.MULTILINE)}
    written |= {path.name for path in ROOT.glob("examples/*/*.py")}
    named = {pair for pair in named if pair[0] not in written and not pair[0].startswith(examples)}
    assert len(named) > 100
    assert sorted(pair for pair in named if not resolves(pair[0])) == []


PAGES = {str(path.relative_to(DOCS)): path.read_text() for path in sorted(DOCS.rglob("*.md"))}


def rows_of(text):
    """First cells and whole rows of all tables, without their headings."""
    lines = text.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("| ") and not line.startswith("| ---") and not after.startswith(("|---", "| ---")):
            cells = [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r" (?<!\\)\| ", line.strip("| "))]
            yield re.findall(r"`([^`]+)`", cells[0]), cells


def table_of(name, kind):
    """Rows of the rendered table on the one page that has it, by the first word of the first cell."""
    directive = f"```{{{kind}}} {name}\n```"
    pages = [stem for stem, text in PAGES.items() if directive in text]
    assert len(pages) == 1, f"one page must have, it is now {pages or 'none'}:\n{directive}"
    return {codes[0].split()[0]: cells for codes, cells in rows_of(rendering.expand(directive))}


@pytest.mark.parametrize("kind", ["analyses", "models", "minimisers", "engines"])
def test_every_parameter_is_rendered_on_its_page(kind):
    tables = [{}]
    for name, cls in rendering.bundled(kind).items():
        specs = cls.parameter_specs()
        if specs not in tables:  # a model in two dimensions may share the table of that in three
            tables.append(specs)
            shown = table_of(name, "parameters")
            names = [f"--{spec.option}" if kind == "analyses" else spec.name for spec in specs.values()]
            assert list(shown) == names
            for (option, default, meaning), spec in zip(shown.values(), specs.values(), strict=True):
                assert spec.help[1:].rstrip(".") in meaning and spec.bounds in meaning
                assert f"in units of {spec.unit}" in meaning or not spec.unit
                assert spec.is_flag or all(str(choice) in option for choice in spec.choices or ())
                assert default in ("yes", "no") or default.startswith("`")


def test_every_variable_of_every_analysis_is_rendered_on_its_page():
    tables = []
    for name, cls in rendering.bundled("analyses").items():
        if cls.provides in tables:  # analyses with the same variables share a table
            continue
        tables.append(cls.provides)
        shown = table_of(name, "variables")
        assert list(shown) == list(cls.provides)
        for (_, dims, unit, meaning), field in zip(shown.values(), cls.provides.values(), strict=True):
            assert (unit, meaning) == (field.unit, field.long_name)
            assert all(dim in dims for dim in field.dims)


def test_no_page_types_a_parameter_or_a_variable_of_its_own():
    declared = {
        name
        for cls in rendering.bundled("analyses").values()
        for name in [*cls.provides, *(f"--{spec.option}" for spec in cls.parameter_specs().values())]
    }
    typed = {page: [c for codes, _ in rows_of(text) for c in codes if c in declared] for page, text in PAGES.items()}
    assert {page: codes for page, codes in typed.items() if codes} == {}


CATEGORIES = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_the_changelog_has_the_usual_categories_in_their_order():
    template, text = re.findall(r"<!--(.*?)-->(.*)", (ROOT / "CHANGELOG.md").read_text(), re.DOTALL)[0]
    assert re.findall(r"^### (.*)", template, re.MULTILINE) == CATEGORIES
    versions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert versions
    for version in versions:
        assert re.match(r"\d+\.\d+\.\d+ \((unreleased|\d{4}-\d\d-\d\d)\)\n", version), version.splitlines()[0]
        headings = re.findall(r"^### (.*)", version, re.MULTILINE)
        assert headings == [name for name in CATEGORIES if name in headings]
        sections = re.split(r"^### .*\n", version, flags=re.MULTILINE)[1:]
        assert all(re.search(r"^- ", section, re.MULTILINE) for section in sections), "a heading without a line"


def git(folder, *arguments):
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def subjects(folder, *arguments):
    script = [sys.executable, str(ROOT / ".ci" / "subjects.py"), *arguments]
    return subprocess.run(script, cwd=folder, capture_output=True, text=True)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_long_subjects_of_new_commits_are_refused_also_in_shallow_clones(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "é" * 71)
    assert subjects(tmp_path).returncode == 0
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x" * 72)
    refused = subjects(tmp_path)
    assert refused.returncode == 1 and "72 characters; say it in under 72" in refused.stdout
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "short again")
    git(tmp_path, "clone", "-q", "--depth", "1", tmp_path.as_uri(), "shallow")
    git(tmp_path, "clone", "-q", "--depth", "2", tmp_path.as_uri(), "deeper")
    assert subjects(tmp_path / "shallow").returncode == 0
    assert subjects(tmp_path / "deeper").returncode == 1


def test_the_hook_refuses_a_long_subject_before_it_is_committed(tmp_path):
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(f"short\n\n{'why ' * 30}")
    assert subjects(tmp_path, str(message)).returncode == 0
    message.write_text("x" * 72 + "\n")
    assert subjects(tmp_path, str(message)).returncode == 1
