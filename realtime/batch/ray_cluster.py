"""Runs a batch on a Ray cluster with shared folders; the file of a worker that dies is retried."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inpaint_model.errors import UserError
from inpaint_model.installation import for_this_python, requirement
from realtime.batch.jobs import Job, Outcome
from realtime.batch.worker import FileWorker, WorkerOptions
from realtime.runtime.safe_path import safe_path

_RETRIES = 2
_CODE = Path(__file__).parents[2]  # the folder of the packages


class RayFileWorker(FileWorker):
    """A worker in the folder of the command, from which the files' paths are counted."""

    def __init__(self, options: WorkerOptions, folder: Path) -> None:
        super().__init__(options)
        with contextlib.suppress(OSError):  # another machine may not have it
            os.chdir(folder)


def run_on_ray(
    jobs: Sequence[Job], options: WorkerOptions, address: str, workers: int | None
) -> Iterator[Outcome]:
    """Yield outcomes as jobs finish, in any order.

    Args:
        jobs: the files; their paths are the same on every machine.
        options: of all jobs.
        address: the cluster: "auto", "host:port" or "ray://host:port"; "local" starts one here.
        workers: the number of actors, one CPU each; None: one a CPU of the cluster.

    Raises:
        UserError: Ray is not installed, or the cluster cannot be reached.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        mend = for_this_python(f"pip install {requirement('ray')}")
        raise UserError(f"--ray: Ray is not installed: {mend}") from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
    folder = Path.cwd()
    try:
        with (
            safe_path(),
            contextlib.chdir(_CODE),
        ):  # Ray's workers import from the folder in which it starts
            ray.init(
                None if address == "local" else address,
                log_to_driver=False,
                logging_level="error",
                include_dashboard=False if address == "local" else None,
                num_cpus=workers if address == "local" else None,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"--ray: {address} cannot be reached ({reason})") from None
    try:
        count = workers or max(int(ray.cluster_resources().get("CPU", 1)), 1)
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=_RETRIES)(RayFileWorker)
        free = [actor.remote(options, folder) for _ in range(min(count, len(jobs)))]
        waiting, running = list(reversed(jobs)), {}
        while waiting or running:
            while waiting and free:
                worker, job = free.pop(), waiting.pop()
                running[worker.run.remote(job)] = worker, job
            (ready,), _ = ray.wait(list(running))
            worker, job = running.pop(ready)
            try:
                yield ray.get(ready)
            except ray.exceptions.RayError as error:
                text = str(error).splitlines()[0]
                yield Outcome(job.source, job.target, "failed", f"the worker died: {text}")
            free.append(worker)
    finally:
        ray.shutdown()
