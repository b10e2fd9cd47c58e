"""`sorter explain`: pictures and boxes of photos with a known place; no file of the user is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from support.commands import Sorter
from support.pages import check_page
from support.photos import BLUE, RED, make_photo

from sorter.model.folder import shipped_model


def spotted(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (320, 160), BLUE)
    image.paste(RED, (200, 30, 280, 90))
    image.save(path)
    return path


def test_pictures_and_boxes(tmp_path: Path, model: Path, sorter: Sorter) -> None:
    one, two = spotted(tmp_path / "a" / "x.png"), spotted(tmp_path / "b" / "x.png")
    (tmp_path / "b" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    out = tmp_path / "looked"
    done = sorter("explain", model, one, tmp_path / "b", "--out", out, "--class", "red", "--json")
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert json.loads((out / "explanations.json").read_text()) == found
    first, broken, second = found["photos"]
    assert (first["path"], second["path"]) == (str(one), str(two))
    assert broken["status"] == "failed"
    (box,) = first["regions"]
    assert first["class"] == "red" and (first["width"], first["height"]) == (320, 160)
    assert abs(box["left"] - 200) < 15 and abs(box["top"] - 30) < 15
    assert abs(box["width"] - 80) < 20 and abs(box["height"] - 60) < 20
    assert box["score"] > 0.9 and box["share"] > 0.9
    pictures = [out / "x.png", out / "x (2).png"]
    assert [first["picture"], second["picture"]] == [str(each) for each in pictures]
    pixels = np.asarray(Image.open(pictures[0]), int)
    assert pixels.shape == (160, 320, 3)
    assert abs(pixels[140, 40] - pixels[140, 150]).max() < 3 < abs(pixels[60, 240] - pixels[140, 40]).max()

    again = sorter("explain", model, one, "--out", out)
    assert again.returncode == 0, again.stderr
    assert "blue" in again.stdout
    assert sorted(path.name for path in out.iterdir()) == ["explanations.json", "x.png"]


def test_a_folder_with_files_of_the_user_is_refused(tmp_path: Path, model: Path, sorter: Sorter) -> None:
    photo, out = spotted(tmp_path / "x.png"), tmp_path / "looked"
    out.mkdir()
    (out / "x.png").write_bytes(b"mine")
    done = sorter("explain", model, photo, "--out", out)
    assert done.returncode == 2 and "x.png" in done.stderr
    assert (out / "x.png").read_bytes() == b"mine"
    (out / "explanations.json").write_text('{"photos": [{"picture": "x.png"}]}')
    assert sorter("explain", model, photo, "--out", out).returncode == 2
    assert sorter("explain", model, photo, "--class", "green").returncode == 2
    assert sorter("explain", model, tmp_path / "nowhere.jpg").returncode == 2


def test_a_call_that_was_killed_leaves_a_folder_that_the_next_one_takes(
    tmp_path: Path, model: Path, sorter: Sorter
) -> None:
    photo, out = spotted(tmp_path / "x.png"), tmp_path / "looked"
    assert sorter("explain", model, photo, "--out", out).returncode == 0
    (out / "explanations.json").unlink()  # it is written last
    (out / ".y.png.part").write_bytes(b"half a picture")
    again = sorter("explain", model, photo, "--out", out)
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in out.iterdir()) == ["explanations.json", "x.png"]


def test_the_shipped_model_explains_without_torch_and_onnx(tmp_path: Path, sorter: Sorter) -> None:
    photo = make_photo(tmp_path / "a.jpg", size=(400, 300))
    done = sorter("explain", shipped_model(), photo, "--class", "car", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["photos"]
    assert found["method"] in ("activation", "score-map")


def test_the_worst_errors_of_an_evaluation_show_where_the_model_looked(
    tmp_path: Path, model: Path, sorter: Sorter
) -> None:
    spotted(tmp_path / "in" / "red" / "wrong.png")
    make_photo(tmp_path / "in" / "red" / "right.png", RED)
    make_photo(tmp_path / "in" / "blue" / "right.png", BLUE)
    out = tmp_path / "evaluation"
    done = sorter("evaluate", model, tmp_path / "in", "--out", out, "--explain", "--engine", "onnx")
    assert done.returncode == 0, done.stderr
    page = check_page(out / "report.html")
    assert page.tags.count("img") == 2  # the photo, and its heat map
    assert "Show where the model looked" in (out / "report.html").read_text(encoding="utf-8")


def test_run_shows_where_the_model_looked_only_where_asked(
    tmp_path: Path, model: Path, sorter: Sorter
) -> None:
    spotted(tmp_path / "in" / "a.png")
    make_photo(tmp_path / "in" / "b.png", RED)
    out = tmp_path / "sorted"
    assert sorter("run", tmp_path / "in", "--out", out).returncode == 0
    assert _body(out).count("<img") == 2 and "show-heat" not in _body(out)
    assert sorter("run", tmp_path / "in", "--out", out, "--explain").returncode == 0
    assert _body(out).count("<img") == 4 and "show-heat" in _body(out)


def _body(out: Path) -> str:
    return (out / "report.html").read_text(encoding="utf-8").partition("<body>")[2]


def test_the_photos_of_a_list(tmp_path: Path, model: Path, sorter: Sorter) -> None:
    spotted(tmp_path / "a.png")
    (tmp_path / "list.txt").write_text("a.png\nnone.png\na.png\n", encoding="utf-8")
    done = sorter("explain", model, "--from", tmp_path / "list.txt", "--json")
    assert done.returncode == 3, done.stderr
    first, second = json.loads(done.stdout)["photos"]
    assert Path(first["path"]).name == "a.png" and "class" in first
    assert second["error"].startswith("vanished")
    assert sorter("explain", model, tmp_path / "a.png", "--from", tmp_path / "list.txt").returncode == 2
