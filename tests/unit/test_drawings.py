"""lenet.drawings: the drawings file, UNIPEN text, the command that turns one into the other."""

import io
import itertools
import json
import sys

import numpy as np
import pytest
import torch

import lenet.others
from lenet.drawings import (
    SLACK,
    Drawing,
    DrawingsError,
    compose_numbers,
    load_drawings,
    main,
    read_drawings,
    read_numbers,
    read_others,
    read_unipen,
    to_tensors,
    write_drawings,
)
from lenet.preprocess import rasterize, strokes_to_frame

SEVEN = '{"label": 7, "strokes": [[[0, 0], [10, 0]], [[10, 0], [4, 20.5]]], "writer": "12"}'
ONE = '{"label": 1, "strokes": [[[5, 0], [5, 9]], []]}'


@pytest.fixture
def file(tmp_path):
    """Write a drawings file and return its path."""

    def write(content: str | bytes, name: str = "digits.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# ---------------------------------------------------------------- the drawings file


def test_labels_strokes_and_writers_are_read(file):
    (seven, one), skipped = read_drawings(file(f"{SEVEN}\n{ONE}\n"))
    assert skipped == 0
    assert (seven.label, seven.writer) == (7, "12")
    assert (one.label, one.writer) == (1, None)
    assert [stroke.tolist() for stroke in seven.strokes] == [
        [[0, 0], [10, 0]],
        [[10, 0], [4, 20.5]],
    ]
    assert [stroke.tolist() for stroke in one.strokes] == [[[5, 0], [5, 9]]]
    assert all(stroke.dtype == np.float64 for stroke in seven.strokes + one.strokes)


@pytest.mark.parametrize(
    "content",
    [
        f"\n\n{SEVEN}\n   \n{ONE}",
        f"{SEVEN}\r\n{ONE}\r\n",
        f"\ufeff{SEVEN}\n{ONE}\n",
    ],
    ids=["blank lines", "Windows line ends", "byte order mark"],
)
def test_blank_lines_line_ends_and_byte_order_marks_do_not_matter(file, content):
    drawings, _ = read_drawings(file(content))
    assert [drawing.label for drawing in drawings] == [7, 1]


def test_what_is_written_is_read_again(file):
    drawings, _ = read_drawings(file(f"{SEVEN}\n{ONE}\n"))
    text = io.StringIO()
    write_drawings(drawings, text)
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    assert lines[0] == json.loads(SEVEN)
    assert lines[1] == {"label": 1, "strokes": [[[5, 0], [5, 9]]]}


def strokes(text: str, label: str = "3") -> str:
    return f'{{"label": {label}, "strokes": {text}}}'


BAD_LINES = {
    "cut off": (SEVEN[:30], "not JSON"),
    "no JSON": ("seven", "not JSON"),
    "two on a line": (f"{SEVEN} {ONE}", "not JSON"),
    "nested too deep": ("[" * 100_000, "recursion"),
    "too many digits": (strokes(f"[[[1{'0' * 5000}, 0]]]"), "digits"),
    "no object": ("[7, [[[0, 0]]]]", "must be an object"),
    "no label": ('{"strokes": [[[0, 0]]]}', "label must be an integer 0 to 9, not null"),
    "label 10": ('{"label": 10, "strokes": [[[0, 0]]]}', "0 to 9, not 10"),
    "label -1": ('{"label": -1, "strokes": [[[0, 0]]]}', "0 to 9, not -1"),
    "label true": ('{"label": true, "strokes": [[[0, 0]]]}', "0 to 9, not true"),
    "label text": ('{"label": "7", "strokes": [[[0, 0]]]}', '0 to 9, not "7"'),
    "label 7.0": ('{"label": 7.0, "strokes": [[[0, 0]]]}', "0 to 9, not 7.0"),
    "label NaN": ('{"label": NaN, "strokes": [[[0, 0]]]}', "0 to 9, not NaN"),
    "no strokes": ('{"label": 3}', "must be a list of strokes"),
    "empty strokes": (strokes("[]"), "no strokes with points"),
    "only empty strokes": (strokes("[[], []]"), "no strokes with points"),
    "NaN": (strokes("[[[0, NaN]]]"), "Stroke 1 has a point that is NaN"),
    "infinite": (strokes("[[[0, 0]], [[Infinity, 0]]]"), "Stroke 2 has a point that is NaN, inf"),
    "beyond floats": (strokes("[[[1e999, 0]]]"), "Stroke 1 has a point that is NaN, inf"),
    "points, not strokes": (strokes("[[0, 0], [1, 1]]"), r"Stroke 1 has a point that is not"),
    "three numbers": (strokes("[[[0, 0, 0]]]"), r"Stroke 1 has a point that is not"),
    "texts": (strokes('[[["0", "0"]]]'), r"Stroke 1 has a point that is not"),
    "number as writer": ('{"label": 3, "strokes": [[[0, 0]]], "writer": 4}', "writer must be"),
    "Latin-1": (b'{"writer": "Andr\xe9"}', "not UTF-8"),
}


@pytest.mark.parametrize(("line", "reason"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_named_with_its_file_its_number_and_the_reason(file, line, reason):
    line = line if isinstance(line, bytes) else line.encode()
    path = file(b"\n".join([SEVEN.encode(), b"", line, ONE.encode()]))
    with pytest.raises(DrawingsError, match=reason) as error:
        read_drawings(path)
    assert str(error.value).startswith(f"{path}, line 3: ")
    assert "\n" not in str(error.value)
    drawings, skipped = read_drawings(path, skip_bad=True)
    assert [drawing.label for drawing in drawings] == [7, 1]
    assert skipped == 1


def test_bad_lines_are_counted_when_skipped(file):
    bad = "\n".join(line for line, _ in BAD_LINES.values() if isinstance(line, str))
    drawings, skipped = read_drawings(file(f"{bad}\n{SEVEN}\n"), skip_bad=True)
    assert len(drawings) == 1
    assert skipped == len(BAD_LINES) - 1


def test_a_file_of_bad_lines_only_is_refused_even_when_they_are_skipped(file):
    path = file("one\ntwo\n")
    with pytest.raises(DrawingsError, match=r"Every line is bad.*digits\.jsonl, line 1: .*JSON"):
        read_drawings(path, skip_bad=True)


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("read", [read_drawings, read_numbers, read_others])
def test_an_empty_file_is_refused(file, read, content, skip_bad):
    with pytest.raises(DrawingsError, match=r"digits\.jsonl"):
        read(file(content), skip_bad)


YEAR = '{"label": "2024", "strokes": [[[0, 0], [10, 0]], [[30, 0], [30, 20.5]]], "writer": "12"}'


def test_numbers_are_read_and_written_again(file):
    (number,), skipped = read_numbers(file(f"{YEAR}\n"))
    assert (number.label, number.writer, skipped) == ("2024", "12", 0)
    assert [stroke.tolist() for stroke in number.strokes] == [
        [[0, 0], [10, 0]],
        [[30, 0], [30, 20.5]],
    ]
    text = io.StringIO()
    write_drawings([number], text)
    assert json.loads(text.getvalue()) == json.loads(YEAR)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("2024", "must be a text of digits such as "),
        ('""', 'text of digits such as "2024", not ""'),
        ('"20 24"', 'not "20 24"'),
        ('"-7"', 'not "-7"'),
        ('"1.5"', 'not "1.5"'),
        ('"٣"', "must be a text of digits"),
        ("null", "not null"),
        ('["2"]', "must be a text of digits"),
    ],
)
def test_a_label_that_is_no_text_of_digits_is_reported_or_skipped(file, label, reason):
    path = file(f'{YEAR}\n{{"label": {label}, "strokes": [[[0, 0]]]}}\n')
    with pytest.raises(DrawingsError) as error:
        read_numbers(path)
    assert str(error.value).startswith(f"{path}, line 2: The label")
    assert reason in str(error.value)
    numbers, skipped = read_numbers(path, skip_bad=True)
    assert ([number.label for number in numbers], skipped) == (["2024"], 1)


def test_a_drawings_file_is_no_numbers_file_and_the_other_way_round(file):
    with pytest.raises(DrawingsError, match="text of digits"):
        read_numbers(file(SEVEN))
    with pytest.raises(DrawingsError, match="integer 0 to 9"):
        read_drawings(file(YEAR))
    with pytest.raises(DrawingsError, match="holds no numbers"):
        read_numbers(file(""))


# ---------------------------------------------------------------- the others file

OTHER = '{"label": null, "strokes": [[[0, 0], [9, 9]], [], [[9, 0], [0, 9.5]]], "writer": "3"}'


def test_strokes_and_writers_of_others_are_read(file):
    (cross, dot), skipped = read_others(file(f"{OTHER}\n\n{strokes('[[[1, 1]]]', 'null')}\n"))
    assert (skipped, cross.writer, dot.writer) == (0, "3", None)
    assert [s.tolist() for s in cross.strokes] == [[[0, 0], [9, 9]], [[9, 0], [0, 9.5]]]
    assert [s.tolist() for s in dot.strokes] == [[[1, 1]]]
    assert to_tensors([cross, dot]).segments.shape[0] == 2


def test_what_the_command_of_others_writes_is_read(file, capsys):
    assert lenet.others.main(["26"]) == 0
    others, skipped = read_others(file(capsys.readouterr().out))
    assert (len(others), skipped) == (26, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (SEVEN, "The label must be null, not 7."),
        (strokes("[[[1, 1]]]", '"A"'), 'The label must be null, not "A".'),
        (strokes("[[[1, 1]]]", "false"), "The label must be null, not false."),
        (strokes("[]", "null"), "The drawing has no strokes with points."),
        (OTHER[:30], "The line is not JSON"),
        ("[null]", "The line must be an object"),
        (OTHER.replace('"3"', "3"), "The writer must be a text"),
    ],
)
def test_a_bad_line_of_others_is_named_and_counted(file, line, reason):
    path = file(f"{OTHER}\n{line}\n{OTHER}\n{line}\n")
    with pytest.raises(DrawingsError) as error:
        read_others(path)
    assert str(error.value).startswith(f"{path}, line 2: {reason}")
    others, skipped = read_others(path, skip_bad=True)
    assert (len(others), skipped) == (2, 2)


