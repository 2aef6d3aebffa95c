"""Retries the records that earlier runs rejected."""

from __future__ import annotations

import json
from decimal import Decimal

from target_birdie.delivery.pending import MOST_ATTEMPTS, MappedStream, PendingRecord, Row
from target_birdie.delivery.run import DeliveryRun
from target_birdie.delivery.store import Store
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.values import InvalidRecordError


def retry_rejected(run: DeliveryRun, store: Store) -> None:
    """Submit the rejected records of earlier runs that no newer version has replaced.

    Raises:
        TargetError: The run cannot continue.
    """
    for row in store.rejected(before=run.started_at):
        if run.failure:
            raise run.failure
        if run.is_stopped:
            return
        if row.record and row.stream in run.settings.streams:
            _retry(run, store, row)
        else:
            run.statistics.count("still rejected", row.stream)


def _retry(run: DeliveryRun, store: Store, row: Row) -> None:
    columns = tuple(json.loads(row.columns))
    mapper = StreamMapper(run.settings.streams[row.stream], run.settings.rules, columns)
    stream = MappedStream(row.stream, mapper, columns)
    record = json.loads(row.record, parse_float=Decimal)
    error = None
    try:
        pending = run.prepare(stream, record)
    except InvalidRecordError as invalid:
        error = invalid
        pending = PendingRecord(stream, row.key, record, fingerprint=row.rejected_fingerprint)
    pending.retried = row
    is_same = pending.fingerprint == row.rejected_fingerprint
    if is_same and row.attempts >= MOST_ATTEMPTS:
        run.statistics.count("still rejected", row.stream)
    elif error:
        run.outcomes.rejected(pending, error.reason, error.detail)
    elif pending.key != row.key and store.look_up(pending.key):
        store.put(Row(*row.key, row.stream))  # a newer version has this id already
    else:
        run.submit(pending)
