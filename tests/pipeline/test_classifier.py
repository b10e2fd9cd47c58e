"""`from sorter import Classifier, sort_folder`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.photos import BLUE, RED, make_photo


def test_predict_streams_one_result_per_path_in_order(tmp_path: Path, model: Path) -> None:
    from sorter import Classifier, Failure, Scores

    paths: list[Path | str] = [
        make_photo(tmp_path / "red.jpg", RED),
        tmp_path / "nowhere.jpg",
        str(make_photo(tmp_path / "blue.png", BLUE)),
    ]
    results = list(Classifier.load(model, workers=2).predict(paths))
    assert [result.photo.path.name for result in results] == ["red.jpg", "nowhere.jpg", "blue.png"]
    red, nowhere, blue = (result.outcome for result in results)
    assert isinstance(red, Scores) and red.probabilities[0] > 0.9
    assert isinstance(nowhere, Failure) and nowhere.reason.value == "vanished"
    assert isinstance(blue, Scores) and blue.probabilities[1] > 0.9


def test_predict_may_be_left_early(tmp_path: Path, model: Path) -> None:
    from sorter import Classifier

    paths = [make_photo(tmp_path / f"{number}.jpg", seed=number) for number in range(20)]
    stream = Classifier.load(model, workers=1).predict(paths)
    assert next(stream).photo.path == paths[0]
    stream.close()  # type: ignore[attr-defined]


def test_sort_folder_from_a_script(tmp_path: Path, model: Path) -> None:
    make_photo(tmp_path / "in" / "a.jpg")
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from sorter import Options, sort_folder\n"
        "if __name__ == '__main__':\n"
        f"    here = Path({str(tmp_path)!r})\n"
        f"    options = Options((here / 'in',), here / 'out', model=Path({str(model)!r}), engine='onnx')\n"
        "    print(sort_folder(options).counts)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "{'red': 1, 'blue': 0}\n", done.stderr
    assert (tmp_path / "out" / "red" / "a.jpg").exists()


def test_the_package_names_what_it_offers() -> None:
    import sorter

    for name in sorter.__all__:
        assert getattr(sorter, name).__doc__
