"""Files in a bucket: the installed command, and a server on this machine that speaks S3."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
import requests

from .messages import Message, lines_of, record, row, schema, stream_of

pytestmark = pytest.mark.long
BIN = Path(__file__).parents[2] / ".cache/target/bin"
READ = "import fsspec, sys; sys.stdout.buffer.write(fsspec.open(sys.argv[1]).open().read())"
Command = Callable[..., subprocess.CompletedProcess[str]]


class Bucket:
    """The server, with one empty bucket."""

    def __init__(self, address: str, environment: dict[str, str]) -> None:
        self.address = address
        self._environment = environment
        requests.post(f"{address}/moto-api/reset", timeout=10)
        requests.put(f"{address}/bucket", timeout=10)

    def keys(self, bucket: str = "bucket") -> list[str]:
        """The names of all objects."""
        listing = requests.get(f"{self.address}/{bucket}?list-type=2", timeout=10)
        return re.findall("<Key>(.*?)</Key>", listing.text)

    def read(self, key: str) -> bytes:
        """An object's content, as somebody with credentials sees it."""
        command = [BIN / "python", "-c", READ, f"s3://bucket/{key}"]
        return subprocess.check_output(command, env=self._environment)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start the server on a free port."""
    if not (BIN / "moto_server").exists():
        pytest.skip("no bucket is installed: use make test")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def environment(server: str) -> dict[str, str]:
    """How a person names the server and the credentials."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return own | {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def bucket(server: str, environment: dict[str, str]) -> Bucket:
    """One empty bucket."""
    return Bucket(server, environment)


def write_config(folder: Path, **changes: Any) -> Path:
    """A config file for a run that writes to the bucket."""
    config = {
        "destination": "parquet",
        "output_path": "s3://bucket/in",
        "store_url": f"sqlite:///{folder}/birdie.db",
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config | changes))
    return path


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Command:
    """Run the command that is installed with the extras."""

    def start(
        messages: list[Message], changed: dict[str, str] | None = None, **changes: Any
    ) -> subprocess.CompletedProcess[str]:
        command = [BIN / "target-birdie", "--config", write_config(tmp_path, **changes)]
        return subprocess.run(
            command,
            input=lines_of(messages),
            env=environment | (changed or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def test_parquet_in_a_bucket_is_read_back(bucket: Bucket, run: Command) -> None:
    """An object a kind with every record, nothing besides, and then the state."""
    messages = [*stream_of([record(n) for n in range(1, 301)], every=300)]
    done = run([schema("end_users"), row({"id": 1}, "end_users"), *messages])
    feedback, user = bucket.keys()
    rows = pq.read_table(io.BytesIO(bucket.read(feedback))).to_pylist()

    assert (done.returncode, done.stdout) == (0, '{"read":300}\n')
    assert {found["feedback_id"] for found in rows} == {str(n) for n in range(1, 301)}
    assert feedback.startswith("in/feedback-nps/")
    assert user.startswith("in/user/")


def test_json_lines_in_a_bucket(bucket: Bucket, run: Command) -> None:
    """The bucket itself will do as a place."""
    done = run(stream_of([record(1)]), destination="jsonl", output_path="s3://bucket/")
    (key,) = bucket.keys()

    assert (done.returncode, json.loads(bucket.read(key))["feedback_id"]) == (0, "1")


def test_a_bucket_that_is_missing_is_told_and_not_made(bucket: Bucket, run: Command) -> None:
    """A misspelled name must not look like a delivery."""
    done = run(stream_of([record(1)]), output_path="s3://bukcet/in")

    assert (done.returncode, done.stdout, bucket.keys("bukcet")) == (1, "", [])
    assert done.stderr.splitlines()[-1].startswith("Error: Writing to output_path failed (FileNot")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "NoCredentialsError"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "EndpointConnectionError"),
    ],
)
def test_a_store_that_refuses_is_one_line(
    changed: dict[str, str], reason: str, bucket: Bucket, run: Command
) -> None:
    """No credentials, or nobody there: no object, no state, no stack trace."""
    done = run(stream_of([record(1)]), changed | {"AWS_MAX_ATTEMPTS": "1"})

    assert (done.returncode, done.stdout, bucket.keys()) == (1, "", [])
    assert f"Error: Writing to output_path failed ({reason})" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_object(
    number: signal.Signals, bucket: Bucket, environment: dict[str, str], tmp_path: Path
) -> None:
    """Whole or not at all: what was read before is not half a file, and no state covers it."""
    with subprocess.Popen(
        [BIN / "target-birdie", "--config", write_config(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(lines_of([*stream_of([record(1)]), schema("declines")]))
        process.stdin.flush()
        while "Skipping stream 'declines'" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        process.wait(20)

        assert (process.stdout.read(), bucket.keys()) == ("", [])
