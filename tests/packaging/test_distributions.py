"""What is built is what was tested: contents, metadata and a bare install of both packages."""

from __future__ import annotations

import email
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"tap-wootric": ROOT, "target-birdie": ROOT / "target-birdie"}
PROJECTS = {
    name: tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    for name, folder in PACKAGES.items()
}
UV = Path(sys.executable).with_name("uv")

pytestmark = pytest.mark.skipif(not UV.exists(), reason="uv is not installed beside Python")


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both wheels and both source archives, built without the network."""
    out = tmp_path_factory.mktemp("dist")
    for name in PACKAGES:
        command = [UV, "build", "--offline", "--no-build-isolation", "--package", name]
        subprocess.run([*command, "--out-dir", out], cwd=ROOT, check=True, capture_output=True)
    return out


def wheel_of(dist: Path, name: str) -> Path:
    return next(dist.glob(f"{name.replace('-', '_')}-*.whl"))


def sdist_of(dist: Path, name: str) -> Path:
    return next(dist.glob(f"{name.replace('-', '_')}-*.tar.gz"))


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.mark.parametrize("name", PACKAGES)
def test_the_wheel_holds_the_package_its_licence_and_nothing_else(dist: Path, name: str) -> None:
    """No tests, no sandbox, no settings of this checkout travel with it."""
    module = name.replace("-", "_")
    with zipfile.ZipFile(wheel_of(dist, name)) as archive:
        files = archive.namelist()
        licence = next(f for f in files if f.endswith("/licenses/LICENSE"))
        text = archive.read(licence).decode()

    sources = {f"{module}/{p.name}" for p in (PACKAGES[name] / module).glob("*.py")}
    assert {f.split("/")[0] for f in files} == {
        module,
        f"{module}-{PROJECTS[name]['version']}.dist-info",
    }
    assert sources <= set(files)
    assert f"{module}/py.typed" in files
    assert "Apache License" in text


@pytest.mark.parametrize("name", PACKAGES)
def test_the_source_archive_holds_the_licence_itself(dist: Path, name: str) -> None:
    """A link to the licence would dangle outside the repository."""
    with tarfile.open(sdist_of(dist, name)) as archive:
        members = {Path(m.name).relative_to(Path(m.name).parts[0]): m for m in archive}
        licence = members[Path("LICENSE")]
        top = {path.parts[0] for path in members if path.parts}

        assert licence.isreg()
        assert licence.size > 10_000
    assert top <= {
        name.replace("-", "_"),
        "LICENSE",
        "README.md",
        "PKG-INFO",
        "pyproject.toml",
        ".gitignore",
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_metadata_tells_licence_python_and_how_to_use_it(dist: Path, name: str) -> None:
    """What an index shows is complete, and the classifiers agree with `requires-python`."""
    project = PROJECTS[name]
    metadata = metadata_of(wheel_of(dist, name))
    classifiers = metadata.get_all("Classifier") or []
    versions = [c.rpartition(" ")[2] for c in classifiers if " :: 3." in c]

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == f">={versions[0]}"
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
    assert metadata["Summary"] == project["description"]
    assert "## Settings" in metadata.get_payload()


def test_neither_package_depends_on_the_other_nor_on_the_sandbox(dist: Path) -> None:
    """The tap and the target are useful alone."""
    for name in PACKAGES:
        needs = " ".join(metadata_of(wheel_of(dist, name)).get_all("Requires-Dist") or [])
        assert "sandbox" not in needs
        assert not any(other in needs for other in PACKAGES if other != name)


@pytest.mark.long
@pytest.mark.parametrize("name", PACKAGES)
def test_a_bare_install_without_development_packages_works(
    dist: Path, name: str, tmp_path: Path
) -> None:
    """The wheel alone, in an empty environment, answers --about and --version."""
    venv = tmp_path / "venv"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, venv], check=True)
    install = [UV, "pip", "install", "-q", "--python", venv / "bin" / "python"]
    wheel = wheel_of(dist, name)
    if subprocess.run([*install, "--offline", wheel], capture_output=True, check=False).returncode:
        done = subprocess.run([*install, wheel], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"packages are neither cached nor to be had: {done.stderr[-200:]}")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "TARGET_"))}
    command = [venv / "bin" / name, "--about", "--format=json"]

    about = subprocess.run(command, capture_output=True, text=True, env=env, check=True)

    told = json.loads(about.stdout)
    assert told["name"] == name
    assert told["version"] == PROJECTS[name]["version"]
    assert told["supported_python_versions"] == ["3.11", "3.12", "3.13", "3.14"]
