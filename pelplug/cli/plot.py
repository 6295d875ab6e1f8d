"""``pelplug plot``: results drawn again, several files over each other."""

from __future__ import annotations

from pathlib import Path

import click

from pelplug.cli.options import common, plugin_names, registry
from pelplug.cli.output import check_figure, save_figure
from pelplug.errors import InputError

__all__ = ["plot"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE.nc...")
@click.option("-o", "--output", required=True, type=click.Path(), metavar="OUT.png", help="Figure to write.")
@click.option("--plugin", "plugin", multiple=True, metavar="NAME", help="Draw this analysis of the files only.")
@click.option("--overwrite", is_flag=True, help="Replace an existing figure.")
@common
def plot(files, output, plugin, overwrite):
    """Draw results again; several files over each other, coloured and named by their conditions."""
    from pelplug.core.lock import lock_outputs
    from pelplug.core.outputs import check_output
    from pelplug.files.results import read_results

    check_figure(output)
    with lock_outputs(output):
        check_output(output, overwrite, files)
        found = [(Path(file), read_results(file)) for file in files]
        present = list(dict.fromkeys(name for _, datasets in found for name in datasets))
        names = plugin_names(plugin) or present
        for name in names:
            if name not in present:
                raise InputError(f"There are no results of {name} in the files; they have {', '.join(present)}.")
        curves = {
            name: [
                (label, registry().analysis(name).from_dataset(datasets[name]))
                for label, (_, datasets) in zip(_labels(files), found, strict=True)
                if name in datasets
            ]
            for name in names
        }
        save_figure(lambda: draw(curves), output, overwrite, files)
    click.echo(f"wrote {output}")


def draw(curves: dict):
    """Return a figure: an analysis's own if there is one of it, else the panels of each analysis.

    Parameters
    ----------
    curves : dict of str to list of (str, Analysis)
        Analyses by name, with the names of their files; those of one name share panels.
    """
    from matplotlib.figure import Figure

    from pelplug.plotting.conditions import by_conditions
    from pelplug.plotting.style import overlay

    if len(curves) == 1 and len(next(iter(curves.values()))) == 1:
        return next(iter(curves.values()))[0][1].figure()
    panels = []
    for analyses in curves.values():
        if len(analyses) == 1:
            panels.append(analyses[0][1].plot)
            continue
        datasets = [analysis.to_dataset() for _, analysis in analyses]
        entries = by_conditions(datasets, [label for label, _ in analyses])
        for row in zip(*(analyses[k][1].panels() for k, _, _ in entries), strict=False):
            draws = [(one, label, colour) for one, (_, label, colour) in zip(row, entries, strict=True)]
            panels.append(lambda ax, draws=draws: overlay(ax, draws))
    columns = min(len(panels), 2 if len(panels) == 4 else 3)
    rows = -(-len(panels) // columns)
    figure = Figure(
        figsize=((5.2 if columns > 1 else 6.4) * columns, (4.2 if columns > 1 else 4.8) * rows), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, panel in zip(axes, panels, strict=False):
        panel(ax=ax)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    return figure


def _labels(files) -> list[str]:
    """Names that tell the files apart, as short as that allows."""
    stems = [Path(file).stem for file in files]
    return stems if len(set(stems)) == len(stems) else [str(file) for file in files]
