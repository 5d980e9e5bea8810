"""Open a picture file that somebody sent: what may be a bomb is refused before it is unpacked.

This file knows files and formats; where the digit is in a picture is `lenet.preprocess`'s business.
"""

import io

from PIL import Image

MAX_BYTES = 8 << 20  # a telephone's photograph takes 2 to 5 MB
MAX_PIXELS = 25_000_000

_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF", "TIFF")  # none that starts a program
_ENOUGH = 512  # pixels a side: JPEGs are unpacked no larger than needed to find the digit


def open_picture(content: bytes) -> Image.Image:
    """Unpack a picture: PNG, JPEG, WebP, BMP, GIF or TIFF.

    Raises:
        ValueError: it is too large, damaged or no picture; one sentence.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"The picture's file is larger than {MAX_BYTES >> 20} MB: shrink it.")
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
