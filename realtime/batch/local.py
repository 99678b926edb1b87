"""Runs a batch in worker processes on this machine; a crash fails only the file being processed."""

from __future__ import annotations

import multiprocessing
import queue
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from realtime.batch.jobs import Job, Outcome
from realtime.batch.worker import FileWorker, WorkerOptions
from realtime.runtime.console import quiet_libraries
from realtime.runtime.memory import limit_heaps
from realtime.runtime.safe_path import safe_path
from realtime.runtime.signals import end_with_parent, stop_on_signals


def run_local(jobs: Sequence[Job], options: WorkerOptions, workers: int) -> Iterator[Outcome]:
    """Yield outcomes as jobs finish, in any order.

    Args:
        jobs: the files.
        options: of all jobs.
        workers: the number of processes.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    finished: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_serve, args=(waiting, finished, options, stop), daemon=True)
        for _ in range(min(workers, len(jobs)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            outcome = finished.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _serve(
    waiting: queue.SimpleQueue[Job],
    finished: queue.SimpleQueue[Outcome | BaseException],
    options: WorkerOptions,
    stop: threading.Event,
) -> None:
    """Send jobs to a worker process; start another one if it dies."""
    process: _Process | None = None
    try:
        while not stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                break
            process = process or _Process(options)
            outcome = process.run(job, stop)
            if outcome is None:
                code = process.close()
                process = None
                if stop.is_set():
                    break
                what = f"signal {-code}" if code and code < 0 else f"exit code {code}"
                outcome = Outcome(job.source, job.target, "failed", f"the worker died ({what})")
            finished.put(outcome)
    except BaseException as error:
        finished.put(error)
    finally:
        if process is not None:
            process.close()


class _Process:
    """A worker process and the pipe to it."""

    def __init__(self, options: WorkerOptions) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, child_end = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_work, args=(child_end, options), daemon=True
        )
        with _start_safely():
            self._process.start()
        child_end.close()

    def run(self, job: Job, stop: threading.Event) -> Outcome | None:
        """Return the outcome; None if the process died or `stop` is set."""
        try:
            self._pipe.send(job)
            while not self._pipe.poll(0.2):
                if stop.is_set():
                    return None
            return self._pipe.recv()
        except (EOFError, OSError):
            return None

    def close(self) -> int | None:
        """End the process, which removes its incomplete files, and return its exit code."""
        self._pipe.close()
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._process.exitcode


@contextmanager
def _start_safely() -> Iterator[None]:
    """Start a process that runs no module of the working directory, and that Ctrl-C does not reach."""
    with safe_path():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        resource_tracker.ensure_running()  # before: it changes the mask
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, options: WorkerOptions) -> None:
    """Run in the worker process: receive jobs and send outcomes until the pipe closes."""

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    stop_on_signals()
    end_with_parent()
    limit_heaps()
    with quiet_libraries():
        worker = FileWorker(options)
        try:
            while True:
                pipe.send(worker.run(pipe.recv()))
        except (EOFError, OSError, KeyboardInterrupt):
            return
        finally:
            worker.close()
