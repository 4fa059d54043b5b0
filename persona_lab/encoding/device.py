"""What this process may compute on: processors, their instructions, a CUDA device."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from pathlib import Path

from persona_lab.errors import ModelError

_CPU_INFO = Path("/proc/cpuinfo")
THREADS_VARIABLE = "PERSONA_LAB_THREADS"
"""Environment variable: processors that this process should use for a model."""


def available_cores() -> int:
    """Processors this process may run on; at least 1.

    Containers and job schedulers give a process fewer than the machine has, and a thread
    more than there are processors makes ONNX Runtime many times slower.
    """
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def usual_threads() -> int:
    """Threads of a model where the caller does not say: all processors, or as told.

    Raises:
        ModelError: ``PERSONA_LAB_THREADS`` is not a number of 1 or more.
    """
    told = os.environ.get(THREADS_VARIABLE, "").strip()
    if not told:
        return available_cores()
    if not told.isdecimal() or int(told) < 1:
        raise ModelError(f"{THREADS_VARIABLE} is {told!r}; it must be a number of 1 or more")
    return int(told)


def share_cores(processes: int) -> None:
    """Have the models of this process leave processors to its sister processes.

    Args:
        processes: that run side by side, this one included. A number in
            ``PERSONA_LAB_THREADS`` is left as it is.
    """
    os.environ.setdefault(THREADS_VARIABLE, str(max(1, available_cores() // processes)))


@cache
def cuda_device_present() -> bool:
    """Whether the CUDA driver is there and shows at least one device.

    Asks the driver itself, silently: ONNX Runtime lists its CUDA provider on any machine
    and prints errors when there is no device behind it. ``CUDA_VISIBLE_DEVICES`` counts.
    """
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return False
    except (OSError, AttributeError):
        return False
    return count.value > 0


@cache
def integer_products_saturate() -> bool:
    """Whether the processor adds pairs of 8-bit products in 16 bits, and clips the sums.

    True for x86 without the VNNI instructions (before Cascade Lake and Zen 4), and where
    that cannot be found out. ONNX Runtime then has to be told to use slower exact kernels,
    or the vectors would depend on the processor.
    """
    if platform.machine().lower() not in {"x86_64", "amd64", "i386", "i686"}:
        return False
    try:
        flags = _CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return not {"avx512_vnni", "avx_vnni"} & set(flags.split())
