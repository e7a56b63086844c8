"""A stand-in for `google.colab` outside Colab: its functions work, or say that they are not available."""

from . import drive, files, output, patches, runtime, userdata

__all__ = ["auth", "drive", "files", "output", "patches", "runtime", "userdata"]


class auth:
    """Signing in needs a network; there is none."""

    @staticmethod
    def authenticate_user(*args, **kwargs):
        print("Not signed in: there is no network here.")
