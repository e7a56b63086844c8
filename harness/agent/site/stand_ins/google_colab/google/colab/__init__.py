"""Stands in for `google.colab` where a notebook runs outside Colab: what it asks for is there, or is said not to be."""

from . import drive, files, output, patches, userdata

__all__ = ["auth", "drive", "files", "output", "patches", "userdata"]


class auth:
    """Signing in needs a network; there is none."""

    @staticmethod
    def authenticate_user(*args, **kwargs):
        print("Not signed in: there is no network here.")