@pytest.mark.parametrize("read", [read_drawings, read_numbers, read_others, read_unipen])
def test_a_missing_file_and_a_folder_are_refused(read, tmp_path):
    with pytest.raises(DrawingsError, match=r"none\.jsonl could not be read: No such file"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(DrawingsError, match="could not be read: Is a directory"):
        read(tmp_path)


# ---------------------------------------------------------------- UNIPEN text

UNIPEN = """\
.INCLUDE        dene.doc
.LEXICON "0" "1"
.HIERARCHY      DIGIT

.SEGMENT DIGIT    0 ? "7"
.COMMENT 7 12  224
.PEN_DOWN
 100  400
 200  400
 150    0
.PEN_UP
.DT 100

.SEGMENT DIGIT    1-2 ? "4"
.COMMENT 4 3  1
.PEN_DOWN
 10  90
 10  50
 60  50
.PEN_UP
.DT 100
.PEN_DOWN
 40  70
 40  10
.PEN_UP
.DT 100

.SEGMENT DIGIT 3 ? "1"
.PEN_DOWN
 5  5
.PEN_UP
"""


def test_unipen_segments_strokes_and_writers_are_read_and_y_turned_downwards(file):
    seven, four, one = read_unipen(file(UNIPEN, "digits.tra"))
    assert [(d.label, d.writer) for d in (seven, four, one)] == [(7, "12"), (4, "3"), (1, None)]
    assert [stroke.tolist() for stroke in seven.strokes] == [[[100, -400], [200, -400], [150, 0]]]
    assert [stroke.tolist() for stroke in four.strokes] == [
        [[10, -90], [10, -50], [60, -50]],
        [[40, -70], [40, -10]],
    ]
    assert [stroke.tolist() for stroke in one.strokes] == [[[5, -5]]]


def test_a_unipen_seven_has_its_bar_on_top(file):
    seven = read_unipen(file(UNIPEN, "digits.tra"))[0]
    frame = strokes_to_frame([stroke.tolist() for stroke in seven.strokes])
    assert (frame[:14] > 127).sum() > (frame[14:] > 127).sum()


def test_unipen_text_need_not_be_utf8_or_have_unix_line_ends(file):
    text = UNIPEN.replace("dene.doc", "d\u00e9n\u00e9.doc").replace("\n", "\r\n").encode("latin-1")
    assert [drawing.label for drawing in read_unipen(file(text, "digits.tra"))] == [7, 4, 1]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('0 ? "7"', '0 ? "x"', "line 5: expected .SEGMENT DIGIT"),
        ('0 ? "7"', '0,1 ? "7"', "line 5: expected .SEGMENT DIGIT"),
        ("1-2", "1-9", "line 14: strokes 1 to 9 are not in the file"),
        ("1-2", "2-1", "line 14: strokes 2 to 1 are not in the file"),
        (" 60  50", " 60  fifty", "line 19: expected a point"),
        (" 60  50", " 60", "line 19: expected a point"),
        (" 60  50", " 60  nan", "line 14: Stroke 1 has a point that is NaN"),
        (" 5  5\n", "", "line 28: The drawing has no strokes with points"),
    ],
)
def test_bad_unipen_text_is_named_with_its_file_and_line(file, old, new, reason):
    path = file(UNIPEN.replace(old, new), "digits.tra")
    with pytest.raises(DrawingsError) as error:
        read_unipen(path)
    assert str(error.value).startswith(f"{path}, {reason}")


