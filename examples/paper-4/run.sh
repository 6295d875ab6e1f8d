#!/bin/sh
# Studies of Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022): defects of soft spheres over temperature (Fig. 4), and
# the exponent and finite-size collapse of descents from T = infinity in two dimensions (Figs. 2(a), S1(d)).
# It goes on where it was interrupted.
#
#     sh examples/paper-4/run.sh FOLDER [OPTIONS of make.py]
#     sh examples/paper-4/run.sh FOLDER --particles 64000 --sizes 4000 16000 64000      # the paper's sizes: days
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
shift

python "$here/make.py" "$@"
pelplug study defects-of-temperature 'defects-*[0-9].nc' -o defects.nc --plot defects.png --overwrite --quiet
pelplug study descent-exponents 'descent-*[0-9].nc' --t-min 2 --t-max 20 -o descents.nc --plot descents.png \
    --overwrite --quiet
python "$here/table.py" defects.nc descents.nc > table.md
cat table.md
