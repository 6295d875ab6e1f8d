"""Print T_def, beta and z of two studies beside the published numbers."""

import sys

import pelplug

defects = pelplug.read_results(sys.argv[1])["defects-of-temperature"]
descents = pelplug.read_results(sys.argv[2])["descent-exponents"].isel(temperature=0)
rows = [
    ("T_def, largest slope of <phi> against T", defects["t_def_slope"], defects["t_def_slope_error"], 0.25),
    ("T_def, largest slope of <phi> against ln T", defects["t_def_log_slope"], defects["t_def_log_slope_error"], 0.25),
    ("T_def, peak of chi", defects["t_def_chi"], defects["t_def_chi_error"], 0.25),
    ("beta, T = infinity, d = 2", descents["beta"][-1], descents["beta_error"][-1], 0.92),
]
if "z" in descents:
    rows.append(("z, T = infinity, d = 2", descents["z"], descents["z_error"], 0.6))
print("| quantity | found | published |\n|---|---|---|")
for name, value, error, published in rows:
    print(f"| {name} | {float(value):.3f} ± {float(error):.3f} | {published} |")
