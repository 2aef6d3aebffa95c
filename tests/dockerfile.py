"""Run the steps of a Dockerfile in a folder, without a container engine."""

import os
import re
import shutil
import sys
from pathlib import Path

from commands import ROOT, Done, run

PLACES = re.compile(r"(?<![\w.-])/(build|opt|data|usr/local/bin)\b")
UV = ROOT / ".tools/bin"


class Image:
    """An image whose root is a folder. COPY and RUN write below it; base images are ignored."""

    def __init__(self, dockerfile: Path, root: Path) -> None:
        self.root, self.workdir = root, root
        self.user, self.command, self.environment = "", "", {"PATH": f"{UV}:/usr/bin:/bin"}
        for instruction in re.findall(r"^[A-Z]+ .*$", dockerfile.read_text(), re.MULTILINE):
            name, _, arguments = instruction.partition(" ")
            getattr(self, f"_{name.lower()}")(self._below_root(arguments))

    def run(self, script: str, **variables: str) -> Done:
        """Run a script as the image would, with these variables and no others."""
        return run("bash", "-c", script, cwd=self.workdir, env=self.environment | variables)

    def _below_root(self, arguments: str) -> str:
        owner = f"-o {os.getuid()} -g {os.getgid()}"
        return PLACES.sub(rf"{self.root}/\1", arguments.replace("-o 1000 -g 1000", owner))

    def _from(self, _arguments: str) -> None:
        self.environment = {"PATH": self.environment["PATH"]}

    def _workdir(self, arguments: str) -> None:
        self.workdir = Path(arguments)
        self.workdir.mkdir(exist_ok=True)

    def _copy(self, arguments: str) -> None:
        *sources, destination = arguments.split()
        if sources[0] == "--from=build":  # all stages share the folder
            return
        for source in sources:
            target = self.workdir / destination
            if destination.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
                target /= Path(source).name
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, target)

    def _env(self, arguments: str) -> None:
        self.environment |= dict(pair.split("=", 1) for pair in arguments.split())

    def _run(self, arguments: str) -> None:
        if not arguments.startswith("pip install"):  # uv is installed
            network = {name: os.environ[name] for name in os.environ if name != "PATH"}
            done = self.run(arguments, **network | self.environment | {"UV_PYTHON": sys.executable})
            assert done.returncode == 0, done.stderr

    def _user(self, arguments: str) -> None:
        self.user = arguments

    def _cmd(self, arguments: str) -> None:
        self.command = " ".join(re.findall(r'"([^"]*)"', arguments))

    _entrypoint = _cmd
