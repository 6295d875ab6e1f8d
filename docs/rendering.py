"""Tables that the pages do not hold themselves: made from the code when the documentation is built.

A page asks for one by a directive, whose name is in `TABLES`::

    ```{parameters} kappa
    ```

`parameters` are those of an analysis, a study, a model, a minimiser or an engine, or the `conditions` that can be
given, `variables` those of an analysis or a study, `coverage` how often its stated errors hold (without one, those of
all together), `liquids` how groups of runs scatter, `checks` the rules that `pelplug.testing` has for a kind of thing,
`arrows` the arrows between the rooms, `names` the public names of a group.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re

import face
import rooms

__all__ = ["TABLES", "expand", "setup"]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows])


def plain(text: str) -> str:
    """Return a text in which nothing is Markdown."""
    return re.sub(r"([\\`*_<>|$\[\]~])", r"\\\1", text)


def code(text: str) -> str:
    """Return a text as code, in a cell of a table."""
    return f"`{text}`".replace("|", "\\|")


@functools.cache
def bundled(kind: str) -> dict[str, type]:
    """Return what comes with pelplug by name: its analyses, studies, models, minimisers, engines, files, arguments."""
    from pelplug.core.given import Given
    from pelplug.host.registry import Registry
    from pelplug.landscape import MINIMISERS
    from pelplug.models.definition import Definition

    if kind == "files":
        return {"definition": Definition}
    if kind == "minimisers":
        return MINIMISERS
    if kind == "arguments":
        return {"conditions": Given}

    return getattr(Registry(third_party=False), kind)()


def parameters(name: str) -> str:
    """Return the parameters of whatever has that name: option or name, default, meaning."""
    from pelplug.core.docstrings import default_of, explanation

    kinds = (bundled(kind) for kind in ("analyses", "studies", "models", "minimisers", "engines", "files", "arguments"))
    specs = next(kind[name] for kind in kinds if name in kind).parameter_specs()
    options = any(name in bundled(kind) for kind in ("analyses", "studies", "arguments"))
    rows = []
    for spec in specs.values():
        values = "" if spec.is_flag or not spec.choices else f" {'|'.join(map(str, spec.choices))}"
        default = {"False": "no", "True": "yes"}.get(default_of(spec), code(default_of(spec)))
        shown = f"--{spec.option}" if options else spec.name
        rows.append([code(f"{shown}{values}"), default, plain(explanation(spec))])
    return table(["option" if options else "parameter", "default", "meaning"], rows)


def variables(name: str) -> str:
    """Return the variables of an analysis or a study: name, dimensions, unit, meaning."""
    rows, tasks = [], bundled("analyses") | bundled("studies")
    for variable, field in tasks[name].provides.items():
        dims = f"{', '.join(field.dims[1:])} of each frame" if field.ragged else ", ".join(field.dims)
        rows.append([code(variable), plain(dims), plain(field.unit), plain(field.long_name)])
    return table(["variable", "dimensions", "unit", "meaning"], rows)


def arrows() -> str:
    """Return the arrows between the rooms, as they are measured."""
    return table(
        ["room", "uses"],
        [
            [f"`{room}`", ", ".join(f"{name} {count}" for name, count in rooms.uses(room).items()) or "nothing"]
            for floor in rooms.floors()
            for room in floor
        ],
    )


def checks(kind: str) -> str:
    """Return the checks of a kind of thing: name and rule; those of a model's potential are the potential's."""
    from pelplug.testing.checks import every_check

    found = [one for one in every_check().values() if kind in one.kinds and not one.name.startswith("check_potential_")]
    return table(["check", "rule"], [[code(one.name), plain(one.rule)] for one in found])


def coverage(analysis: str = "") -> str:
    """Return how often the errors that an analysis states hold, as measured: a table for each law of the data."""
    if not analysis:
        all_of_them = measured_coverage()["pooled"]
        return f"Of all {all_of_them['number']} stated standard errors together {percent(all_of_them['share'])} hold."
    head = ["quantity", "errors that hold", "should hold", "band", "scatter / error", "bias / error", "none stated"]
    parts = []
    for entry in measured_coverage()["subjects"].values():
        if entry["analysis"] != analysis:
            continue
        sets, seed = entry["sets"], entry["seed"]
        parts.append(
            f"{entry['law']}: {sets} sets, seeds {seed} to {seed + sets - 1}; {entry['date']}, {made_with(entry)}"
        )
        rows, notes = [], []
        for name, row in entry["quantities"].items():
            cells = [code(name), "none", percent(row["confidence"]), "", "", "", str(row["unstated"])]
            if row["share"] is not None:
                shown = percent(row["share"])
                cells[1] = shown if row["holds"] else f"**{shown}**"
                cells[3] = f"{percent(row['low'])} to {percent(row['high'])}"
                cells[4:6] = f"{row['scatter']:.2f}", f"{row['bias']:+.2f}"
            rows.append(cells)
            if row["exception"]:
                notes.append(f"- {code(name)}: {plain(row['exception'])}")
        parts += [table(head, rows), *(["Outside of the band:\n\n" + "\n".join(notes)] if notes else [])]
    return "\n\n".join(parts)


def liquids() -> str:
    """Return how results of ten groups of liquids scatter, over the errors that each states."""
    entry = measured_coverage()["subjects"].get("liquids-together")
    if entry is None:
        return ""
    head = ["quantity", "particles", "mean of ten", "mean stated error", "scatter / error"]
    rows = [
        [code(name), kind, f"{row['mean']:.4g}", f"{row['error']:.2g}", f"{row['ratio']:.2f}{' *' * row['asked']}"]
        for kind, found in entry["kinds"].items()
        for name, row in found.items()
    ]
    return f"{entry['date']}, {made_with(entry)}\n\n{table(head, rows)}"


def measured_coverage() -> dict:
    """Return what was measured of stated errors."""
    return json.loads((pathlib.Path(__file__).parent / "coverage.json").read_text(encoding="utf-8"))


def made_with(entry: dict) -> str:
    """Return the version, and the commit where it is known."""
    return f"version {entry['version']}" + (f", commit {entry['commit']}" if entry["commit"] else "")


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:.1f} %"


TABLES = {
    "arrows": arrows,
    "checks": checks,
    "coverage": coverage,
    "liquids": liquids,
    "names": face.reference,
    "parameters": parameters,
    "variables": variables,
}


def expand(page: str) -> str:
    """Return the text of a page with its tables in place of the directives."""
    pattern = rf"^```{{({'|'.join(TABLES)})}} ?(.*)\n```$"
    return re.sub(pattern, lambda found: TABLES[found[1]](*found[2].split()), page, flags=re.MULTILINE)


def setup(app):
    """Register one directive for each table."""
    from sphinx.util.docutils import SphinxDirective

    class Rendered(SphinxDirective):
        """A table of `TABLES`, by the name of the directive."""

        optional_arguments = 1

        def run(self):
            """Return the nodes of the table."""
            return self.parse_text_to_nodes(TABLES[self.name](*self.arguments), allow_section_headings=True)

    for name in TABLES:
        app.add_directive(name, Rendered)
    return {"parallel_read_safe": True}
