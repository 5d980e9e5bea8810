"""The API, by gradio_client and by plain HTTP, and what a visitor's requests must not reach."""

import base64
import io
import json
import math
import re
import struct
import urllib.request
import zlib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from support import finished

from lenet import Recognizer
from lenet.checkpoint import SHIPPED, read
from lenet.preprocess import MAX_POINTS, MAX_STROKES, check_strokes, strokes_to_frame
from lenet.recognize import MAX_DRAWINGS
from lenet.synthetic import example_strokes
from lenet.ui import api

EXAMPLES = example_strokes()
BAD = {
    "a text": "7",
    "a number": 7,
    "nothing": None,
    "a stroke that is no list": [7],
    "a point that is no list": [[7, 8]],
    "three numbers": [[[1, 2, 3]]],
    "a text for a number": [[[1, "2"]]],
    "too large": [[[1, 1e300]]],
    "too many strokes": [[[1, 2]]] * (MAX_STROKES + 1),
    "too many points": [[[1, 2]] * (MAX_POINTS + 1)],
}


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server.url, verbose=False)


def post(url: str, content: object) -> dict:
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


@pytest.mark.parametrize("digit", range(10))
def test_strokes_give_the_recognizer_s_answer(client: Client, digit: int):
    answer = client.predict(EXAMPLES[digit], api_name="/recognize")
    expected = Recognizer.load().recognize(EXAMPLES[digit])
    assert answer["digit"] == expected.digit == digit
    assert answer["is_digit"] is expected.is_digit is True
    assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


def test_nothing_drawn_is_no_digit(client: Client):
    answer = client.predict([], api_name="/recognize")
    assert answer == {"digit": None, "is_digit": False, "probabilities": [0.1] * 10}


def test_an_answer_says_that_a_drawing_is_no_digit(monkeypatch: pytest.MonkeyPatch):
    reader = Recognizer(replace(read(SHIPPED), digit_slope=0.0, digit_offset=-1.0))
    monkeypatch.setattr("lenet.server.recognizers.first_recognizer", lambda: reader)
    sent = base64.b64encode(content(picture(7))).decode()
    answers = [finished(api.recognize(EXAMPLES[7])), finished(api.recognize_image(sent))]
    for answer in [*answers, *finished(api.recognize_batch([EXAMPLES[7]]))]:
        assert (answer["digit"], answer["is_digit"]) == (7, False)
    assert answers[1]["number"] == ""


@pytest.mark.parametrize("name", ["/recognize", "/recognize_number"])
@pytest.mark.parametrize("strokes", BAD.values(), ids=BAD.keys())
def test_bad_strokes_get_one_sentence_and_the_server_goes_on(client: Client, strokes, name: str):
    with pytest.raises(ValueError) as expected:
        check_strokes(strokes)
    with pytest.raises(AppError, match=re.escape(str(expected.value))):
        client.predict(strokes, api_name=name)
    assert client.predict(EXAMPLES[4], api_name="/recognize")["digit"] == 4


def number(*digits: int, more: int = 0) -> list:
    """Examples 100 units high, 150 from one to the next, and so many strokes of one point."""
    placed = [
        [[100 * x + 150 * place, 100 * y] for x, y in stroke]
        for place, digit in enumerate(digits)
        for stroke in EXAMPLES[digit]
    ]
    return placed + [[[10.0, 50.0]]] * more


@pytest.mark.parametrize("more", [0, 40], ids=["few strokes", "many strokes"])
def test_a_number_is_read_with_the_box_of_each_digit(client: Client, more: int):
    answer = client.predict(number(2, 0, 2, 4, more=more), api_name="/recognize_number")
    assert answer["number"] == "2024"
    assert [digit["digit"] for digit in answer["digits"]] == [2, 0, 2, 4]
    for place, digit in enumerate(answer["digits"]):
        assert digit["is_digit"] is True
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-5)
        x0, y0, x1, y1 = digit["box"]
        assert 150 * place - 1 <= x0 < x1 <= 150 * place + 101
        assert -1 <= y0 < 10 and 90 < y1 <= 102


def test_nothing_drawn_is_no_number(client: Client):
    answer = client.predict([], api_name="/recognize_number")
    assert answer == {"number": "", "digits": []}


