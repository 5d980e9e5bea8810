"""What a Space runs: build the page and serve it on port 7860.

`GRADIO_SERVER_PORT` and `GRADIO_SERVER_NAME` are Gradio's own and apply.
"""

import os
import signal
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported


def main() -> None:
    """Serve the page until the process is ended."""
    # Not at the top: a training process imports this file, and needs none of these.
    import torch

    from lenet import runs
    from lenet.ui import page

    # Ended in good order, a server lets its training run stop with a checkpoint.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    runs.warm_up()
    torch.set_num_threads(1)  # one drawing is too small to share, many visitors are not
    page.build().launch(
        **page.LOOK,
        show_error=True,  # an API client is told what was wrong with its strokes
        run_history=False,
        ssr_mode=False,  # its Node process would stand between the pen and the answer
    )


if __name__ == "__main__":
    main()
