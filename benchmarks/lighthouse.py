"""How soon the page is usable on a slow line and a slow phone, and what Google's Lighthouse says.

`python -m benchmarks.lighthouse [--runs N] [--json]` starts the page on this machine and looks at
it with Lighthouse (npm's, by `npx`) in a headless Chromium: as on a phone with slow 4G (150 ms of
round trip, 1.6 Mbit/s, a quarter of this machine's speed) and as on a desktop. Printed are the
medians. The largest paint is that of the pad, which can be drawn on from then on. Needs
`tests/requirements.txt`, Node 20, npm's registry and a Chromium.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.responsiveness import chromium_path, served

LIGHTHOUSE = "lighthouse@12"  # the last one for Node 20
CATEGORIES = "performance", "accessibility", "best-practices"
TIMES = {
    "largest-contentful-paint": "pad seen, s",
    "interactive": "all loaded, s",
    "total-blocking-time": "blocked, s",
}
DEVICES: dict[str, list[str]] = {"phone": [], "desktop": ["--preset=desktop"]}


def look(address: str, device: str) -> dict[str, float]:
    """One measurement: a score of 0 to 100 for each category, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["npx", "--yes", LIGHTHOUSE, address, "--quiet", "--output=json"]
        options = [
            f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
            *DEVICES[device],
        ]
        environment = {**os.environ, "CHROME_PATH": chromium_path()}
        subprocess.run([*command, *options], check=True, env=environment)
        found = json.loads(report.read_text())
    scores = {name: 100 * found["categories"][name]["score"] for name in CATEGORIES}
    times = {title: found["audits"][name]["numericValue"] / 1000 for name, title in TIMES.items()}
    return {**scores, **times}


def main() -> None:
    """Look as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="on each device")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with served("app.py") as (address, _):
        looks = {device: [look(address, device) for _ in range(options.runs)] for device in DEVICES}
    result = {
        device: {key: median(each[key] for each in found) for key in found[0]}
        for device, found in looks.items()
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    columns = [*CATEGORIES, *TIMES.values()]
    print(f"| as on a | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for device, row in result.items():
        scores = [f"{row[name]:.0f}" for name in CATEGORIES]
        times = [f"{row[name]:.1f}" for name in TIMES.values()]
        print(f"| {device} | {' | '.join(scores + times)} |")


if __name__ == "__main__":
    main()
