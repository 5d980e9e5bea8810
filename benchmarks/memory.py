"""The memory of a training run above that of a bare `import torch`.

`python -m benchmarks.memory` trains for one epoch with each recipe but hand, in a process of its
own, and prints the largest resident size in MB, and its excess over a process that only imports
torch.
"""

import subprocess
import sys
import tempfile

from lenet.recipes import RECIPES

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
PEAK = (
    f"; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * {UNIT} / 2**20)"
)


def peak(code: str) -> float:
    """The largest resident size, in MB, of a process that runs the code."""
    done = subprocess.run([sys.executable, "-c", code + PEAK], check=True, stdout=subprocess.PIPE)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure each recipe."""
    bare = peak("import torch")
    print(f"import torch: {bare:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        for recipe in (name for name, recipe in RECIPES.items() if not recipe.teaches):
            options = ["--recipe", recipe, "--epochs", "1", "--out", f"{folder}/{recipe}.pt"]
            used = peak(f"from lenet.train import main; main({options})")
            print(f"recipe {recipe}: {used:.0f} MB, {used - bare:.0f} MB more")


if __name__ == "__main__":
    main()
