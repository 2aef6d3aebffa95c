"""Contents and metadata of the built distributions, and an installation of each."""

from __future__ import annotations

import email
import json
import os
import subprocess
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from .packages import PACKAGES, UV, Package

VERSIONS = ["3.11", "3.12", "3.13", "3.14"]
each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@each_package
def test_wheel_contains_only_the_package_and_its_license(dist: Path, package: Package):
    wheel = package.wheel(dist)
    with zipfile.ZipFile(wheel) as archive:
        files = {Path(name) for name in archive.namelist()}
        license_text = archive.read(next(n for n in archive.namelist() if n.endswith("/LICENSE")))
    source = package.folder / package.module
    modules = {path.relative_to(package.folder) for path in source.rglob("*.py")}

    folders = {package.module, "-".join(wheel.name.split("-")[:2]) + ".dist-info"}
    assert {path.parts[0] for path in files} == folders
    assert modules | {Path(package.module, "py.typed")} <= files
    assert b"Apache License" in license_text


@each_package
def test_source_archive_contains_the_license_as_a_regular_file(dist: Path, package: Package):
    with tarfile.open(package.sdist(dist)) as archive:
        members = {Path(*Path(member.name).parts[1:]): member for member in archive}

    assert members[Path("LICENSE")].isreg()
    assert members[Path("LICENSE")].size > 10_000
    assert {path.parts[0] for path in members if path.parts} <= {
        *(package.module, "LICENSE", "README.md", "PKG-INFO", "pyproject.toml", ".gitignore")
    }


@each_package
def test_metadata_names_license_versions_and_no_package_of_this_repository(
    dist: Path, package: Package
):
    metadata = metadata_of(package.wheel(dist))
    classifiers = metadata.get_all("Classifier") or []
    needed = " ".join(metadata.get_all("Requires-Dist") or [])

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == f">={VERSIONS[0]}"
    assert [c.rpartition(" ")[2] for c in classifiers if " :: 3." in c] == VERSIONS
    assert metadata["Summary"] == package.project["description"]
    assert not any(name in needed for name in ("sandbox", *(p.name for p in PACKAGES)))


@pytest.mark.long
@each_package
def test_installed_wheel_runs_as_command_and_as_module(
    dist: Path, venv: Path, package: Package
) -> None:
    """The tap's command and its distribution have different names."""
    install(venv, package.wheel(dist))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "TARGET_"))}

    def run(*command: str | Path) -> str:
        return subprocess.run(command, env=env, check=True, text=True, capture_output=True).stdout

    about = json.loads(run(venv / "bin" / package.command, "--about", "--format=json"))
    version = package.project["version"]
    assert (about["name"], about["version"]) == (package.command, version)
    assert about["supported_python_versions"] == VERSIONS
    text = f"{package.command} v{version}"
    assert text in run(venv / "bin" / package.command, "--version")
    assert text in run(venv / "bin/python", "-m", package.module, "--version")


def install(venv: Path, *wheels: Path) -> None:
    """Install wheels from the cache of packages, or else from the network."""
    command = [UV, "pip", "install", "-q", "--python", venv / "bin/python"]
    for extra in (["--offline"], []):
        done = subprocess.run(
            [*command, *extra, *wheels], check=False, capture_output=True, text=True
        )
        if not done.returncode:
            return
    pytest.skip(f"packages are not available: {done.stderr[-200:]}")
