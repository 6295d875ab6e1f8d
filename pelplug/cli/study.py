"""``pelplug study``: from the results of analyses, or from a theory, to a result, a figure and curves."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import FurtherCommand, common, further_option, further_options, output_options, registry
from pelplug.execution.placement import Workers
from pelplug.tasks.parameter_file import ParameterFile

__all__ = ["study"]


class StudyCommand(FurtherCommand):
    """A command whose options depend on the study that its first argument names."""

    hint = "With NAME, --help shows the options of that study too; `pelplug plugins -v` lists the studies."

    def further(self, ctx, args):
        """Look for the name of a study: it says which other options there are."""
        known = registry(ctx).studies()
        # Before it there may be values of options that only the study knows.
        name = next((word for word in self._words(args) if word in known), None)
        if name is None:
            return []
        taken = {text for option in self.params for text in option.opts}
        specs = [spec for spec in known[name].parameter_specs().values() if f"--{spec.option}" not in taken]
        return [(name, [further_option(spec, spec.option, spec.name, hidden=False) for spec in specs])]

    def _words(self, args):
        """Yield what is no option and no value of one of the command's own."""
        valued = {text for one in self.params if not getattr(one, "is_flag", False) for text in one.opts}
        words = iter(args)
        for word in words:
            if word in valued and word.startswith("-"):
                next(words, None)
            elif not word.startswith("-"):
                yield word


@click.command(cls=StudyCommand)
@click.argument("name", metavar="NAME")
@click.argument("results", nargs=-1, type=click.Path(), metavar="[FILE.nc...]")
@click.option("-o", "--output", type=click.Path(), metavar="OUT.nc", help="Result.  [default: NAME.nc]")
@click.option("--plot", type=click.Path(), metavar="OUT.png", help="Figure (.png, .pdf, .svg, ...).")
@click.option("--export", multiple=True, type=click.Path(), metavar="OUT.csv", help="Curves; may be repeated.")
@declared(ParameterFile)
@output_options
@declared(Workers)
@common
@click.pass_context
def study(ctx, name, results, output, plot, export, overwrite, quiet, **options):
    """Compute a study of results, at one condition or at many, or a theory.

    NAME is a study; each FILE has results of the analyses that it reads, or is a pattern of such names. After Ctrl-C
    the same command goes on.
    """
    from pelplug.cli.one_task import check_results_name, write_task
    from pelplug.cli.output import show_progress
    from pelplug.cli.run import print_result, tell_parts
    from pelplug.host.studies import make_study, run_study
    from pelplug.tasks.collection import Collection
    from pelplug.tasks.parts import Parts

    workers = taken(Workers, options).workers
    plugins, path = registry(), Path(output) if output else Path(f"{name}.nc")
    plugins.study(name)  # before any file is looked at
    check_results_name(path)
    collection, file = Collection(results), taken(ParameterFile, options)

    def make():
        made = make_study(name, collection, further_options(ctx), plugins, file)
        made.attributes["command"] = shlex.join(["pelplug", *(ctx.obj or ())])
        return made

    dataset = write_task(
        make,
        lambda made, store: run_study(made, plugins, Parts(workers, store, show_progress(quiet))),
        path,
        inputs=dict.fromkeys([*(one.path for one in collection), *([file.parameters] if file.parameters else [])]),
        plot=plot,
        export=export,
        exporters=list(plugins.exporters().values()),
        overwrite=overwrite,
        quiet=quiet,
    )
    if dataset is None:
        return 0
    code = tell_parts(name, dataset)
    if not quiet:
        number = len(collection)
        heading = f"{name}: {number} {'result' if number == 1 else 'results'}" if number else name
        print_result(heading, dataset, plugins.study(name).prints)
        for one in (path, *([plot] if plot else []), *export):
            click.echo(f"wrote {one}")
    return code
