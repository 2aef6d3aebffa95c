"""Kubernetes manifests for a list of accounts: an indexed Job, started by a CronJob."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from accounts import Accounts

NAME = "wootric-accounts"
FOLDER, FILE = "/etc/wootric", "accounts.yaml"
RESOURCES = {"requests": {"memory": "384Mi", "cpu": "300m"}, "limits": {"memory": "768Mi"}}


def manifests(accounts: Accounts, content: str, image: str, schedule: str) -> list[dict[str, Any]]:
    """Return a ConfigMap with the list, and a CronJob.

    The pod with index 0 runs the first account; at most `slots` pods run at the same time.

    Args:
        accounts: The checked list.
        content: The text of the list.
        image: Image of the Dockerfile in this folder.
        schedule: When to run, in the form of cron.
    """
    digest = blake2b(content.encode(), digest_size=5).hexdigest()
    listed = (
        f"{NAME}-{digest}"  # a running Job keeps its list, so that no index changes its account
    )
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": listed},
            "immutable": True,
            "data": {FILE: content},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": NAME},
            "spec": {
                "schedule": schedule,
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "jobTemplate": {"spec": _job(accounts, listed, image)},
            },
        },
    ]


def _job(accounts: Accounts, listed: str, image: str) -> dict[str, Any]:
    return {
        "completionMode": "Indexed",
        "completions": len(accounts.all),
        "parallelism": accounts.slots,
        "backoffLimitPerIndex": 2,  # one failing account does not end the Job
        "activeDeadlineSeconds": 43_200,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 60,
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
                "containers": [_container(image)],
                "volumes": [{"name": "accounts", "configMap": {"name": listed}}],
            }
        },
    }


def _container(image: str) -> dict[str, Any]:
    return {
        "name": "sync",
        "image": image,
        "args": ["run", f"{FOLDER}/{FILE}", "$(JOB_COMPLETION_INDEX)"],
        "envFrom": [{"secretRef": {"name": NAME}}],
        "resources": RESOURCES,
        "volumeMounts": [{"name": "accounts", "mountPath": FOLDER}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
