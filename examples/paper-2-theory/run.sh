#!/bin/sh
# The theory of C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012): figures and tables from the parameters of
# kob-andersen-65.toml, or of another file like it. No trajectory is needed: measured finite-size effects are options of
# coupled-landscape, which the file may have too (tau-ratio, d-ratio, ...).
#
#     sh examples/paper-2-theory/run.sh FOLDER [PARAMETERS.toml]      # goes on where it was interrupted
set -e
here=$(cd "$(dirname "$0")" && pwd)
parameters=${2:-$here/kob-andersen-65.toml}
case $parameters in /*) ;; *) parameters=$PWD/$parameters ;; esac
mkdir -p "${1:?name a folder for the files}"
cd "$1"

# One elementary system: D, tau_alpha, xi and S_0(t), in closed form and with cutoff and crossover.
pelplug study trap-model --parameters "$parameters" -o trap-model.nc --plot trap-model.png --export trap-model.csv \
    --quiet

# Coupled ones: Figs. 6 to 9 over q and temperature, and Fig. 10 for short and long ranges.
pelplug study coupled-landscape --parameters "$parameters" -o coupled-landscape.nc --plot coupled-landscape.png --quiet
pelplug study coupled-landscape --parameters "$parameters" --temperatures 0.5 --side 11 --coupling nearest,power \
    --exponent 2 --r-max 2,5 --q 0.001,0.003,0.01,0.03,0.1 --scaled-q none --events 1000000 \
    -o couplings.nc --plot couplings.png --quiet

python "$here/table.py" . > table.md
cat table.md
