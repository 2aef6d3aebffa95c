"""How a file is written: as Parquet with one text column per field, or as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

from target_birdie.errors import MissingLibraryError
from target_birdie.mapping import payload

Batches = Iterator[list[bytes]]
Write = Callable[[IO[bytes], str, Batches], None]


def writer(file_type: str) -> Write:
    """Return the function that writes encoded payloads of one record type to a file.

    Raises:
        ConfigError: Its library is missing.
    """
    if file_type == "jsonl":
        return _write_json_lines
    try:
        import pyarrow.parquet  # type: ignore[import-untyped] # noqa: F401, PLC0415
    except ImportError:
        needs = {"library": "pyarrow", "extra": "target-birdie[parquet]"}
        raise MissingLibraryError(what="Destination 'parquet'", **needs) from None
    return _write_parquet


def _write_json_lines(file: IO[bytes], _record_type: str, batches: Batches) -> None:
    for bodies in batches:
        file.writelines(body + b"\n" for body in bodies)


def _write_parquet(file: IO[bytes], record_type: str, batches: Batches) -> None:
    import pyarrow as pa  # noqa: PLC0415  (an extra, loaded only if it is used)
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema([(name, pa.string()) for name in payload.columns(record_type)])
    with pq.ParquetWriter(file, schema, compression="snappy") as opened:
        for bodies in batches:
            rows = [payload.flatten(json.loads(body, parse_float=Decimal)) for body in bodies]
            texts = [{name: _text(value) for name, value in row.items()} for row in rows]
            opened.write_table(pa.Table.from_pylist(texts, schema=schema))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else payload.encode(value).decode()
    return text.encode(errors="replace").decode()  # a column has no place for half an emoji
