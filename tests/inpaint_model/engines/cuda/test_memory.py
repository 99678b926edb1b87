"""CUDA calls are made as cuda-python takes them, and a failed one says which it was."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_model.engines.cuda.driver import find_gpu
from inpaint_model.engines.cuda.memory import Cuda, CudaError

runtime = pytest.importorskip("cuda.bindings.runtime")


@pytest.fixture
def without_gpu() -> Cuda:
    """One that was opened, on a machine where no call can succeed: they fail as calls, not as Python."""
    if find_gpu().gpu is not None:
        pytest.skip("there is a GPU here, and these calls would be carried out")
    cuda = Cuda.__new__(Cuda)
    cuda._runtime, cuda.stream = runtime, 16
    cuda._device, cuda._pinned, cuda._graphs = [16], [16], []
    return cuda


def test_cuda_without_a_driver_is_an_error():
    if find_gpu().gpu is not None:
        pytest.skip("there is a GPU here")
    with pytest.raises(CudaError, match=r"^cudaSetDevice: .*driver"):
        Cuda()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda cuda: cuda.device_bytes(64), "cudaMalloc"),
        (lambda cuda: cuda.pinned((4, 16)), "cudaMallocHost"),
        (lambda cuda: cuda.upload(16, np.zeros(8, np.uint8)), "cudaMemcpyAsync"),
        (lambda cuda: cuda.download(np.zeros(8, np.uint8), 16), "cudaMemcpyAsync"),
        (lambda cuda: cuda.capture(lambda: None), "cudaStreamBeginCapture"),
        (lambda cuda: cuda.launch(runtime.cudaGraphExec_t(16)), "cudaGraphLaunch"),
        (lambda cuda: cuda.wait(), "cudaStreamSynchronize"),
        (lambda cuda: cuda.free_bytes(), "cudaMemGetInfo"),
    ],
)
def test_cuda_failed_call_is_named(call, name, without_gpu):
    with pytest.raises(CudaError, match=rf"^{name}: "):
        call(without_gpu)


def test_cuda_close_frees_all(without_gpu):
    without_gpu.close()
    assert (without_gpu._device, without_gpu._pinned, without_gpu._graphs) == ([], [], [])
