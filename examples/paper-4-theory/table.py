"""Print T_MCT and the size of the cage beside those of Nishikawa et al., and the cages below, as Markdown."""

import sys

import pelplug

PUBLISHED = {"transition_temperature": "0.0084", "transition_cage": "0.13"}
PARAMETERS = {"volume_fraction": 0.5, "cutoff": 4.0, "dimension": 3}


def main(file: str) -> None:
    """Print the tables of a result."""
    result = next(iter(pelplug.Collection(file)))
    is_papers = all(result.parameters[name] == value for name, value in PARAMETERS.items())
    print("| | here | within | published |\n|---|---|---|---|")
    for name, label in (("transition_temperature", "T_MCT [v0]"), ("transition_cage", "alpha at T_MCT [diameter^2]")):
        low, high = result[f"{name}_bracket"].values
        published = PUBLISHED[name] if is_papers else "other parameters"
        print(f"| {label} | {float(result[name]):.6g} | {low:.7g} to {high:.7g} | {published} |")
    print("\n| T [v0] | T / T_MCT | cage: minimum of F | maximum of F | barrier / T |\n|---|---|---|---|---|")
    for one in zip(*(result[name].values for name in ("temperature", "cage", "cage_unstable", "barrier")), strict=True):
        numbers = [one[0], one[0] / float(result["transition_temperature"]), *one[1:]]
        print("| " + " | ".join(f"{number:.5g}" for number in numbers) + " |")


if __name__ == "__main__":
    main(sys.argv[1])
