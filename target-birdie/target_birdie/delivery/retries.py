"""Retries the records that earlier runs rejected."""

from __future__ import annotations

import json
from decimal import Decimal

from target_birdie.delivery.pending import MappedStream, PendingRecord, RejectedRecord
from target_birdie.delivery.run import DeliveryRun
from target_birdie.delivery.store import Store
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.values import InvalidRecordError

MOST_ATTEMPTS = 5
"""Attempts after which a record is retried only if its payload has changed."""


def retry_rejected(run: DeliveryRun, store: Store) -> None:
    """Submit the rejected records of earlier runs that no newer version has replaced.

    Raises:
        TargetError: The run cannot continue.
    """
    store.commit()
    for rejected in store.rejected(before=run.started_at):
        if run.failure:
            raise run.failure
        if run.is_stopped:
            return
        _retry(run, store, rejected)


def _retry(run: DeliveryRun, store: Store, rejected: RejectedRecord) -> None:
    entry = run.settings.streams.get(rejected.stream)
    if entry is None or rejected.record is None:
        run.statistics.count("still rejected", rejected.stream)
        return
    columns = tuple(json.loads(rejected.columns))
    mapper = StreamMapper(entry, run.settings.rules, columns)
    stream = MappedStream(rejected.stream, mapper, columns)
    record = json.loads(rejected.record, parse_float=Decimal)
    pending = PendingRecord(stream, rejected.key, record)
    error = None
    try:
        pending = run.prepare(stream, record)
    except InvalidRecordError as invalid:
        error = invalid
        pending.fingerprint = rejected.rejected_fingerprint
    pending.attempts, pending.first_at = rejected.attempts, rejected.first_at
    pending.replaces = rejected.key
    is_same = pending.fingerprint == rejected.rejected_fingerprint
    if is_same and rejected.attempts >= MOST_ATTEMPTS:
        run.statistics.count("still rejected", rejected.stream)
    elif error:
        run.outcomes.rejected(pending, error.reason, error.detail)
    elif pending.key != rejected.key and store.look_up(pending.key):
        store.put(rejected.key, rejected.stream)  # a newer version has this id already
    else:
        run.submit(pending)
