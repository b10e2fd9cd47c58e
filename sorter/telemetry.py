"""Nothing leaves the computer: the usage statistics of every dependency are switched off in this process.

`import sorter` does this before any dependency is imported. Every process of ours imports `sorter`, so it holds in
workers, in Ray's actors and in the window's process. Nothing is written to the user's own settings.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

# Read by the packages when they are first imported; children inherit them.
SWITCHES = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, which fetches pretrained weights
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime: a device id in the cache folder, and a Microsoft host
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray
}
# OpenVINO has no switch for one process: it imports this package if it can, and falls back to a stub of its own.
ABSENT = "openvino_telemetry"  # a Google Analytics host, and ~/intel


def disable_telemetry() -> None:
    """Switch off the telemetry of what is imported from now on."""
    os.environ.update(SWITCHES)
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.setdefault(ABSENT, None)
