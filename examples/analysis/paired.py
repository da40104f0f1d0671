"""Which design is more available, and by how much? From seeds.csv, seed by seed, beside what summary.json says.

    python3 examples/analysis/paired.py reports/shop

Needs pandas. Prints CSV.
"""

import json
import sys
from pathlib import Path

import pandas as pd

folder = Path(sys.argv[1])
# An empty cell is "all of them": keep it a text, so that it can be asked for.
seeds = pd.read_csv(folder / "seeds.csv", keep_default_na=False)
summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
assert summary["schema"] == 1, "made for the first version of the schema"

of_all = seeds[(seeds.metric == "availability") & (seeds.population == "") & (seeds.journey == "")]
# A row for each seed, a column for each variant.
availability = of_all.pivot(index="seed", columns="variant", values="value")

rows = []
for found in summary["comparisons"]:
    if found["metric"] == "availability" and found["population"] is None and found["journey"] is None:
        difference = (availability[found["a"]] - availability[found["b"]]).dropna()
        rows.append(
            {
                "a": found["a"],
                "b": found["b"],
                "seeds": len(difference),
                "difference": difference.mean(),
                "standard_error": difference.sem(),
                "a_better_share": (difference > 0).mean() + (difference == 0).mean() / 2,
                "in_summary": found["difference"],
                "verdict": found["verdict"],
            }
        )
print(pd.DataFrame(rows).sort_values("difference", ascending=False).to_csv(index=False), end="")
