#!/bin/sh
# Studies of Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022): defects of soft spheres over temperature in two and
# three dimensions (Fig. 4), the exponent of descents from the same frames between its two limits (Fig. 2) and the
# distance between minima by algorithm (Fig. S5), exponent and finite-size collapse from T = infinity in two dimensions
# (Figs. 2(a), S1(d)), and where the decay of the Mari-Kurchan model is cut off (Fig. 1).
# It goes on where it was interrupted.
#
#     sh examples/paper-4/run.sh FOLDER [OPTIONS of make.py]       # 30 minutes of processor time on two cores
#     sh examples/paper-4/run.sh FOLDER --particles 64000 --sizes 4000 16000 64000 --planted 4096 16384      # the
#                                                                                               paper's sizes: days
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
shift

python "$here/make.py" "$@"
for dimension in 2d 3d; do
    pelplug study defects-of-temperature "defects-$dimension-*.nc" -o "defects-$dimension.nc" \
        --plot "defects-$dimension.png" --overwrite --quiet
    pelplug study descent-exponents "relaxation-$dimension-*.nc" -o "relaxation-$dimension.nc" \
        --plot "relaxation-$dimension.png" --overwrite --quiet
done
pelplug study descent-exponents 'descent-*[0-9].nc' --t-min 2 --t-max 20 -o descents.nc --plot descents.png \
    --overwrite --quiet
pelplug study descent-exponents 'mari-kurchan-*[0-9].nc' --t-min 100 --t-max 2500 -o mari-kurchan.nc \
    --plot mari-kurchan.png --overwrite --quiet
python "$here/table.py" > table.md
cat table.md
