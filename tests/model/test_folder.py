"""A model folder that is damaged or made to harm costs a sentence, before anything is done."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest
from support.commands import Sorter
from support.models import make_model
from support.photos import make_photo

from sorter.model.folder import MODEL_JSON, ClassNameError, ModelError, check_labels, read_model


def changed(folder: Path, **values: object) -> Path:
    """A model folder whose description says something else."""
    make_model(folder)
    source = folder / MODEL_JSON
    source.write_text(json.dumps(json.loads(source.read_text()) | values))
    return folder


@pytest.mark.parametrize("temperature", ["inf", "nan", "-1", "0"])
def test_a_temperature_that_is_none(tmp_path: Path, temperature: str) -> None:
    folder = changed(tmp_path / "model", calibration={"temperature": float(temperature)})
    with pytest.raises(ModelError, match="temperature"):
        read_model(folder)


def test_a_description_that_nests_without_end(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    (tmp_path / "model" / MODEL_JSON).write_text("[" * 200_000)
    with pytest.raises(ModelError, match="copy the model folder again"):
        read_model(tmp_path / "model")


def test_a_description_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    with (tmp_path / "model" / MODEL_JSON).open("r+b") as file:
        file.truncate(4 << 30)
    with pytest.raises(ModelError, match="MiB"):
        read_model(tmp_path / "model")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_does_not_hold_up(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    (tmp_path / "model" / MODEL_JSON).unlink()
    os.mkfifo(tmp_path / "model" / MODEL_JSON)
    with pytest.raises(ModelError, match="no description of a model"):
        read_model(tmp_path / "model")


@pytest.mark.parametrize(
    "label",
    ["", " a", "a.", ".a", "a/b", "a:b", "COM1", "nul", "Aux.txt", "lpt9", "unsure", "Report.csv", "x" * 201],
)
def test_names_that_cannot_be_folders(label: str) -> None:
    with pytest.raises(ClassNameError, match="cannot be a folder's name"):
        check_labels(Path("model"), ("car", label))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Car", "car"),
        ("STRASSE", "straße"),
        (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")),
    ],
)
def test_two_names_that_are_one_folder_elsewhere(one: str, other: str) -> None:
    with pytest.raises(ClassNameError, match="are one folder on some systems"):
        check_labels(Path("model"), (one, other))


def test_the_command_says_so_before_it_does_anything(tmp_path: Path, sorter: Sorter) -> None:
    make_photo(tmp_path / "in" / "a.jpg")
    folder = changed(tmp_path / "model", classes=["Car", "car"], positive_class="car")
    done = sorter("run", tmp_path / "in", "--out", tmp_path / "out", "--model", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "one folder on some systems" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_more_classes_than_the_network_has_outputs(tmp_path: Path, sorter: Sorter, engine: str) -> None:
    """One output for three classes answered 1.0 for whichever came first."""
    make_photo(tmp_path / "in" / "a.jpg")
    folder = changed(tmp_path / "model", classes=["red", "blue", "green"], positive_class=None)
    done = sorter("run", tmp_path / "in", "--out", tmp_path / "out", "--model", folder, "--engine", engine)
    assert done.returncode == 1
    assert "outputs of the network: 1; outputs that 3 classes need: 3" in done.stderr
    assert not list((tmp_path / "out").glob("*/*.jpg"))
