"""Where live pictures come from: cameras, network streams, and files played at their own pace."""

from realtime.capture.devices import Camera, list_cameras
from realtime.capture.opening import CaptureOptions, open_capture
from realtime.capture.reconnect import Reconnecting
from realtime.capture.shot import Capture, CaptureLost, RateMeter, Shot

__all__ = [
    "Camera",
    "Capture",
    "CaptureLost",
    "CaptureOptions",
    "RateMeter",
    "Reconnecting",
    "Shot",
    "list_cameras",
    "open_capture",
]