def test_many_drawings_in_one_call(client: Client):
    drawings = [EXAMPLES[digit] for digit in range(10)]
    answers = client.predict([*drawings, []], api_name="/recognize_batch")
    assert [answer["digit"] for answer in answers] == [*range(10), None]
    assert [answer["is_digit"] for answer in answers] == [True] * 10 + [False]
    one = client.predict(drawings[3], api_name="/recognize")
    assert answers[3]["probabilities"] == pytest.approx(one["probabilities"], abs=1e-5)


@pytest.mark.parametrize(
    ("drawings", "words"),
    [
        ([EXAMPLES[1], [[1]]], "Drawing 2: Stroke 1 has a point that is not [x, y]"),
        (7, "Drawings must be a list of drawings"),
        ([[]] * (MAX_DRAWINGS + 1), f"at most {MAX_DRAWINGS} are read at once"),
    ],
)
def test_the_error_of_a_bad_batch_names_the_bad_drawing(client: Client, drawings, words: str):
    with pytest.raises(AppError, match=re.escape(words)):
        client.predict(drawings, api_name="/recognize_batch")


def test_the_documentation_shows_examples_that_work(client: Client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    expected = {
        "/recognize": 7,
        "/recognize_number": "71",
        "/recognize_batch": [7, 1],
        "/recognize_image": 7,
    }
    assert endpoints.keys() == expected.keys()
    for name, digits in expected.items():
        (parameter,) = endpoints[name]["parameters"]
        answer = client.predict(parameter["example_input"], api_name=name)
        if isinstance(answer, list):
            read = [a["digit"] for a in answer]
        else:
            read = answer["number"] if isinstance(digits, str) else answer["digit"]
        assert read == digits
        assert "is_digit is false" in endpoints[name]["description"]
        (returned,) = endpoints[name]["returns"]
        assert "is_digit: bool" in returned["python_type"]["type"]
        assert "probabilities: list[float]" in returned["python_type"]["type"]
    assert "y downwards" in endpoints["/recognize"]["description"]
    assert "base64" in endpoints["/recognize_image"]["description"]


# ---------------------------------------------------------------- pictures


def picture(digit: int, dark_paper: bool = False) -> Image.Image:
    """A digit on paper with a margin, as a scanner gives it."""
    ink = Image.fromarray(strokes_to_frame(EXAMPLES[digit]).numpy()).resize((280, 280))
    sheet = Image.new("L", (500, 400))
    sheet.paste(ink, (120, 60))
    return sheet if dark_paper else sheet.point(lambda value: 255 - value)


def content(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("dark_paper", [False, True], ids=["light paper", "dark paper"])
@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_picture_s_file(client: Client, tmp_path: Path, dark_paper: bool, kind: str):
    path = tmp_path / f"digit.{kind}"
    path.write_bytes(content(picture(4, dark_paper), kind))
    assert client.predict(handle_file(path), api_name="/recognize_image")["digit"] == 4


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
def test_a_picture_in_base64(client: Client, before: str):
    text = before + base64.b64encode(content(picture(2))).decode()
    assert client.predict(text, api_name="/recognize_image")["digit"] == 2


def test_blank_paper_is_no_digit(client: Client):
    text = base64.b64encode(content(Image.new("L", (90, 90), 255))).decode()
    answer = client.predict(text, api_name="/recognize_image")
    assert (answer["digit"], answer["is_digit"], answer["number"]) == (None, False, "")


def test_a_picture_of_a_number(client: Client):
    sheet = Image.new("L", (1100, 400), 255)
    for place, digit in enumerate((1, 9, 0)):
        sheet.paste(picture(digit).crop((120, 60, 400, 340)), (40 + 320 * place, 60))
    text = base64.b64encode(content(sheet)).decode()
    assert client.predict(text, api_name="/recognize_image")["number"] == "190"


def bomb(side: int) -> bytes:
    """A PNG of a few bytes whose header claims side × side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


BAD_PICTURES = {
    "40,000 pixels a side": (bomb(40_000), "more than 25 million pixels"),
    "6,000 pixels a side": (bomb(6_000), "more than 25 million pixels"),
    "cut off": (content(picture(1))[:300], "damaged or no picture"),
    "a text": (b"not a picture", "damaged or no picture"),
    "a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "damaged or no picture"),
    "nothing": (b"", "damaged or no picture"),
}


@pytest.mark.parametrize(("data", "words"), BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
def test_a_bad_picture_gets_one_sentence(client: Client, tmp_path: Path, data: bytes, words: str):
    with pytest.raises(AppError, match=words):
        client.predict(base64.b64encode(data).decode(), api_name="/recognize_image")
    path = tmp_path / "digit.png"
    path.write_bytes(data)
    with pytest.raises(AppError, match=words):
        client.predict(handle_file(path), api_name="/recognize_image")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("§", "not base64"),
        (7, "must be an uploaded file"),
        (None, "must be an uploaded file"),
        ({"path": "/etc/passwd"}, "must be an uploaded file"),
        ({"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, "could not do this"),
        ({"path": "app.py", "meta": {"_type": "gradio.FileData"}}, "could not do this"),
        ({"path": "http://127.0.0.1/x", "meta": {"_type": "gradio.FileData"}}, "fetches nothing"),
        (
            {"path": "https://example.org/x", "meta": {"_type": "gradio.FileData"}},
            "fetches nothing",
        ),
    ],
)
def test_no_path_and_no_address_is_opened_for_a_program(server, image: object, words: str):
    kind, answer = call(server, image, "recognize_image")
    assert kind == "error"
    assert words in answer["error"]
    assert str(Path.cwd()) not in answer["error"]


# ---------------------------------------------------------------- plain HTTP


def call(server, value: object, name: str = "recognize") -> tuple[str, object]:
    """What plain HTTP answers: the kind of the event, and its data."""
    address = f"{server.url}/gradio_api/call/{name}"
    event = post(address, {"data": [value]})["event_id"]
    with urllib.request.urlopen(f"{address}/{event}") as stream:
        kind, data = (line.split(": ", 1)[1] for line in stream.read().decode().split("\n")[:2])
    return kind, json.loads(data)


def test_plain_http(server):
    kind, (answer,) = call(server, EXAMPLES[4])
    assert kind == "complete"
    assert answer["digit"] == 4
    assert math.isclose(sum(answer["probabilities"]), 1, abs_tol=1e-5)


def test_plain_http_with_named_parameters(server):
    """As the README shows."""
    encoded = base64.b64encode(content(picture(8))).decode()
    for name, parameters, digit in (
        ("recognize", {"strokes": EXAMPLES[4]}, 4),
        ("recognize_image", {"image": encoded}, 8),
    ):
        address = f"{server.url}/gradio_api/call/v2/{name}"
        event = post(address, parameters)["event_id"]
        with urllib.request.urlopen(f"{address}/{event}") as stream:
            kind, data = stream.read().decode().split("\n")[:2]
        assert kind == "event: complete"
        assert json.loads(data.removeprefix("data: "))[0]["digit"] == digit


def test_a_picture_over_plain_http(server):
    files = {"files": ("digit.png", content(picture(8)))}
    (path,) = httpx.post(f"{server.url}/gradio_api/upload", files=files).json()
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    kind, (answer,) = call(server, file, "recognize_image")
    assert kind == "complete"
    assert answer["digit"] == 8


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_only_plain_http_can_send(server, number: float):
    kind, content = call(server, [[[1, number]]])
    assert kind == "error"
    assert "NaN, infinite or out of range" in content["error"]


@pytest.mark.parametrize("name", ["../../app.py", "/etc/passwd", "", None, ["lenet.pt"], "x.pt"])
def test_only_a_listed_name_reaches_a_file(server, name):
    with urllib.request.urlopen(f"{server.url}/config") as response:
        components = json.load(response)["components"]
    (pad,) = [c for c in components if "read_drawing" in (c["props"].get("server_fns") or [])]

    def read(checkpoint: object) -> dict:
        call = {"component_id": pad["id"], "fn_name": "read_drawing", "session_hash": "test"}
        data = {"strokes": EXAMPLES[4], "checkpoint": checkpoint}
        return post(f"{server.url}/gradio_api/component_server/", {**call, "data": data})

    answer = read("lenet.pt")
    assert answer["digit"] == 4 and 0 < answer["took"] < 60_000
    assert list(read(name)) == ["error"]
    assert "no longer there" in read(name)["error"]
