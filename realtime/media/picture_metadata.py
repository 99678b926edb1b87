"""What a picture file says beside its pixels: EXIF, XMP, colour profile, resolution, text."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from realtime.media.atomic_file import SYNTHETIC_NOTE

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION, _DESCRIPTION, _EXIF_IFD = 0x0112, 0x010E, 0x8769  # EXIF tags
_IFDS = {_EXIF_IFD, 0x8825}  # tags that hold further tags: of the camera, of the place
_MALFORMED = "malformed EXIF tags are left out"
_MOST_DPI = 1e6
_WIDTH, _HEIGHT = 0xA002, 0xA003  # of the picture, in the EXIF IFD
# TIFF tags that describe how the pixels are stored, or hold what is kept elsewhere
_STRUCTURE = {*range(0x00FE, 0x010B), 0x0111, *range(0x0115, 0x0119), 0x011C, 0x013D, 0x0140}
_STRUCTURE |= {*range(0x0142, 0x0146), 0x014A, *range(0x0152, 0x0157), 0x015B, 0x0201, 0x0202}
_STRUCTURE |= {0x0211, 0x0212, 0x0213, 0x0214, 0x02BC, 0x83BB, 0x8649, 0x8773}
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{}</rdf:RDF>',
    '<rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
    "</rdf:Description>",
)
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">{}</x:xmpmeta><?xpacket end="w"?>'
)
_OLD_SOURCE_TYPE = re.compile(
    r"""\s[\w-]+:DigitalSourceType\s*=\s*(?:"[^"]*"|'[^']*')"""
    r"""|<([\w-]+):DigitalSourceType\b[^>]*?(?:/>|>.*?</\1:DigitalSourceType>)""",
    re.DOTALL,
)
_XMP_ORIENTATION = re.compile(r"""(tiff:Orientation\s*(?:=\s*["']|>)\s*)[1-8]""")


@dataclass(frozen=True)
class PictureMetadata:
    """What a picture file says beside its pixels.

    Attributes:
        icc: its colour profile, or nothing.
        exif: its EXIF tags as Pillow read them.
        xmp: its XMP packet, or nothing.
        dpi: pixels an inch, across and down; None: not stated.
        jpeg_segments: other segments of a JPEG file, with their markers.
        png_chunks: other chunks of a PNG file: type and data.
    """

    icc: bytes = b""
    exif: Image.Exif | None = None
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    jpeg_segments: bytes = b""
    png_chunks: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def orientation(self) -> object:
        """The EXIF orientation; 1: upright."""
        return self.exif.get(_ORIENTATION, 1) if self.exif is not None else 1

    def exif_bytes(self, turned_size: tuple[int, int] | None, *, synthetic: bool) -> bytes:
        """Return the EXIF block of the result, in TIFF format; empty if there is nothing to say.

        Args:
            turned_size: width and height, pixels, of pixels that were turned upright; None: they are as
                stored.
            synthetic: add the note on synthetic faces to the description.
        """
        from PIL import Image

        exif = Image.Exif()
        if self.exif is not None and len(self.exif):
            with suppress(
                struct.error, ValueError, TypeError, KeyError, OverflowError, SyntaxError
            ):
                exif.load(self.exif.tobytes())  # malformed tags are left out
        for tag in _STRUCTURE & set(exif):
            del exif[tag]
        if turned_size is not None:
            exif.pop(_ORIENTATION, None)
            details = exif.get_ifd(_EXIF_IFD) if _EXIF_IFD in exif else {}
            if _WIDTH in details and _HEIGHT in details:
                details[_WIDTH], details[_HEIGHT] = turned_size
        before = str(exif.get(_DESCRIPTION) or "")
        if synthetic and SYNTHETIC_NOTE not in before:
            exif[_DESCRIPTION] = "; ".join(filter(None, [SYNTHETIC_NOTE, before]))
        return exif.tobytes().removeprefix(b"Exif\0\0") if len(exif) else b""

    def xmp_bytes(self, *, turned: bool, synthetic: bool) -> bytes:
        """Return the XMP packet of the result; empty if there is nothing to say.

        Args:
            turned: the pixels were turned upright.
            synthetic: state the IPTC's digital source type of a composite with synthetic parts.
        """
        try:
            text = self.xmp.decode("utf-8").rstrip("\0")
        except UnicodeDecodeError:
            return self.xmp
        if turned:
            text = _XMP_ORIENTATION.sub(r"\g<1>1", text)
        if not synthetic:
            return text.encode("utf-8")
        text = _OLD_SOURCE_TYPE.sub("", text)
        for end, addition in (("</rdf:RDF>", _RDF[1]), ("</x:xmpmeta>", _RDF[0].format(_RDF[1]))):
            before, found, after = text.rpartition(end)
            if found:
                return (before + addition + end + after).encode("utf-8")
        return _PACKET.format(_RDF[0].format(_RDF[1])).encode("utf-8")


def read_metadata(picture: Image.Image) -> tuple[PictureMetadata, tuple[str, ...]]:
    """Return the metadata of a picture that Pillow has loaded, except what only its own format knows.

    Returns:
        The metadata, and a note where some of it is malformed and left out.
    """
    exif, notes = _well_formed(picture)
    info = picture.info
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    icc = info.get("icc_profile") or b""
    metadata = PictureMetadata(
        icc=icc if isinstance(icc, bytes) else b"",
        exif=exif,
        xmp=xmp.encode("utf-8", "replace") if isinstance(xmp, str) else _bytes(xmp),
        dpi=_dpi(info.get("dpi")),
    )
    return metadata, notes


def _well_formed(picture: Image.Image) -> tuple[Image.Exif | None, tuple[str, ...]]:
    """Return the EXIF tags that can be written again, and a note if there are others."""
    from PIL import Image

    try:
        exif = picture.getexif()
    except Exception:  # Pillow's reader raises errors of every kind on malformed tags
        return None, (_MALFORMED,)
    try:
        exif.tobytes()
    except Exception:  # and so does its writer
        kept = Image.Exif()
        for tag in exif:
            with suppress(Exception):
                one = Image.Exif()
                one[tag] = exif.get_ifd(tag) if tag in _IFDS else exif[tag]
                one.tobytes()
                kept[tag] = one[tag]
        return kept, (_MALFORMED,)
    return exif, ()


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""


def _dpi(stated: object) -> tuple[float, float] | None:
    """Return pixels an inch, across and down; None where they are not stated, or cannot be."""
    try:
        across, down = (float(value) for value in stated)  # pyright: ignore[reportGeneralTypeIssues]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return (across, down) if all(1 < value < _MOST_DPI for value in (across, down)) else None
