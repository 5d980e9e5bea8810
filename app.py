"""What a Space runs: build the page and serve it on port 7860.

Gradio itself reads `GRADIO_SERVER_PORT`, `GRADIO_SERVER_NAME`, `GRADIO_ROOT_PATH` and
`GRADIO_MCP_SERVER`.
"""

import os
import signal
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # the server keeps no record of visits
# Gradio asks matplotlib for its backend at the first event, which would look for one until then:
# all visitors would wait for half a second.
os.environ["MPLBACKEND"] = "agg"


def main() -> None:
    """Serve the page until the process is ended."""
    # Not at the top: a training process imports this file, and needs none of these.
    import gc
    import resource

    import torch
    import uvicorn.config
    from starlette.middleware import Middleware

    from lenet.server import (
        data_sets,
        file_cache,
        guard,
        log,
        queue,
        routes,
        runs,
        uploads,
        visitors,
    )
    from lenet.ui import gradio_page, page
    from lenet.ui.draw.tab import read_drawing
    from lenet.ui.train.film_view import reading

    try:
        visitors.policy()
    except ValueError as error:
        sys.exit(str(error))

    # A server that exits normally lets its training run stop with a checkpoint.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # Idle connections must not use up the few hundred files that a process may have open at first.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # A working thread yields to the event loop after this long instead of after 5 ms.
    sys.setswitchinterval(0.0005)
    torch.set_num_threads(1)  # a drawing is too small to be split among threads
    uvicorn.config.HTTP_PROTOCOLS["auto"] = "lenet.server.connection:Connection"
    waiting = queue.Queue(runs.Runs())
    built = page.build(waiting).queue(api_open=False)
    asked_often = {"read_drawing": read_drawing, "read_moments": reading(waiting.runs)}
    answerers = {gradio_page.FUNCTIONS: gradio_page.answering(**asked_often)}
    built.launch(
        **page.LOOK,
        run_history=False,
        ssr_mode=False,  # its Node process would stand between the pen and the answer
        enable_monitoring=False,
        max_file_size=uploads.MAX_BYTES,
        app_kwargs={
            "middleware": [
                Middleware(guard.Guard, answerers),
                Middleware(file_cache.FileCache),
            ],
            "routes": [*routes.ROUTES, *page.routes(waiting)],
            "lifespan": gradio_page.sweeping,
        },
        prevent_thread_lock=True,
    )
    log.begin()
    if visitors.policy().training != "off":
        runs.warm_up()  # after the launch: each takes a core for a second
    data_sets.warm_up()
    gc.freeze()  # a collection over all of torch and gradio would halt every answer
    built.block_thread()


if __name__ == "__main__":
    main()
