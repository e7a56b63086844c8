"""Runs in a notebook's kernel before its first cell (an IPython start-up file).

What only shows something must not end a run: an image that is not there, half of an emoji that is printed, output
without end. What is passed over is told by audit events, which `notebook/watch.py` notes.
"""


def _start(shell):
    import json
    import sys

    from IPython.core import display

    most = 2 * 2**20  # characters of a cell's output; far more than is kept
    left = [most]

    def bounded(stream):
        """Drop what a cell writes beyond `most`, so that output without end does not fill the memory."""
        write = stream.write

        def write_some(text):
            if left[0] > 0 and isinstance(text, str):
                write(text[: left[0]])
                left[0] -= len(text)
                if left[0] <= 0:
                    sys.audit("notebook.flood")
                return len(text)
            return len(text) if isinstance(text, str) else write(text)

        stream.write = write_some

    def next_cell(*_):
        left[0] = most

    def packed(pack):
        """Messages with half characters, which UTF-8 cannot hold, have U+FFFD in their place."""

        def pack_whole(message):
            try:
                return pack(message)
            except UnicodeEncodeError:
                text = json.dumps(message, default=str, ensure_ascii=False, allow_nan=False)
                return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()

        return pack_whole

    def missing(shown, name):
        shown.not_there = str(name)
        sys.audit("notebook.image_missing", shown.not_there)

    def tolerant(reload):
        def reload_or_note(self):
            try:
                reload(self)
            except OSError:
                self.data = None
                missing(self, self.filename or self.url)

        return reload_or_note

    def encoded(encode):
        def encode_or_note(self, always_both=False):
            try:
                return encode(self, always_both=always_both)
            except FileNotFoundError:  # `Image` takes the name of a file that is not there for the image itself
                if not hasattr(self, "not_there"):
                    missing(self, self.data)
                return (None, {}) if always_both else None

        return encode_or_note

    def bundled(bundle):
        def bundle_or_text(self, include=None, exclude=None):
            shown = bundle(self, include=include, exclude=exclude)
            return {"text/plain": f"<no image: {self.not_there}>"} if hasattr(self, "not_there") else shown

        return bundle_or_text

    def shaped(shape):
        return lambda self: shape(self) if self.data is not None else None

    bounded(sys.stdout)
    bounded(sys.stderr)
    shell.events.register("pre_run_cell", next_cell)
    shell.kernel.session.pack = packed(shell.kernel.session.pack)
    display.DisplayObject.reload = tolerant(display.DisplayObject.reload)
    display.Image._data_and_metadata = encoded(display.Image._data_and_metadata)
    display.Image._repr_mimebundle_ = bundled(display.Image._repr_mimebundle_)
    display.Image._retina_shape = shaped(display.Image._retina_shape)


if hasattr(get_ipython(), "kernel"):  # noqa: F821  # IPython defines it; another shell that a notebook starts has none
    _start(get_ipython())  # noqa: F821
del _start
