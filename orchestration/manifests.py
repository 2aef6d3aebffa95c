"""Kubernetes manifests for a list of accounts: a CronJob that starts an indexed Job."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import yaml
from accounts import HERE, Accounts


def manifests(accounts: Accounts, listed: Path, image: str, schedule: str) -> str:
    """Return a ConfigMap with the list, and a CronJob, as YAML.

    Args:
        accounts: The checked list.
        listed: Its file.
        image: Image of the Dockerfile in this folder.
        schedule: When to run, in the form of cron.
    """
    config, cron_job = yaml.safe_load_all((HERE / "manifests.yaml").read_text())
    content = listed.read_text("utf-8")
    config["data"]["accounts.yaml"] = content
    config["metadata"]["name"] += f"-{blake2b(content.encode(), digest_size=5).hexdigest()}"
    cron_job["spec"]["schedule"] = schedule
    job = cron_job["spec"]["jobTemplate"]["spec"]
    job |= {"completions": len(accounts.all), "parallelism": accounts.slots}
    pod = job["template"]["spec"]
    pod["containers"][0]["image"] = image
    pod["volumes"][0]["configMap"] = {"name": config["metadata"]["name"]}
    text: str = yaml.safe_dump_all([config, cron_job], sort_keys=False)
    return text
