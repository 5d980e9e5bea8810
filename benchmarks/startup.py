"""How long the app takes to its first page, compared with `import torch` and an empty Gradio page.

`python -m benchmarks.startup [--rounds N]` starts both in turn and prints the median of the seconds
from the start of the process until the page was served, and the median ratio of the pairs.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.responsiveness import started

BARE = """
import torch
import gradio as gr
with gr.Blocks() as page:
    pass
page.launch(quiet=True, ssr_mode=False)
"""
REST = 5.0  # seconds, in which the processes of the last start end


def seconds(*command: str) -> float:
    """From the start of a process to its first page."""
    time.sleep(REST)
    begin = time.monotonic()
    with started(*command):
        return time.monotonic() - begin


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        pairs = [(seconds(str(bare)), seconds("app.py")) for _ in range(rounds)]
    print(f"bare: median {median(b for b, _ in pairs):.2f} s")
    print(f"app:  median {median(a for _, a in pairs):.2f} s")
    print(f"ratio: median {median(a / b for b, a in pairs):.2f}")


if __name__ == "__main__":
    main()
