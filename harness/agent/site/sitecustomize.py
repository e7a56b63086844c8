"""Import hooks of a notebook's kernel, which cost nothing until the library is imported.

They make `import torchvision` work on any torch, let Keras take the pre-trained weights in ~/.keras/models as they
are, serve downloads whose file is mounted, write tqdm's bars as text, and keep plotly from asking who started it.
"""

import importlib.util
import sys
from pathlib import Path

_OPERATORS = Path(__file__).resolve().parent.parent / "agent" / "torchvision_ops.py"
_GET_FILE = ("keras.src.utils.file_utils", "tf_keras.src.utils.data_utils")


class _BeforeTorchvision:
    """Declares torchvision's missing operators when torchvision is first looked for."""

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision" and importlib.util.find_spec("torch"):
            sys.meta_path.remove(self)
            spec = importlib.util.spec_from_file_location("_torchvision_ops", _OPERATORS)
            operators = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = operators
            spec.loader.exec_module(operators)
            operators.declare_missing()


class _After:
    """Patches a module right after its import, before any other code uses it."""

    def __init__(self, names, change):
        self._names, self._change = names, change

    def find_spec(self, name, path=None, target=None):
        if name not in self._names:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                self._change(module)

            spec.loader.exec_module = exec_module
        return spec


def _take_models(module):
    """Let `get_file` return a file in ~/.keras/models without checking its hash.

    Weights were checked when they were fetched, and a stand-in for a file has another hash.
    """
    module.get_file = _from_models(module.get_file)


def _from_models(get_file):
    def given(fname=None, origin=None, *rest, cache_subdir="datasets", **options):
        name = Path(str(fname or origin)).name
        here = Path.home() / ".keras" / "models" / name
        if cache_subdir == "models" and here.is_file():
            return str(here)
        return get_file(fname, origin, *rest, cache_subdir=cache_subdir, **options)

    return given


def _take_downloads(urllib_request):
    """Let `urlopen` return the file ~/.cache/downloads/HOST/PATH for http(s)://HOST/PATH."""

    class Given(urllib_request.BaseHandler):
        handler_order = 100  # before handlers that need a network

        def http_open(self, request):
            return _download(request.full_url)

        https_open = http_open

    urllib_request.install_opener(urllib_request.build_opener(Given))


def _download(address):
    from email.message import Message
    from urllib.parse import unquote, urlsplit
    from urllib.response import addinfourl

    parts = urlsplit(address)
    file = Path.home() / ".cache" / "downloads" / f"{parts.netloc}{unquote(parts.path)}"
    if not file.is_file():
        return None
    headers = Message()
    headers["Content-Length"] = str(file.stat().st_size)
    response = addinfourl(file.open("rb"), headers, address, 200)
    response.msg, response.length = "OK", file.stat().st_size
    return response


def _as_text(notebook):
    """Let `tqdm.notebook` write its bars as text: nothing draws widgets here, so one would stay at 0 %."""
    from tqdm.std import tqdm as plain

    class TextBar(plain):
        container = None

        def __init__(self, *values, display=True, **options):
            super().__init__(*values, **options)

    def text_range(*values, **options):
        return TextBar(range(*values), **options)

    notebook.tqdm = notebook.tqdm_notebook = TextBar
    notebook.trange = notebook.tnrange = text_range


def _take_any_jupyter(renderers):
    """Let plotly show a figure without looking for old versions of Jupyter, in the command line of the agent."""
    renderers.display_jupyter_version_warnings = lambda: None


sys.meta_path[:0] = [
    _BeforeTorchvision(),
    _After(_GET_FILE, _take_models),
    _After(("urllib.request",), _take_downloads),
    _After(("tqdm.notebook",), _as_text),
    _After(("plotly.io._renderers",), _take_any_jupyter),
]
