"""Opening files that may be packed (.gz, .zst), with a bound on how far they are read.

A packed file is told by its first bytes, as people name files as they like. One that
breaks off is reported with the place; the rows before that are good.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from persona_lab.errors import InputError

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED_SUFFIXES = (".gz", ".zst")
_LONGEST_WINDOW = 1 << 31
_CHUNK = 1 << 14


def open_unpacked(path: Path, *, limit: int | None = None) -> IO[bytes]:
    """Open a file for reading, unpacked where it is packed.

    Args:
        path: any file.
        limit: bytes of the file (as on disk) to read at most; None for all.

    Returns:
        A buffered binary stream whose ``name`` is the file's, less ``.gz`` or ``.zst``.

    Raises:
        OSError: it cannot be opened.
        InputError: while it is read: it is cut off or damaged.
    """
    raw = path.open("rb", buffering=0)
    try:
        bounded = io.BufferedReader(_Bounded(raw, limit))
        magic = bounded.peek(4)[:4]
        if magic.startswith(GZIP):
            unpack: Any = gzip.GzipFile(fileobj=bounded, mode="rb")
        elif magic.startswith(ZSTD):
            unpack = io.BufferedReader(_Zstd(bounded))
        else:
            return _named(bounded, path.name)
        return _named(io.BufferedReader(_Checked(unpack, bounded, path.name)), stem(path.name))
    except BaseException:
        raw.close()
        raise


def packer(name: str) -> Callable[[IO[bytes]], IO[bytes]]:
    """How to write a file of this name: packed as its extension says.

    The same bytes in give the same bytes out: neither time nor name is stored.
    """
    if name.endswith(".gz"):
        return lambda file: gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)  # type: ignore[return-value]
    if name.endswith(".zst"):
        import pyarrow as pa

        return lambda file: pa.CompressedOutputStream(pa.PythonFile(file), "zstd")
    return lambda file: file


def stem(name: str) -> str:
    """A file's name less ``.gz`` or ``.zst``."""
    for suffix in PACKED_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


class _Zstd(io.RawIOBase):
    """Unpacks zstd frames one after the other, and tells when the last one breaks off.

    Archives of whole forums are packed with ``--long=31``: what they repeat may lie two
    gigabytes back, which decoders refuse unless told otherwise.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        import zstandard

        self._packed = packed
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=_LONGEST_WINDOW)
        self._error = zstandard.ZstdError
        self._frame: Any = None
        self._left = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._left or self._packed.read(_CHUNK)
            if not data:
                if self._frame is not None:
                    raise EOFError("a frame is cut off")
                return 0
            self._frame = self._frame or self._unpacker.decompressobj()
            try:
                self._ready = self._frame.decompress(data)
            except self._error as error:
                raise OSError(str(error)) from None
            self._left = self._frame.unused_data if self._frame.eof else b""
            self._frame = None if self._frame.eof else self._frame
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


def _named(stream: Any, name: str) -> IO[bytes]:
    # a buffered reader asks its raw stream for its name
    stream.raw.name = name
    opened: IO[bytes] = stream
    return opened


class _Bounded(io.RawIOBase):
    """The first bytes of a file: one that grows while it is read looks as it did before."""

    def __init__(self, raw: io.FileIO, limit: int | None) -> None:
        self._raw, self._left = raw, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        if self._left is not None:
            view = view[: self._left]
        count = self._raw.readinto(view) or 0
        if self._left is not None:
            self._left -= count
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Checked(io.RawIOBase):
    """An unpacked stream whose errors are ours."""

    def __init__(self, stream: Any, packed: IO[bytes], name: str) -> None:
        self._stream, self._packed, self._archive = stream, packed, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except (EOFError, zlib.error, OSError):  # gzip's and Arrow's errors are OSErrors
            raise InputError(
                f"{self._archive} is cut off or damaged: it cannot be unpacked to its end; "
                "the rows before the break are good, fetch or pack the file again for the rest"
            ) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()