@pytest.mark.parametrize("content", ["", "hello\n", SEVEN, b"\x89PNG\r\n\x1a\n\0\0"])
def test_a_file_that_is_no_unipen_text_is_refused(file, content):
    with pytest.raises(DrawingsError, match=r"digits\.tra holds no digits in UNIPEN text"):
        read_unipen(file(content, "digits.tra"))


# ---------------------------------------------------------------- digits → numbers

# A 1 and a 7 of writer a, a 0 of writer b: boxes of width 0, 60 and 40.
PARTS = [
    Drawing(1, [np.array([[0.0, 0.0], [0.0, 50.0]])], "a"),
    Drawing(7, [np.array([[0.0, 0.0], [60.0, 0.0], [30.0, 80.0]])], "a"),
    Drawing(0, [np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 60.0], [0.0, 60.0], [0.0, 0.0]])], "b"),
]


def test_a_composed_number_is_its_writer_s_digits_from_left_to_right():
    numbers = compose_numbers(PARTS, 300)
    assert {len(number.label) for number in numbers} == {2, 3, 4, 5, 6, 7}
    assert {number.writer for number in numbers} == {"a", "b"}
    for number in numbers:
        assert set(number.label) <= {"a": {"1", "7"}, "b": {"0"}}[number.writer]
        points = {"1": 2, "7": 3, "0": 5}
        assert [len(stroke) for stroke in number.strokes] == [points[d] for d in number.label]
        middles = [stroke[:, 0].mean() for stroke in number.strokes]
        assert middles == sorted(middles)


