"""A notebook's outputs, capped while they arrive: text, and images re-encoded as PNG."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

_CELL_TEXT = 128 * 1024  # characters of one cell
_CELL_OUTPUTS = 200
_CELL_IMAGES = 12
_ALL_TEXT = 4 * 2**20
_ALL_IMAGES = 60
_LONGEST_SIDE = 1000  # pixels
_IMAGE_BYTES = 32 * 2**20  # of one output image, before it is decoded
_MOST_PIXELS = 64 * 10**6


class Budget:
    """How much a notebook's outputs may still hold; `said` is why something was left out."""

    def __init__(self) -> None:
        self.said: dict[str, None] = {}
        self._text_left, self._images_left = _ALL_TEXT, _ALL_IMAGES
        self.next_cell()

    def next_cell(self) -> None:
        self._cell_text, self._cell_outputs, self._cell_images = _CELL_TEXT, _CELL_OUTPUTS, _CELL_IMAGES

    def take(self, message: str, content: dict[str, Any]) -> dict[str, Any] | None:
        """The output to keep for a kernel's message, or None. `message` is the message's type."""
        if self._cell_outputs <= 0:
            self.said["a cell has too many outputs"] = None
            return None
        self._cell_outputs -= 1
        if message == "stream":
            text = self._text(str(content.get("text", "")))
            name = "stderr" if content.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": text} if text else None
        if message == "error":
            lines = self._text("\n".join(map(str, content.get("traceback", []))))
            return {
                "output_type": "error",
                "ename": str(content.get("ename", ""))[:200],
                "evalue": self._text(str(content.get("evalue", "")))[:4000],
                "traceback": lines.split("\n"),
            }
        if message in ("display_data", "execute_result"):
            return self._shown(message, content.get("data", {}))
        return None

    def _shown(self, message: str, data: Any) -> dict[str, Any] | None:
        if not isinstance(data, dict):
            return None
        kept: dict[str, str] = {}
        if isinstance(text := data.get("text/plain"), str) and (taken := self._text(text)):
            kept["text/plain"] = taken
        for kind in ("image/png", "image/jpeg"):
            if isinstance(encoded := data.get(kind), str) and (image := self._image(encoded)):
                kept["image/png"] = image
                break
        if not kept:
            return None
        shown: dict[str, Any] = {"output_type": message, "data": kept, "metadata": {}}
        return shown | ({"execution_count": None} if message == "execute_result" else {})

    def _text(self, text: str) -> str:
        room = max(0, min(self._cell_text, self._text_left))
        if len(text) > room:
            self.said["there is too much text"] = None
            text = text[:room]
        self._cell_text -= len(text)
        self._text_left -= len(text)
        return text

    def _image(self, encoded: str) -> str | None:
        if self._cell_images <= 0 or self._images_left <= 0 or len(encoded) > _IMAGE_BYTES:
            self.said["there are too many, or too large, images"] = None
            return None
        self._cell_images -= 1
        self._images_left -= 1
        try:
            with Image.open(io.BytesIO(base64.b64decode(encoded))) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise ValueError("too many pixels")
                opened.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
                image = opened.convert("RGBA")
        except Exception:  # decoders raise many kinds; the image is then not shown
            self.said["an image does not decode"] = None
            return None
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode("ascii")
