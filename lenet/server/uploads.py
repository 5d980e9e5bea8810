"""Files that strangers send, pictures and networks: each is checked before it is opened.

`lenet.image` finds the digit in a picture; `lenet.checkpoint` reads a network without running it.
"""

import io
import secrets
import time
from contextlib import suppress
from pathlib import Path

from PIL import Image

from lenet.checkpoint import SUFFIXES, Checkpoint, CheckpointError, read, write
from lenet.files import checkpoints_folder
from lenet.server.visitors import UPLOADED, tidy

MAX_PICTURE = 8 << 20  # bytes: a telephone's photograph takes 2 to 5 MB
MAX_PIXELS = 25_000_000
MAX_NETWORK = 2 << 20  # bytes: a checkpoint of ours takes less than one
MAX_BYTES = max(MAX_PICTURE, MAX_NETWORK)  # of any file

_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF", "TIFF")  # none that starts a program
_ENOUGH = 512  # pixels a side: JPEGs are unpacked no larger than needed to find the digit


def open_picture(content: bytes) -> Image.Image:
    """Unpack a picture: PNG, JPEG, WebP, BMP, GIF or TIFF.

    Raises:
        ValueError: it is too large, damaged or no picture; one sentence.
    """
    if len(content) > MAX_PICTURE:
        raise ValueError(f"The picture's file is larger than {MAX_PICTURE >> 20} MB: shrink it.")
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Image.DecompressionBombError
        image.draft("L", (_ENOUGH, _ENOUGH))
        image.load()
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"The picture has more than {MAX_PIXELS // 10**6} million pixels: shrink it."
        ) from error
    except Exception as error:  # Pillow meets a damaged file with almost any exception
        raise ValueError(
            "The file is damaged or no picture: send a PNG, JPEG, WebP, BMP, GIF or TIFF."
        ) from error
    return image


def keep_upload(path: Path) -> Path:
    """Keep an uploaded checkpoint under a name that the server chooses.

    Of its content only the weights and their calibration are kept: a stranger's run is not resumed.

    Raises:
        CheckpointError: the file is too large, is no LeNet checkpoint or cannot be kept; one
            sentence.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CheckpointError("This is no checkpoint: choose a file that ends in .pt or .pth.")
    if path.stat().st_size > MAX_NETWORK:
        raise CheckpointError(f"This is no LeNet: the file is larger than {MAX_NETWORK >> 20} MB.")
    sent = read(path)
    weights = {name: value.float().clone() for name, value in sent.weights.items()}
    kept = Checkpoint(
        weights,
        temperature=sent.temperature,
        sure_above=sent.sure_above,
        digit_slope=sent.digit_slope,
        digit_offset=sent.digit_offset,
        sure_digit_above=sent.sure_digit_above,
    )
    name = f"{UPLOADED}{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.pt"
    with suppress(OSError):  # write says what is wrong with the folder
        checkpoints_folder().mkdir(parents=True, exist_ok=True)
    write(kept, checkpoints_folder() / name)
    tidy()
    return checkpoints_folder() / name
