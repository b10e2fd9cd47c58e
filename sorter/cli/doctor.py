"""`sorter doctor`: what is installed, what works here, what is missing, and the command that brings it."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sorter.cli.command import DONE, FAILED, CommandResult
from sorter.cli.flags import add_command, add_output_flags

BASE = ""  # what a plain install brings
WHOLE = ("all", "test")  # extras that only name others
ENGINES = {"onnx": BASE, "openvino": BASE, "torch": "train"}  # and the extra that brings each
# Format -> how Pillow is told to write a sample, and the module that has to be imported for it.
SAMPLES = {
    "JPEG": ("JPEG", None),
    "PNG": ("PNG", None),
    "GIF": ("GIF", None),
    "WebP": ("WEBP", None),
    "TIFF": ("TIFF", None),
    "BMP": ("BMP", None),
    "AVIF": ("AVIF", None),
    "HEIC": ("HEIF", "pillow_heif"),
    "JPEG XL": ("JXL", "pillow_jxl"),
    "JPEG 2000": ("JPEG2000", None),
    "PNM": ("PPM", None),
}
SIDE = 64  # pixels of a sample
FAR = 40  # grey levels by which a sample may differ: compression, and colours at half the size


@dataclass(frozen=True)
class Checkup:
    """One thing that was looked at.

    Attributes:
        kind: `system`, `package`, `engine`, `device`, `format`, `model` or `folder`.
        works: None for what is not installed and need not be.
        found: what there is: a version, a number, a reason.
        bring: the command that brings what is missing.
    """

    kind: str
    name: str
    works: bool | None
    found: str
    bring: str = ""


def add_doctor(commands: Any) -> None:
    parser = add_command(
        commands,
        "doctor",
        "check what is installed and what works here",
        "Check versions, engines, devices, formats, the model that ships and the cache. What is missing is listed with "
        "the command that brings it. Nothing is changed, and nothing leaves the computer. The exit code is 1 where "
        "something is broken.",
        ("sorter doctor ", "sorter doctor --json"),
    )
    add_output_flags(parser, quiet=False)
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> CommandResult:
    found = [*_system(), *_packages(), *_engines(), *_devices(), *_formats(), *_model(), *_cache()]
    broken = [each for each in found if each.works is False]
    data = {"ok": not broken, "checks": [asdict(each) for each in found]}
    return CommandResult(_lines(found), data, FAILED if broken else DONE)


def _lines(found: list[Checkup]) -> Iterator[str]:
    kind, width = "", max(len(each.name) for each in found)
    for each in found:
        if each.kind != kind:
            yield each.kind
            kind = each.kind
        mark = {True: "ok", False: "BROKEN", None: "-"}[each.works]
        bring = f"  {each.bring}" if each.bring else ""
        yield f"  {mark:<6}  {each.name:<{width}}  {each.found}{bring}"
    broken = sum(each.works is False for each in found)
    yield f"{broken:,} things are broken." if broken else "Everything that is installed works."


def _system() -> Iterator[Checkup]:
    import platform

    from sorter.distribution import installed_version
    from sorter.system import available_cores, physical_memory

    memory = physical_memory()
    yield Checkup("system", "sorter", True, installed_version())
    yield Checkup(
        "system", "Python", sys.version_info >= (3, 10), f"{platform.python_version()} at {sys.executable}"
    )
    yield Checkup("system", "machine", True, f"{platform.platform()}, {platform.machine()}")
    yield Checkup("system", "cores", True, str(available_cores()))
    yield Checkup("system", "memory", True, "unknown" if memory is None else f"{memory / 2**30:.1f} GiB")


# -- packages ------------------------------------------------------------------------------------------------------


def _packages() -> Iterator[Checkup]:
    """The packages of the plain install, then those of each extra."""
    from sorter.distribution import NAME, install_command

    try:
        requirements = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        yield Checkup("package", NAME, False, "was never installed", "pip install .")
        return
    seen: set[str] = set()
    for requirement in requirements:
        match = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        by = extra[1] if extra else BASE
        if match is None or by in WHOLE or match[0] in (*seen, NAME):
            continue
        seen.add(match[0])
        try:
            yield Checkup("package", match[0], True, metadata.version(match[0]))
        except metadata.PackageNotFoundError:
            if re.search(r"python_version|platform_", requirement):
                continue  # it may not be for this system
            yield Checkup("package", match[0], None if by else False, "is not installed", install_command(by))


def _engines() -> Iterator[Checkup]:
    """Each engine runs the model that ships once."""
    from importlib.util import find_spec

    from sorter.distribution import install_command
    from sorter.engines.choice import Choice
    from sorter.engines.load import load_engine
    from sorter.model.folder import read_model, shipped_model
    from sorter.types import SorterError

    modules = {"onnx": "onnxruntime"}
    for engine, extra in ENGINES.items():
        if find_spec(modules.get(engine, engine)) is None:
            bring = install_command(extra)
            yield Checkup("engine", engine, None if extra else False, "is not installed", bring)
            continue
        try:
            load_engine(read_model(shipped_model()), Choice(engine, "fp32"))
        except SorterError as error:
            yield Checkup("engine", engine, False, str(error))
        else:
            yield Checkup("engine", engine, True, "runs the model that ships")


def _devices() -> Iterator[Checkup]:
    from sorter.engines.devices import resolve, trial_devices
    from sorter.types import SorterError

    try:
        gpus = resolve("all", "auto")
    except SorterError:
        gpus = ""
    found = ", ".join(["cpu", *([gpus] if gpus else []), *trial_devices()])
    auto = resolve("auto", "auto")
    yield Checkup("device", "devices", True, f"{found}; auto takes {auto}")
    if gpus and auto == "cpu":
        from sorter.distribution import install_command

        yield Checkup("device", "GPU", None, "no engine for it is installed", install_command("train"))


# -- formats, model, folders ---------------------------------------------------------------------------------------


def _formats() -> Iterator[Checkup]:
    """A sample of each format is written by its library and decoded as a photo is."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sorter-doctor-") as folder:
        for name in SAMPLES:
            yield _format(name, Path(folder))
    yield _raw()


