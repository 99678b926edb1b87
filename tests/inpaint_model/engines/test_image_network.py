"""Small networks in OpenVINO: outputs that stay, and signals after networks were closed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from inpaint_model.artefacts import find_face_aligner
from inpaint_model.engines.image_network import ImageNetwork

# The networks are closed in the order in which they were opened.
_CLOSE_AND_SIGNAL = """
import gc, signal
from inpaint_model.artefacts import find_face_aligner, find_segmenter
from inpaint_model.engines.image_network import ImageNetwork
networks = [ImageNetwork(find_segmenter(), 128), ImageNetwork(find_face_aligner(), 64)]
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
while networks:
    networks.pop(0).close()
    gc.collect()
signal.raise_signal(signal.SIGUSR1)
"""


def test_outputs_stay_when_the_network_runs_again():
    network = ImageNetwork(find_face_aligner(), 64)
    (first,) = network(np.zeros((64, 64, 3), np.float32))
    before = first.copy()
    network(np.full((64, 64, 3), 200, np.float32))
    network.close()
    assert np.array_equal(first, before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGUSR1")
def test_signals_are_handled_after_networks_were_closed():
    command = [sys.executable, "-X", "faulthandler", "-c", _CLOSE_AND_SIGNAL]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "handled\n")
