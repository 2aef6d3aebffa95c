"""How a file is laid out: Parquet with one text column a field, or the bodies as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any, Protocol

from target_birdie.errors import ConfigError
from target_birdie.mapping import payload

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

Batches = Iterator[list[bytes]]


class Format(Protocol):
    """A file format."""

    def check(self) -> None:
        """See that its library is installed.

        Raises:
            ConfigError: It is not.
        """

    def write(self, file: IO[bytes], record_type: str, batches: Batches) -> None:
        """Write all bodies."""


class JsonLines(Format):
    """The bodies that would have been sent, one a line."""

    @override
    def check(self) -> None:
        """Nothing is needed."""

    @override
    def write(self, file: IO[bytes], record_type: str, batches: Batches) -> None:
        """Write all bodies."""
        for bodies in batches:
            file.writelines(body + b"\n" for body in bodies)


class Parquet(Format):
    """Text columns named as Birdie's fields; `additional_fields` is JSON."""

    @override
    def check(self) -> None:
        """See that pyarrow is installed."""
        try:
            import pyarrow.parquet  # type: ignore[import-untyped] # noqa: F401, PLC0415
        except ImportError:
            raise ConfigError(
                "destination parquet needs pyarrow: install target-birdie[parquet]"
            ) from None

    @override
    def write(self, file: IO[bytes], record_type: str, batches: Batches) -> None:
        """Write all bodies."""
        import pyarrow as pa  # noqa: PLC0415  (an extra, loaded only where it is used)
        import pyarrow.parquet as pq  # noqa: PLC0415

        schema = pa.schema([(name, pa.string()) for name in payload.columns(record_type)])
        with pq.ParquetWriter(file, schema, compression="snappy") as writer:
            for bodies in batches:
                rows = [_text_row(body) for body in bodies]
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _text_row(body: bytes) -> dict[str, str]:
    flat = payload.flatten(json.loads(body, parse_float=Decimal))
    return {name: _text(value) for name, value in flat.items()}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else payload.encode(value).decode()
    return text.encode(errors="replace").decode()  # a column has no place for half an emoji


FORMATS: dict[str, Format] = {"parquet": Parquet(), "jsonl": JsonLines()}
