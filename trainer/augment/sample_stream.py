"""An endless stream of numbered samples, drawn ahead by processes of low priority."""

from __future__ import annotations

import itertools
import mmap
import os
import pickle
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Generic, Protocol, TypeVar, cast

import cv2
from torch.utils.data import DataLoader, Dataset

from inpaint_model.errors import UserError
from realtime.runtime.safe_path import safe_path

_READY = 16  # chunks that wait in this process
_MAX_PREFETCH = 4  # chunks that each process draws ahead
_SHARED_MEMORY = Path("/dev/shm")  # where processes hand over tensors on Linux
_ALIGNMENT = 64  # bytes
# Each process has one thread; these variables count only before NumPy is imported.
_ONE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Chunks(Protocol[T_co]):
    """What a stream is drawn from: chunk `n`, a pure function of `n`.

    Attributes:
        chunk_bytes: size of the tensors of a chunk.
    """

    chunk_bytes: int

    def __getitem__(self, n: int) -> T_co:
        """Draw a chunk: a tuple of tensors and of small objects that can be pickled."""
        ...


class SampleStream(Generic[T]):
    """Chunks in their order, from a first one on, without end.

    Args:
        chunks: draws a chunk; its arrays are shared with the processes by a temporary file.
        first: number of the first chunk.
        workers: number of processes, fewer if the shared memory does not hold a chunk of each; 0 draws
            in this one when a chunk is asked for.
        pinned: return tensors in pinned memory, from which a GPU copies without waiting.

    Raises:
        UserError: the shared memory does not hold one chunk.
    """

    def __init__(self, chunks: Chunks[T], first: int, workers: int, *, pinned: bool) -> None:
        self._here = (chunks[n] for n in itertools.count(first))
        self._workers = workers
        if not workers:
            return
        workers, prefetch = _affordable(workers, chunks.chunk_bytes)
        loader = DataLoader(
            _MappedChunks(chunks),
            batch_size=None,
            sampler=itertools.count(first),
            num_workers=workers,
            collate_fn=_unchanged,
            pin_memory=pinned,
            worker_init_fn=_begin_worker,
            multiprocessing_context="spawn",  # a fork would inherit CUDA and its threads
            prefetch_factor=prefetch,
        )
        self._queue: Queue[Any] = Queue(_READY)
        stop = threading.Event()
        with safe_path(), _environment(_ONE_THREAD):
            source = iter(loader)
        thread = threading.Thread(target=_pump, args=(source, self._queue, stop), daemon=True)
        thread.start()
        self._end = weakref.finalize(self, _stop, thread, stop)

    def take(self) -> T:
        """Return the next chunk; wait for it."""
        return self._checked(self._queue.get()) if self._workers else next(self._here)

    def take_ready(self) -> T | None:
        """Return the next chunk if the processes have drawn it, else None."""
        with suppress(Empty):
            return self._checked(self._queue.get_nowait())
        return None

    def close(self) -> None:
        """End the processes."""
        if self._workers:
            self._end()

    @staticmethod
    def _checked(chunk: Any) -> Any:
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk


def default_workers() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _pump(source: Iterator[Any], queue: Queue[Any], stop: threading.Event) -> None:
    """Move chunks from the processes to a queue, which can say that none is ready."""
    while not stop.is_set():
        try:
            chunk = next(source)
        except BaseException as error:
            chunk = error
        while not stop.is_set():
            with suppress(Full):
                queue.put(chunk, timeout=0.1)
                break
        if isinstance(chunk, BaseException):
            return


def _stop(thread: threading.Thread, stop: threading.Event) -> None:
    stop.set()
    thread.join()  # the iterator ends its processes when the thread lets go of it


def _affordable(workers: int, chunk_bytes: int) -> tuple[int, int]:
    """Return how many processes the shared memory bears, and how many chunks each may draw ahead."""
    if not _SHARED_MEMORY.is_dir():
        return workers, _MAX_PREFETCH
    free = shutil.disk_usage(_SHARED_MEMORY).free
    bearable = int(free / (1.2 * chunk_bytes))
    if not bearable:
        raise UserError(
            f"processes that draw samples need {1.2 * chunk_bytes / 2**20:.0f} MiB of shared memory"
            f" each; {_SHARED_MEMORY} has {free / 2**20:.0f} MiB free"
        )
    workers = min(workers, bearable)
    return workers, max(1, min(_MAX_PREFETCH, int(free / (2 * workers * chunk_bytes))))


def _unchanged(chunk: T) -> T:
    return chunk


def _begin_worker(_: int) -> None:
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(10)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for processes that start meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class _MappedChunks(Dataset[Any]):
    """Chunks whose arrays lie in a temporary file, which every process maps into its memory."""

    def __init__(self, chunks: Chunks[Any]) -> None:
        buffers: list[pickle.PickleBuffer] = []
        self._pickled = pickle.dumps(chunks, protocol=5, buffer_callback=buffers.append)
        self._ends: list[tuple[int, int]] = []
        self._file: Any = tempfile.NamedTemporaryFile(prefix="unmask-samples-")  # noqa: SIM115
        for buffer in buffers:
            begin = self._file.tell()
            self._file.write(buffer.raw())
            self._ends.append((begin, self._file.tell()))
            self._file.write(bytes(-self._file.tell() % _ALIGNMENT))
        self._file.write(bytes(_ALIGNMENT))  # an empty file cannot be mapped
        self._file.flush()
        self._path, self._chunks = self._file.name, None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_file": None, "_chunks": None}

    def __getitem__(self, index: int) -> Any:
        if self._chunks is None:
            with Path(self._path).open("rb") as file:
                whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            parts = [whole[begin:end] for begin, end in self._ends]
            self._chunks = cast(Chunks[Any], pickle.loads(self._pickled, buffers=parts))
        return self._chunks[index]
