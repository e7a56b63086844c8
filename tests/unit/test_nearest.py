"""What is said of a name that is not known."""

import pytest

from harness.errors import nearest


@pytest.mark.parametrize(
    ("name", "otherwise", "said"),
    [
        ("limit", "", "did you mean 'limits'?"),
        ("limit", "for example 'limits'", "did you mean 'limits'?"),
        ("qqq", "", "one of: limits, boards"),
        ("qqq", "for example 'limits'", "for example 'limits'"),
    ],
)
def test_the_nearest_name_else_what_is_known(name: str, otherwise: str, said: str):
    assert nearest(name, ("limits", "boards"), otherwise) == said