def _format(name: str, folder: Path) -> Checkup:
    from importlib import import_module

    import numpy as np
    from PIL import Image

    from sorter.photos.decode import Decoder
    from sorter.types import Failure

    form, module = SAMPLES[name]
    path = folder / f"sample-{form.lower()}"
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[:, : SIDE // 2, 0] = pixels[:, SIDE // 2 :, 2] = 200
    try:
        if module == "pillow_heif":
            import_module(module).register_heif_opener()
        elif module:
            import_module(module)
        Image.fromarray(pixels).save(path, form)
    except (ImportError, KeyError, OSError, ValueError) as error:
        return Checkup("format", name, None, f"no sample could be written ({error!r})")
    decoded = Decoder(None)(path)
    if isinstance(decoded, Failure):
        return Checkup("format", name, False, str(decoded))
    far = np.abs(decoded.pixels.astype(int) - pixels).mean()
    return Checkup(
        "format", name, bool(far < FAR), "is read" if far < FAR else f"is off by {far:.0f} grey levels"
    )


def _raw() -> Checkup:
    try:
        import rawpy
    except ImportError as error:
        return Checkup("format", "raw files", False, str(error))
    return Checkup("format", "raw files", True, f"LibRaw {'.'.join(map(str, rawpy.libraw_version))}")


def _model() -> Iterator[Checkup]:
    from sorter.model.folder import read_model, shipped_model
    from sorter.types import SorterError

    try:
        model = read_model(shipped_model())
        model.verify()
    except SorterError as error:
        yield Checkup("model", "car", False, str(error))
    else:
        yield Checkup("model", model.name, True, f"is whole: {', '.join(model.classes)}")


def _cache() -> Iterator[Checkup]:
    from sorter.system import cache_folder

    folder = cache_folder()
    if folder is None:
        yield Checkup(
            "folder", "cache", None, "cannot be written to; every command works, and starts more slowly"
        )
        return
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    yield Checkup("folder", "cache", True, f"{folder}, {size / 2**20:.0f} MiB")
