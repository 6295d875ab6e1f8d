#!/bin/sh
# Theory of Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022), supplement, section I: figure and table of T_MCT and
# cages in the Mari-Kurchan model, from the parameters of parameters.toml, or of another file like it.
#
#     sh examples/paper-4-theory/run.sh FOLDER [PARAMETERS.toml]      # a minute
set -e
here=$(cd "$(dirname "$0")" && pwd)
parameters=${2:-$here/parameters.toml}
case $parameters in /*) ;; *) parameters=$PWD/$parameters ;; esac
mkdir -p "${1:?name a folder for the files}"
cd "$1"

pelplug study replica --parameters "$parameters" -o replica.nc --plot replica.png --export replica.csv --quiet \
    --overwrite

python "$here/table.py" replica.nc > table.md
cat table.md
