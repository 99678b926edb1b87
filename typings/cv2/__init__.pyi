# OpenCV's own stubs type every picture as one of many element types, so that no function keeps the
# uint8 its argument had. Here cv2 is untyped; our own signatures say shapes and types.
from typing import Any

def __getattr__(name: str) -> Any: ...
