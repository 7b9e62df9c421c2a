"""What a PDF of ours draws: its texts, and its filled rectangles as an image, so that a reader of barcodes can look."""

from __future__ import annotations

import re
import zlib
from base64 import a85decode

import numpy as np
from numpy.typing import NDArray

_STREAM = re.compile(rb"<<([^>]*/Length \d+[^>]*)>>\s*stream\r?\n(.*?)endstream", re.DOTALL)


def page_streams(pdf: bytes) -> list[str]:
    """Return the drawing commands of each page, in order."""
    found: list[str] = []
    for head, content in _STREAM.findall(pdf):
        if b"/Length1" in head or b"/Subtype" in head:
            continue
        data = content.strip(b"\r\n")
        if b"ASCII85Decode" in head:
            data = a85decode(data, adobe=False) if not data.endswith(b"~>") else a85decode(b"<~" + data, adobe=True)
        if b"FlateDecode" in head:
            data = zlib.decompress(data)
        commands = data.decode("latin-1")
        if " re" in commands or " Tj" in commands or "ET" in commands:
            found.append(commands)
    return found


def filled(pdf: bytes, *, width: float, height: float, scale: float = 6.0) -> NDArray[np.uint8]:
    """Return the first page's filled rectangles as black on white; sizes in points, ``scale`` pixels each."""
    (commands, *_) = page_streams(pdf)
    image = np.full((round(height * scale), round(width * scale)), 255, dtype=np.uint8)
    stack: list[tuple[float, float]] = []
    x0, y0 = 0.0, 0.0
    for line in commands.splitlines():
        # Only moves are drawn with here; a page that turns or scales would be refused by the numbers below.
        for a, b, c, d, x, y in re.findall(r"(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) cm", line):
            assert (float(a), float(b), float(c), float(d)) == (1.0, 0.0, 0.0, 1.0)
            x0, y0 = x0 + float(x), y0 + float(y)
        if line.strip().startswith("q") or line.strip() == "q":
            stack.append((x0, y0))
        if line.strip() == "Q":
            x0, y0 = stack.pop()
        for x, y, w, h, _ in re.findall(r"(-?[\d.]+) (-?[\d.]+) (-?[\d.]+) (-?[\d.]+) re\s*(f|B)", line):
            left, bottom = (x0 + float(x)) * scale, (y0 + float(y)) * scale
            right, top = left + float(w) * scale, bottom + float(h) * scale
            rows = slice(image.shape[0] - round(top), image.shape[0] - round(bottom))
            image[rows, round(left) : round(right)] = 0
    return image


def said_on(pdf: bytes) -> list[str]:
    """Return the texts of each page, in the order in which they were drawn; letters beyond ASCII come out as others."""
    found: list[str] = []
    for commands in page_streams(pdf):
        drawn = re.findall(r"\(((?:[^()\\]|\\.)*)\)\s*Tj", commands)
        found.append(" ".join(re.sub(r"\\([()\\])", r"\1", text) for text in drawn))
    return found