def test_gaps_sizes_and_base_lines_of_composed_numbers_vary():
    zeros = [number for number in compose_numbers(PARTS, 300) if number.writer == "b"]
    boxes = np.array([[*s.min(0), *s.max(0)] for n in zeros for s in n.strokes[:2]]).reshape(-1, 8)
    gaps = boxes[:, 4] - boxes[:, 2]
    assert gaps.min() == pytest.approx(0, abs=0.1)  # they touch
    assert 50 < gaps.max() < 80
    heights, feet = boxes[:, 3] - boxes[:, 1], boxes[:, 3]
    assert 65 < heights.min() < 90 and 110 < heights.max() < 150
    assert 5 < feet.std() < 12


def test_a_digit_may_reach_over_its_neighbour_but_no_further_than_the_slack():
    """A 7's foot is in its middle: by ink at equal height alone, the next 7 could slip under it."""
    slanted = Drawing(1, [np.array([[60.0, 0.0], [30.0, 80.0]])], "a")
    overlaps = []
    for number in compose_numbers([PARTS[1], slanted], 300):
        for left, right in itertools.pairwise(number.strokes):
            narrower = min(np.ptp(left[:, 0]), np.ptp(right[:, 0]))
            overlaps.append((left[:, 0].max() - right[:, 0].min()) / narrower)
    assert SLACK - 0.02 < max(overlaps) < SLACK + 0.02


def test_a_seed_composes_the_same_numbers_again_and_another_seed_others():
    def composed(seed: int) -> list:
        return [(n.label, [s.tolist() for s in n.strokes]) for n in compose_numbers(PARTS, 5, seed)]

    assert composed(1) == composed(1) != composed(2)


