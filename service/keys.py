"""Bearer keys: only their hashes are known here; several may be valid, and rotate.

A line is ``NAME:HASH``. The name tells owners of jobs and rate limits apart, so the old
and the new key of one client share a name while both are valid. A line that is taken out
of the file counts from the next request on.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass

from persona_lab.errors import InputError

ANONYMOUS = "local"
"""The owner of requests where no key is needed."""

_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,63}):(?P<hash>[0-9a-f]{64})")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """One key that is valid.

    Attributes:
        name: of its owner.
        digest: SHA-256 of the key, hexadecimal.
    """

    name: str
    digest: str

    @classmethod
    def parse(cls, line: str, *, place: str) -> Key:
        """Read ``NAME:HASH``.

        Raises:
            InputError: it is something else; the message does not repeat it.
        """
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise InputError(
                f"{place} is no NAME:HASH line (letters, digits, . _ - and 64 hexadecimal "
                "digits); make one with 'persona-lab serve --new-key NAME'"
            )
        return cls(match["name"], match["hash"])


def new_key(name: str) -> tuple[str, str]:
    """Make a key: the key itself for the client, and the line for the service.

    Raises:
        InputError: the name has other characters than letters, digits, ``.``, ``_``, ``-``.
    """
    key = "pl_" + secrets.token_urlsafe(_KEY_BYTES)
    line = f"{name}:{digest_of(key)}"
    Key.parse(line, place=f"the name {name!r}")
    return key, line


def digest_of(key: str) -> str:
    """SHA-256 of a key; keys are 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


class KeyRing:
    """The keys that are valid now."""

    def __init__(self, lines: tuple[str, ...] = (), file: str = "") -> None:
        """Read the keys.

        Args:
            lines: ``NAME:HASH`` each.
            file: of such lines; blank ones and those that start with ``#`` do not count.

        Raises:
            InputError: a line or the file cannot be read.
        """
        self._fixed = tuple(
            Key.parse(line, place=f"key {i} of PERSONA_LAB_KEYS") for i, line in enumerate(lines, 1)
        )
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._from_file: tuple[Key, ...] = ()
        if file:
            self._reload()

    def owner(self, key: str) -> str | None:
        """Who holds this key; None for one that is not valid.

        All hashes are compared, each in constant time, so that the time tells nothing.
        """
        digest = digest_of(key)
        found = None
        for one in self._valid():
            if hmac.compare_digest(one.digest, digest) and found is None:
                found = one.name
        return found

    def _valid(self) -> tuple[Key, ...]:
        if self._file:
            try:
                if _stamp_of(self._file) != self._stamp:
                    self._reload()
            except InputError:
                self._stamp, self._from_file = None, ()  # a file nobody can read opens no door
        return self._fixed + self._from_file

    def _reload(self) -> None:
        stamp = _stamp_of(self._file)
        try:
            with open(self._file, encoding="utf-8") as lines:
                numbered = [(n, line.strip()) for n, line in enumerate(lines, 1)]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"cannot read the keys in {self._file}: {type(error).__name__}"
            ) from None
        self._from_file = tuple(
            Key.parse(line, place=f"{self._file}:{n}")
            for n, line in numbered
            if line and not line.startswith("#")
        )
        self._stamp = stamp


def _stamp_of(file: str) -> tuple[int, int, int]:
    try:
        found = os.stat(file)
    except OSError as error:
        raise InputError(f"cannot read the keys in {file}: {error.strerror}") from None
    return found.st_mtime_ns, found.st_size, found.st_ino
