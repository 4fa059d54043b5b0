"""What a benchmark ran on, what else ran meanwhile, and the memory of a process."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from persona_lab.encoding.device import available_cores
from persona_lab.version import __version__

_PACKAGES = ("numpy", "onnxruntime", "onnxruntime-gpu", "torch", "transformers", "tokenizers")
_INSTRUCTIONS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp")
_BUSY = 0.1
"""Share of the processors' time that other programs may take before figures are doubtful."""


def machine() -> dict[str, Any]:
    """What this is measured on: processor, memory, versions."""
    flags = set(_cpu_info("flags").split())
    return {
        "processor": _cpu_info("model name") or platform.processor() or platform.machine(),
        "cores": available_cores(),
        "instructions": [name for name in _INSTRUCTIONS if name in flags],
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "threads_set": {
            name: os.environ[name]
            for name in ("OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM")
            if name in os.environ
        },
        "persona_lab": __version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def _cpu_info(name: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^{name}\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


class Others:
    """How much other programs used the processors meanwhile (Linux)."""

    def __init__(self) -> None:
        """Start to watch."""
        self._start = self._now()

    def found(self) -> dict[str, Any]:
        """``others``: share of all processors' time (0..1), None where unknown; ``busy``.

        Only processes of this one that have ended count as its own.
        """
        end, start = self._now(), self._start
        if end is None or start is None or end[0] <= start[0]:
            return {"others": None, "busy": False}
        total, busy, own = (b - a for a, b in zip(start, end, strict=True))
        share = max(0.0, (busy - own) / total)
        return {"others": share, "busy": share > _BUSY}

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds of all processors, of them busy, and used by this process and its children."""
        try:
            line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
            user, nice, system, idle, waiting, *more = (int(x) for x in line.split()[1:9])
            tick = os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, AttributeError):
            return None
        busy = (user + nice + system + sum(more)) / tick
        return busy + (idle + waiting) / tick, busy, sum(os.times()[:4])


def peak_memory_mb() -> float | None:
    """Highest resident memory of this process in MB (10^6 bytes), or None where unknown.

    Linux hands a new process the peak of the one that started it in ``ru_maxrss``, so the
    process's own high-water mark is read instead.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return next(
            int(line.split()[1]) * 1024 / 1e6
            for line in status.splitlines()
            if line.startswith("VmHWM:")
        )
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
