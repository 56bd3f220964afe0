"""Bytes in a bucket of an S3-compatible store.

Imported only where one is configured: boto3 costs every process 0.4 s and 27 MB.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, BinaryIO

import boto3
import structlog
from boto3.s3.transfer import TransferConfig
from botocore.config import Config as Options
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from config import Config
from services.errors import OutOfStorage, Unavailable
from services.storage import Missing, Stat, valid
from services.storage.pieces import Pieces

#: Seconds until a store counts as away. It is asked twice, with up to a second between.
_CONNECT, _ANSWER = 1.0, 1.9
#: Seconds for which a store that did not answer is not asked again.
_REST = 1.0
#: Seconds until it counts as away while bytes are stored: a gigabyte's parts are put together.
_STORED = 30.0
#: Bytes of a part, and of the largest object that is sent in one.
_PART = 5 * 2**20
#: Parts that an object may have: 10,000.
_PARTS = 9_000
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_BEYOND = frozenset({"416", "InvalidRange"})
_FULL = frozenset({"507", "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"})


class S3Storage:
    """A storage in a bucket, which has to be there."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._bucket = config.S3_BUCKET
        self._session = boto3.session.Session()  # one: each reads 20 MB of descriptions
        self._lock = threading.Lock()
        self._rests_until = 0.0

    def draft(self) -> BinaryIO:
        # Not where the system keeps such files: that may be memory.
        return tempfile.TemporaryFile(dir=self._config.DATA_DIR)

    def put(self, key: str, source: BinaryIO, size: int) -> None:
        valid(key)
        self.stat(key)  # so that a store which is away is noticed soon
        exact = _Exact(source, size)
        with self._asked():
            if size <= _PART:
                self._slow.put_object(Bucket=self._bucket, Key=key, Body=exact.read(size))
            else:
                self._slow.upload_fileobj(exact, self._bucket, key, Config=_transfer(size))

    def open(self, key: str, start: int = 0, end: int | None = None) -> Pieces:
        wanted = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            with self._asked(valid(key)):
                answer = self._quick.get_object(Bucket=self._bucket, Key=key, Range=wanted)
        except _Beyond:
            return Pieces(lambda _: b"", lambda: None, 0)
        body = answer["Body"]

        def read(most: int) -> bytes:
            with self._asked():
                return bytes(body.read(most))

        return Pieces(read, body.close, answer["ContentLength"])

    def stat(self, key: str) -> Stat | None:
        try:
            with self._asked(valid(key)):
                found = self._quick.head_object(Bucket=self._bucket, Key=key)
        except Missing:
            return None
        return Stat(found["ContentLength"], f"{found['ETag']} {found['LastModified']}")

    def delete(self, key: str) -> None:
        try:
            with self._asked(valid(key)):
                self._quick.delete_object(Bucket=self._bucket, Key=key)
        except Missing:
            return

    def url(self, key: str, name: str, media_type: str, seconds: int) -> str | None:
        if not self._config.S3_PUBLIC_ENDPOINT:
            return None
        asked = {
            "Bucket": self._bucket,
            "Key": valid(key),
            "ResponseContentDisposition": name,
            "ResponseContentType": media_type,
            "ResponseCacheControl": "private, no-cache",
        }
        signed = self._public.generate_presigned_url("get_object", asked, ExpiresIn=seconds)
        return str(signed)

    def check(self) -> str | None:
        try:
            self._quick.head_bucket(Bucket=self._bucket)
        except (BotoCoreError, ClientError) as exc:
            return f"the bucket {self._bucket} cannot be reached: {exc}"
        return None

    @contextmanager
    def _asked(self, key: str = "") -> Iterator[None]:
        """Ask the store, or not at all if it did not answer just now: threads would wait for it.

        Raises as ``_explained``.
        """
        if time.monotonic() < self._rests_until:
            raise Unavailable("The storage does not answer; try again.", retry_after=1)
        try:
            with _explained(key):
                yield
        except Unavailable as exc:
            if isinstance(exc.__cause__, HTTPClientError):
                self._rests_until = time.monotonic() + _REST
            raise

    @cached_property
    def _quick(self) -> Any:  # boto3 makes its clients' classes when they are asked for
        return self._client(self._config.S3_ENDPOINT, _ANSWER)

    @cached_property
    def _slow(self) -> Any:
        return self._client(self._config.S3_ENDPOINT, _STORED)

    @cached_property
    def _public(self) -> Any:
        return self._client(self._config.S3_PUBLIC_ENDPOINT, _ANSWER)

    def _client(self, endpoint: str, patience: float) -> Any:
        with self._lock:  # a session is not for several threads
            return self._session.client("s3", **self._options(endpoint, patience))

    def _options(self, endpoint: str, patience: float) -> dict[str, Any]:
        config = self._config
        return {
            "endpoint_url": endpoint or None,
            "region_name": config.S3_REGION,
            "aws_access_key_id": config.S3_ACCESS_KEY,
            "aws_secret_access_key": config.S3_SECRET_KEY,
            "config": Options(
                signature_version="s3v4",
                connect_timeout=_CONNECT,
                read_timeout=patience,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=config.THREADS * 4,
                s3={"addressing_style": "path" if endpoint else "auto"},
                # Stores other than Amazon's know no checksum in the trailer of a body.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }


class _Beyond(LookupError):
    """No byte of an object is wanted."""


def _transfer(size: int) -> TransferConfig:
    """Send parts one after the other, in this thread: no more than one is in memory."""
    part = max(_PART, size // _PARTS)
    return TransferConfig(multipart_threshold=_PART, multipart_chunksize=part, use_threads=False)


class _Exact:
    """Exactly so many bytes of a source, to be read once.

    Raises:
        ValueError: from ``read``, if it has fewer.
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source, self._left, self._size = source, size, size

    def read(self, most: int = -1) -> bytes:
        """Return the next bytes, as many as are wanted or left."""
        wanted = self._left if most < 0 else min(most, self._left)
        parts: list[bytes] = []
        while wanted and (part := self._source.read(wanted)):
            parts.append(part)
            wanted, self._left = wanted - len(part), self._left - len(part)
        if wanted:
            raise ValueError(f"{self._left} of {self._size} bytes are missing")
        return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def _explained(key: str = "") -> Iterator[None]:
    """Say what an error of the store means.

    Raises:
        Missing: there is nothing under ``key``.
        OutOfStorage: it is full.
        Unavailable: whatever else; logged, as callers cannot mend it.
    """
    try:
        yield
    except ClientError as exc:
        code = str(exc.response.get("Error", {}).get("Code"))
        if key and code in _GONE:
            raise Missing(key) from exc
        if code in _BEYOND:
            raise _Beyond() from exc
        if code in _FULL:
            raise OutOfStorage() from exc
        raise _away(exc) from exc
    except (BotoCoreError, HTTPClientError) as exc:
        raise _away(exc) from exc


def _away(exc: Exception) -> Unavailable:
    structlog.get_logger("signpost").warning("storage", reason=str(exc))
    return Unavailable("The storage does not answer; try again.", retry_after=1)
