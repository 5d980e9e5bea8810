"""Under the pad: the chosen network as a file, and a visitor's own network from a file.

`lenet.server.uploads` says what a file must be; downloads come from `lenet.server.routes`.
"""

from typing import Any

import gradio as gr

from lenet.checkpoint import SUFFIXES
from lenet.server import uploads
from lenet.server.shares import QUICK
from lenet.ui.gradio_page import QUEUED, QUIET, refusing_event, uploaded_file
from lenet.ui.shared.networks import choices


def build(network: gr.Dropdown, own: gr.HTML) -> None:
    """Build the two buttons.

    Args:
        network: the Draw tab's dropdown: its choice is downloaded, and it gets what is uploaded.
        own: its value says which networks are the visitor's own.
    """
    download = gr.Button(
        "Download this network", size="sm", link=_link(network.value), elem_id="download"
    )
    upload = gr.UploadButton(
        "Upload a network", size="sm", file_types=list(SUFFIXES), elem_id="upload"
    )
    network.change(lambda name: gr.Button(link=_link(name)), network, download, **QUIET)
    upload.upload(_keep, [upload, own], [network, upload], **QUEUED)


def _link(name: str | None) -> str | None:
    return f"checkpoints/{name}" if name else None


async def _keep(file: Any, own: Any) -> list[Any]:
    """Keep an uploaded network and choose it."""
    with refusing_event():
        path = uploaded_file(file)
        if path is None:
            raise ValueError("Choose the file of a network first.")
        kept = await QUICK.run(uploads.keep_upload, path)
    return [gr.update(choices=choices(own), value=kept.name), None]
