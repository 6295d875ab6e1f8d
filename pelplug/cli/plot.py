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
    """Draw results again; several files are drawn over each other."""
    from pelplug.files import check_output
    from pelplug.results import read_results

    check_figure(output)
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
    """Return a figure: an analysis's own if there is one of it, else a panel for each analysis.

    Parameters
    ----------
    curves : dict of str to list of (str, Analysis)
        Labelled analyses by name; those of one name share a panel.
    """
    from matplotlib.figure import Figure

    if len(curves) == 1 and len(next(iter(curves.values()))) == 1:
        return next(iter(curves.values()))[0][1].figure()
    figure = Figure(figsize=(6.4 * len(curves), 4.8), layout="constrained")
    for ax, analyses in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.values(), strict=True):
        for index, (label, analysis) in enumerate(analyses):
            before = set(ax.get_children())
            analysis.plot(ax=ax)
            if len(analyses) > 1:
                _tell_apart(ax, before, label, index)
        if len(analyses) > 1:
            ax.legend()
    return figure


def _labels(files) -> list[str]:
    """Names that tell the files apart, as short as that allows."""
    stems = [Path(file).stem for file in files]
    return stems if len(set(stems)) == len(stems) else [str(file) for file in files]


def _tell_apart(ax, before: set, label: str, index: int) -> None:
    """Give what a call of plot() added a colour and, for its first curve, an entry in the legend.

    An analysis draws itself as if it were alone: numbers it writes into the panel would cover each other.
    """
    added = [one for one in (*ax.lines, *ax.patches, *ax.collections) if one not in before]
    for position, artist in enumerate(added):
        artist.set_color(f"C{index}")
        artist.set_label(label if position == 0 else f"_{label}")
    for text in [one for one in ax.texts if one not in before]:
        text.remove()
