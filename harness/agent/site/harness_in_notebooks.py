"""`harness` as a notebook sees it when it is run again: `harness.handin`, and a `%check` that does nothing.

Copied to `site/harness/__init__.py`. Students end their notebooks with `%load_ext harness` and `%check`, as the
starting notebook has them.
"""


def load_ipython_extension(shell):
    """Called by `%load_ext harness`."""
    shell.register_magic_function(_check, "line", "check")


def _check(line):
    """`%check`, which would run the notebook that runs it."""
    print("%check does nothing when the notebook is run again.")
