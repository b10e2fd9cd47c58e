"""`sorter export`: ONNX files made anew from a model folder's weights, or an error and the folder as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import Sorter, hashes
from support.photos import BLUE, RED, make_photo

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytest.importorskip("onnxscript")

from safetensors.torch import save_file  # noqa: E402

from sorter.export.export import ExportOptions, export_folder  # noqa: E402
from sorter.model.folder import ONNX, ONNX_INT8, WEIGHTS, Model, ModelError, read_model, write_model  # noqa: E402
from sorter.photos.preprocess import Preprocess  # noqa: E402
from sorter.types import UsageError  # noqa: E402

BACKBONE = "test_resnet"  # timm's smallest
SIZE = 32


def untrained(folder: Path) -> Path:
    """A model folder with nothing but the weights of a small network that was never trained."""
    folder.mkdir()
    torch.manual_seed(0)
    network = timm.create_model(BACKBONE, pretrained=False, num_classes=1).eval()
    save_file(network.state_dict(), folder / WEIGHTS)
    spec = Preprocess(SIZE, "squash", "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    # Far from what an untrained network says, so that rounding does not change labels.
    write_model(
        Model(folder, "m", ("red", "blue"), "red", 0.001, 1.0, spec, {"name": BACKBONE, "head": "linear"})
    )
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for number in range(14):
        make_photo(root / "red" / f"{number}.jpg", RED, seed=number)
        make_photo(root / "blue" / f"{number}.jpg", BLUE, seed=100 + number)
    (root / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    return root


def test_float32_alone_leaves_int8_as_it_is(tmp_path: Path) -> None:
    folder = untrained(tmp_path / "m")
    (folder / ONNX_INT8).write_bytes(b"made earlier")
    exported = export_folder(ExportOptions(folder))
    assert exported.difference <= 1e-4
    assert set(exported.model.files) == {WEIGHTS, ONNX, ONNX_INT8}
    assert (folder / ONNX_INT8).read_bytes() == b"made earlier"
    read_model(folder).verify()
    assert not list(folder.glob(".export-*"))
    before = hashes(folder)
    export_folder(ExportOptions(folder))
    assert hashes(folder) == before, "the same bytes every time"


def test_int8_is_compared_on_photos_with_their_labels(photos: Path, sorter: Sorter, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    folder = untrained(tmp_path / "m")
    done = sorter("export", folder, "--calibrate", photos, "--json", "-j", "1")
    assert done.returncode == 3, done.stderr  # a photo was broken
    said = json.loads(done.stdout)
    assert (said["calibrated_on"], said["compared_on"], said["failed"]) == (14, 14, 1)
    assert said["labelled"]
    model = read_model(folder)
    model.verify()
    assert said["int8"] == model.has(ONNX_INT8)
    rows = {(row["engine"], row["precision"]): row for row in model.agreement}
    assert rows == {(row["engine"], row["precision"]): row for row in said["agreement"]}
    assert rows["openvino", "fp32"]["agree"] == 1
    assert rows["openvino", "fp32"]["accuracy_lost"] == 0
    assert model.has(ONNX_INT8) == rows["openvino", "int8"]["passed"]


def test_what_cannot_be_exported_leaves_the_folder_as_it_was(photos: Path, tmp_path: Path) -> None:
    folder = untrained(tmp_path / "m")
    before = hashes(folder)
    few = tmp_path / "few"
    make_photo(few / "one.jpg")
    with pytest.raises(UsageError, match="has 1 photos that can be decoded, 20 are needed"):
        export_folder(ExportOptions(folder, calibrate=few, workers=1))
    assert hashes(folder) == before
    text = (folder / "model.json").read_text().replace(BACKBONE, "test_vit")
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match="does not fit the backbone"):
        export_folder(ExportOptions(folder))
    (folder / WEIGHTS).write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not the file that"):
        export_folder(ExportOptions(folder))
    with pytest.raises(ModelError, match="is no model folder"):
        export_folder(ExportOptions(photos))
