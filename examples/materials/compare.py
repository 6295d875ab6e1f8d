"""One number of pelplug beside the same of another program: the last value of a variable, and what a file says.

python compare.py RESULT.nc VARIABLE FILE TOLERANCE
"""

import pathlib
import sys

import pelplug

result, name, file, tolerance = sys.argv[1:]
found = next(ds[name] for ds in pelplug.read_results(result).values() if name in ds)
ours, theirs = float(found[-1]), float(pathlib.Path(file).read_text().split()[-1])
off = abs(ours - theirs) / abs(theirs)
print(f"{name} of {result}: {ours:.10g} {found.attrs['units']}; {file}: {theirs:.10g}; {off:.1e} of it apart")
sys.exit(not off <= float(tolerance))
