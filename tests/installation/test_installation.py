"""The built distributions, and their plugin definitions in an empty Meltano project."""

import email
import json
import shlex
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest
from commands import BIN, ROOT, block, environment, run, succeeded
from connector_sandbox import Sandbox

FOLDERS = {"wootric-tap": ROOT, "target-birdie": ROOT / "target-birdie"}
COMMANDS = {"wootric-tap": "tap-wootric", "target-birdie": "target-birdie"}
"""On PyPI, `tap-wootric` is another project's name."""
VERSIONS = ["3.11", "3.12", "3.13", "3.14"]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels and both source archives, built without the network."""
    if not (BIN / "uv").exists():
        pytest.skip("uv is not installed beside Python")
    out = tmp_path_factory.mktemp("dist")
    for name in FOLDERS:
        command = [BIN / "uv", "build", "--offline", "--no-build-isolation", "--package", name]
        subprocess.run([*command, "--out-dir", out], cwd=ROOT, check=True, capture_output=True)
    return out


def archive(dist: Path, name: str, suffix: str) -> Path:
    (path,) = dist.glob(f"{name.replace('-', '_')}-*{suffix}")
    return path


@pytest.mark.parametrize("name", FOLDERS)
def test_a_distribution_contains_only_its_package_license_and_metadata(dist: Path, name: str):
    module = COMMANDS[name].replace("-", "_")
    with tarfile.open(archive(dist, name, ".tar.gz")) as source:
        members = {PurePath(*PurePath(member.name).parts[1:]): member for member in source}
    with zipfile.ZipFile(archive(dist, name, ".whl")) as wheel:
        files = {PurePath(path): path for path in wheel.namelist()}
        (info,) = {path.parts[0] for path in files} - {module}
        metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
        license_text = wheel.read(files[PurePath(info, "licenses/LICENSE")])
    project = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text())["project"]
    modules = {path.relative_to(FOLDERS[name]) for path in (FOLDERS[name] / module).rglob("*.py")}
    others = {module, "LICENSE", "README.md", "PKG-INFO", "pyproject.toml", ".gitignore"}

    assert {path.parts[0] for path in members if path.parts} <= others
    assert (members[PurePath("LICENSE")].isreg(), b"Apache" in license_text) == (True, True)
    assert modules | {PurePath(module, "py.typed")} <= files.keys()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Summary"] == project["description"]
    assert metadata["Requires-Python"] == f">={VERSIONS[0]}"
    classifiers = [text.rpartition(" ")[2] for text in metadata.get_all("Classifier")]
    assert [text for text in classifiers if text.startswith("3.")] == VERSIONS
    assert not any(own in str(metadata.get_all("Requires-Dist")) for own in (*FOLDERS, "sandbox"))


@pytest.mark.long
@pytest.mark.skipif(not (BIN / "meltano").exists(), reason="Meltano is not installed")
def test_plugins_added_from_the_definitions_sync_the_selected_streams(
    dist: Path, make_sandbox: Callable[..., Sandbox], tmp_path: Path
):
    """With the commands of the README and the built wheels; `--version` and `python -m` work."""
    sandbox = make_sandbox(responses=20)
    addresses = {"TAP_WOOTRIC_API_URL": sandbox.wootric_url}
    env = environment(addresses | {"TARGET_BIRDIE_API_URL": sandbox.birdie_url})
    project = tmp_path / "project"

    succeeded(run("meltano", "init", "project", "--no-usage-stats", cwd=tmp_path, env=env))
    for name, command in COMMANDS.items():
        definition = (ROOT / f"docs/hub/{command}.yml").read_text()
        local = definition.replace(
            f"pip_url: {name}\n", f"pip_url: {archive(dist, name, '.whl')}\n"
        )
        assert local != definition
        (project / f"{command}.yml").write_text(local)
    for line in block("README.md", "--from-ref").splitlines():
        succeeded(run(*shlex.split(line), cwd=project, env=env))

    paths = {request.path.rpartition("/")[2] for request in sandbox.requests}
    assert sandbox.birdie.count("feedbacks") == len(sandbox.store.responses())
    assert sandbox.birdie.count("users") == len(sandbox.store.end_users())
    assert not paths & {"declines", "segments"}
    assert "sandbox-client-secret" not in (project / "meltano.yml").read_text()
    for place in ("extractors/tap-wootric", "loaders/target-birdie"):
        python = project / f".meltano/{place}/venv/bin/python"
        command = place.rpartition("/")[2]
        about = (python, "-m", command.replace("-", "_"), "--about", "--format=json")
        shown = json.loads(succeeded(run(*about, env=env)))
        version = succeeded(run(python.with_name(command), "--version", env=env))
        assert version.startswith(f"{command} v{shown['version']},")
        assert shown["supported_python_versions"] == VERSIONS
