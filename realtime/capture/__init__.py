"""Live sources: cameras, network streams, and files played in real time."""

from realtime.capture.camera_switch import CameraSwitch
from realtime.capture.devices import Camera, list_cameras
from realtime.capture.frame import Capture, CapturedFrame, CaptureLost, RateMeter
from realtime.capture.opening import CaptureOptions, check_source, names_camera, open_capture
from realtime.capture.reconnecting import Reconnecting

__all__ = [
    "Camera",
    "CameraSwitch",
    "Capture",
    "CaptureLost",
    "CaptureOptions",
    "CapturedFrame",
    "RateMeter",
    "Reconnecting",
    "check_source",
    "list_cameras",
    "names_camera",
    "open_capture",
]
