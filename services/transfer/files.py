"""The file of an export: it is there whole or not at all, and for its owner only."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any


class FileExists(Exception):
    """There is something of that name, which was not to be replaced."""


@contextmanager
def whole(target: Path, *, replace: bool = False) -> Iterator[IO[bytes]]:
    """Write ``target``; it gets its name once all of it is on the disk. ``.gz`` is compressed.

    Raises:
        FileExists: it is there, and not to be replaced.
        OSError: it cannot be written.
    """
    if target.exists() and not replace:
        raise FileExists(f"{target} exists; name a file that does not, or say --force.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with ExitStack() as stack:
            file: Any = stack.enter_context(os.fdopen(descriptor, "wb"))
            stack.callback(os.fsync, descriptor)
            stack.callback(file.flush)
            if target.suffix == ".gz":
                # Without name and time: the same contents are the same file.
                packed = gzip.GzipFile("", "wb", 6, file, mtime=0)
                stack.callback(packed.close)
                yield packed  # type: ignore[misc]  # a GzipFile is a file
            else:
                yield file
        _name(draft, target, replace)
    finally:
        draft.unlink(missing_ok=True)


def _name(draft: Path, target: Path, replace: bool) -> None:
    if replace:
        draft.replace(target)
    else:
        try:
            os.link(draft, target)
        except FileExistsError as exc:
            raise FileExists(f"{target} has come meanwhile.") from exc
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