def test_a_digit_without_extent_is_composed_too():
    dot = Drawing(1, [np.array([[3.0, 3.0]])])
    (number,) = compose_numbers([dot], 1)
    assert all(np.isfinite(stroke).all() for stroke in number.strokes)


# ---------------------------------------------------------------- drawings → segments


def test_drawings_of_any_length_are_drawn_in_one_batch_as_they_are_alone():
    dot = Drawing(0, [np.array([[3.0, 3.0]])])
    slash = Drawing(1, [np.array([[9.0, 0.0], [0.0, 9.0]])])
    angle = np.linspace(0, 12, 300)
    coil = Drawing(6, [np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1)])
    drawings = [dot, slash, coil]
    segments = to_tensors(drawings).segments
    assert segments.dtype == torch.float32
    assert segments.shape[0] == 3
    for frame, drawing in zip(rasterize(segments), drawings, strict=True):
        alone = strokes_to_frame([stroke.tolist() for stroke in drawing.strokes])
        assert (frame.float() - alone.float()).abs().mean() < 0.01


def test_no_drawings_are_an_empty_batch():
    assert to_tensors([]).segments.shape == (0, 0, 4)


def test_files_are_loaded_one_after_the_other_as_the_canvas_draws_them(file):
    paths = [file(f"{SEVEN}\n{ONE}\n", "a.jsonl"), file(f"{{}}\n{ONE}\nnothing\n", "b.jsonl")]
    with pytest.raises(DrawingsError, match=r"b\.jsonl, line 1: "):
        load_drawings(paths)
    drawn = load_drawings(paths, skip_bad=True)
    assert drawn.labels.tolist() == [7, 1, 1] and drawn.labels.dtype == torch.int64
    assert (drawn.writers, drawn.bad_lines) == (["12", None, None], 2)
    assert drawn.segments.shape[0] == 3
    frames = drawn.frames()
    assert (frames.shape, frames.dtype) == ((3, 28, 28), torch.uint8)
    for frame, line in zip(frames, (SEVEN, ONE, ONE), strict=True):
        own = strokes_to_frame(json.loads(line)["strokes"])
        assert (frame.int() - own.int()).abs().max() <= 1


def test_no_files_hold_no_drawings():
    drawn = load_drawings(())
    assert drawn.frames().shape == (0, 28, 28)
    assert drawn.labels.shape == (0,) and drawn.labels.dtype == torch.int64


# ---------------------------------------------------------------- the command line


def run(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["lenet.drawings", *map(str, arguments)])
    return main()


def test_the_command_turns_unipen_text_into_a_drawings_file(file, monkeypatch, capsys):
    path = file(UNIPEN, "digits.tra")
    assert run(monkeypatch, path) == 0
    written, _ = read_drawings(file(capsys.readouterr().out))
    for drawing, expected in zip(written, read_unipen(path), strict=True):
        assert (drawing.label, drawing.writer) == (expected.label, expected.writer)
        assert [s.tolist() for s in drawing.strokes] == [s.tolist() for s in expected.strokes]


def test_the_command_composes_numbers(file, monkeypatch, capsys):
    path = file(f"{SEVEN}\n{ONE}\n")
    assert run(monkeypatch, "--numbers", 20, path) == 0
    first = capsys.readouterr().out
    numbers, _ = read_numbers(file(first, "numbers.jsonl"))
    assert len(numbers) == 20
    assert {(n.writer, *n.label) for n in numbers if n.writer} == {
        ("12", *"7" * length) for length in {len(n.label) for n in numbers if n.writer}
    }
    for seed, same in ((0, True), (1, False)):
        run(monkeypatch, "--numbers", 20, "--seed", seed, path)
        assert (capsys.readouterr().out == first) is same


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_the_command_composes_at_least_one_number(file, monkeypatch, capsys, count):
    with pytest.raises(SystemExit):
        run(monkeypatch, "--numbers", count, file(SEVEN))
    assert "--numbers" in capsys.readouterr().err


def test_the_command_says_in_one_line_what_is_wrong(file, monkeypatch, capsys):
    assert run(monkeypatch, file("no strokes", "digits.tra")) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "digits.tra holds no digits" in output.err
