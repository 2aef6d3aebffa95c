"""Files in a bucket: the command with its extras, and a server on this machine that speaks S3."""

import io
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
import requests

from .messages import sync
from .running import Pipe, Target, wait_for

pytestmark = pytest.mark.long
BIN = Path(__file__).parents[2] / ".cache/target/bin"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "me",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start the server, with one bucket."""
    if not (BIN / "moto_server").exists():
        pytest.skip("no bucket is installed: use make test")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 60)
        requests.put(f"http://127.0.0.1:{port}/bucket", timeout=10)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def write(server: str, target: Target, path: str = "s3://bucket/in", **changes: str) -> Pipe:
    """Write 300 records as Parquet, with variables of the environment changed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = own | CREDENTIALS | {"AWS_ENDPOINT_URL": server} | changes
    config = target.write_config(destination="parquet", output_path=path)
    pipe = Pipe(config, command=str(BIN / "target-birdie"), env=environment)
    pipe.feed(sync(*range(1, 301)))
    return pipe


def keys(server: str, bucket: str = "bucket") -> list[str]:
    """The names of all objects."""
    return re.findall("<Key>(.*?)</Key>", requests.get(f"{server}/{bucket}", timeout=10).text)


@pytest.mark.parametrize(
    ("path", "changes", "reason"),
    [
        ("s3://bukcet/in", {}, "FileNotFoundError"),
        ("s3://bucket/in", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "NoCredentials"),
        ("s3://bucket/in", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "EndpointConnectionError"),
    ],
    ids=["missing bucket", "no credentials", "no server"],
)
def test_a_bucket_that_cannot_be_written_is_one_line(
    path: str, changes: dict[str, str], reason: str, server: str, target: Target
) -> None:
    """No object, no state, no stack trace; a bucket with a misspelled name is not created."""
    pipe = write(server, target, path, **changes)

    assert (pipe.finish(), pipe.states) == (1, [])
    assert (keys(server), keys(server, "bukcet")) == ([], [])
    assert pipe.log.splitlines()[-1].startswith(f"Error: Writing to output_path failed ({reason}")


def test_parquet_in_a_bucket_holds_every_record(server: str, target: Target) -> None:
    pipe = write(server, target)
    assert (pipe.finish(), pipe.states) == (0, [{"read": 300}])
    (key,) = keys(server)
    signed = {"Authorization": "the server reads no signature"}
    reply = requests.get(f"{server}/bucket/{key}", headers=signed, timeout=10)

    assert key.startswith("in/feedback-nps/")
    found = pq.read_table(io.BytesIO(reply.content))["feedback_id"].to_pylist()
    assert sorted(found, key=int) == [str(number) for number in range(1, 301)]
