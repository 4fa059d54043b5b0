"""Bytes into lines: byte order marks, line ends, and what cannot be decoded.

A line that cannot be decoded is handed on with a ``problem`` instead of ending the file:
the rows before and after it are still good.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from persona_lab.errors import InputError

_SAMPLE = 8192
_CONVERT = "convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
_NUL_RUN = re.compile(rb"\x00{3,}")
_CONTROL = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f]")
_BARE_CR = re.compile(r"\r(?!\n)")

# The mark of UTF-32-LE begins with the one of UTF-16-LE, so these are looked at first.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89PNG", "a PNG image"),
    (b"\xd0\xcf\x11\xe0", "an old Office document; save it as csv or text"),
    (b"%PDF-", "a PDF document; save it as text"),
    (b"PK\x03\x04", "a zip archive or Office document; unpack it or save it as csv or text"),
    (b"PAR1\x15", "a Parquet file; give its path, it cannot be read from a stream"),
    (b"\xfd7zXZ", "an xz archive; unpack it"),
    (b"BZh9", "a bzip2 archive; unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; give its path, or unpack it first"),
    (b"\x1f\x8b", "a gzip archive; give its path, or unpack it first"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (codecs.BOM_UTF32_LE, "UTF-32 text; convert it to UTF-8"),
    (codecs.BOM_UTF32_BE, "UTF-32 text; convert it to UTF-8"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text file.

    Attributes:
        number: counted from 1.
        text: without its line end; undecodable bytes are replaced, so that quotes still pair.
        problem: why the line cannot be trusted; empty for a good line.
    """

    number: int
    text: str
    problem: str = ""

    @property
    def blank(self) -> bool:
        """Is there nothing on it but white space?"""
        return not self.text.strip()


def text_lines(stream: Any, name: str) -> Iterator[Line]:
    """The lines of a stream that somebody else decodes.

    Raises:
        InputError: their encoding does not fit.
    """
    number = 0
    while True:
        try:
            text = cast(str, stream.readline())
        except UnicodeDecodeError:
            # Whoever opened the stream chose its encoding; there is no way past the spot.
            raise InputError(
                f"{name}: line {number + 1} does not fit the encoding the stream was opened "
                "with; open it in binary mode or name the right encoding"
            ) from None
        if not text:
            return
        if number == 0:
            text = text.removeprefix("\ufeff")
        for part in _universal(text):
            number += 1
            nul = "\x00" in part
            yield Line(number, part.replace("\x00", "\ufffd"), "holds NUL characters" * nul)


def byte_lines(stream: IO[bytes], name: str) -> Iterator[Line]:
    """Check the first bytes now, and return the lines to come.

    Args:
        stream: UTF-8 with or without a byte order mark, or UTF-16 with one.
        name: for messages.

    Raises:
        InputError: it is binary or in another Unicode encoding.
    """
    sample = _sample(stream)
    _refuse_binary(sample, name)
    if sample.startswith(codecs.BOM_UTF16_LE):
        return _decoded(utf16_lines(stream, little=True), "utf-16-le", name)
    if sample.startswith(codecs.BOM_UTF16_BE):
        return _decoded(utf16_lines(stream, little=False), "utf-16-be", name)
    if _is_binary(sample):
        raise InputError(
            f"{name} is a binary file (it holds NUL bytes); give text. If it is UTF-16 "
            "without a byte order mark, convert it: iconv -f UTF-16LE -t UTF-8 OLD > NEW"
        )
    return _decoded(iter(stream.readline, b""), "utf-8", name)


def _sample(stream: Any) -> bytes:
    """The first bytes without consuming them; empty where a stream cannot do that."""
    if hasattr(stream, "peek"):
        return bytes(stream.peek(_SAMPLE)[:_SAMPLE])
    try:
        start = stream.tell()
        sample = bytes(stream.read(_SAMPLE))
        stream.seek(start)
    except (AttributeError, OSError):
        return b""
    return sample


def _refuse_binary(sample: bytes, name: str) -> None:
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise InputError(f"{name} is not a text file but {what}")


def _is_binary(sample: bytes) -> bool:
    """Is it no text, rather than text with NUL bytes in it?

    A disk that was full or a machine that stopped leaves runs of NUL bytes in a file whose
    other lines are good.
    """
    if b"\x00" not in sample:
        return False
    rest = _NUL_RUN.sub(b"", sample)
    return bool(_CONTROL.search(rest)) or rest.count(0) > len(rest) / 100


def _decoded(raw: Iterator[bytes], encoding: str, name: str) -> Iterator[Line]:
    number = offset = 0
    for chunk in raw:
        if offset == 0 and encoding == "utf-8":
            # A stream that cannot be looked into shows its first bytes only now.
            _refuse_binary(chunk, name)
        problem = ""
        try:
            text = chunk.decode(encoding)
        except UnicodeDecodeError as error:
            text = chunk.decode(encoding, "replace")
            where = f"byte {offset + error.start} of the file"
            problem = f"not valid {encoding.upper()} ({where}); {_CONVERT}"
        if offset == 0:
            text = text.removeprefix("\ufeff")
        if "\x00" in text:
            text = text.replace("\x00", "\ufffd")
            problem = problem or "holds NUL bytes; remove them or repair the file"
        offset += len(chunk)
        for part in _universal(text):
            number += 1
            yield Line(number, part, problem)


def utf16_lines(stream: IO[bytes], *, little: bool) -> Iterator[bytes]:
    """The lines of UTF-16, undecoded.

    They are split at the two-byte line feed; a lone 0x0A byte may be half of another letter.
    """
    held = b""
    while True:
        part = stream.readline()
        held += part
        if not part:
            break
        if little and len(held) % 2:
            held += stream.read(1)
        if len(held) % 2 == 0 and held.endswith(b"\n\x00" if little else b"\x00\n"):
            yield held
            held = b""
    if held:
        yield held


def _universal(text: str) -> list[str]:
    """Take off the line end; split at the bare carriage returns of old Macintosh files."""
    text = text.removesuffix("\n").removesuffix("\r")
    return _BARE_CR.split(text) if "\r" in text else [text]
