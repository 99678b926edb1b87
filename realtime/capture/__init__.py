"""Live sources: cameras, network streams, and files played in real time."""

from realtime.capture.devices import Camera, list_cameras
from realtime.capture.frame import Capture, CapturedFrame, CaptureLost, RateMeter
from realtime.capture.opening import CaptureOptions, open_capture
from realtime.capture.reconnecting import Reconnecting

__all__ = [
    "Camera",
    "Capture",
    "CaptureLost",
    "CaptureOptions",
    "CapturedFrame",
    "RateMeter",
    "Reconnecting",
    "list_cameras",
    "open_capture",
]
