"""Secrets of a Colab account: there are none."""


class SecretNotFoundError(Exception):
    pass


class NotebookAccessError(Exception):
    pass


def get(key):
    raise SecretNotFoundError(f"Secret {key} does not exist: there is no Colab account here.")
