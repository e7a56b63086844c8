"""A list of classes that names one of them twice: which number it has cannot be known, so it is said."""

import pytest

from harness.apart.submissions.label_lists import label_list
from harness.apart.submissions.sources import Unreadable


@pytest.mark.parametrize(
    "text",
    [
        '{"mug": 0, "ball": 1, "mug": 2}',
        "{'mug': 0, 'ball': 1, 'mug': 2}",
        '{"0": "mug", "1": "ball", "1": "mug"}',
        '{"class_to_idx": {"mug": 0, "ball": 1, "mug": 1}}',
        "class_indices = {'mug': 0, 'ball': 1, 'mug': 1}",
        "names:\n  0: mug\n  1: ball\n  1: lamp\n",
        "names: [mug, ball, mug]\n",
        "mug\nball\nMug\n",
    ],
)
def test_in_any_form(tmp_path, text: str):
    file = tmp_path / "labels.txt"
    file.write_text(text)
    with pytest.raises(Unreadable, match="twice"):
        label_list(str(file))


def test_a_key_that_no_dict_can_have_is_no_list_of_classes(tmp_path):
    file = tmp_path / "labels.txt"
    file.write_text("{(1, [2]): 'mug'}")
    with pytest.raises(Unreadable, match="list or a dict"):
        label_list(str(file))


@pytest.mark.parametrize(
    "text",
    [
        '{"mug": 0, "ball": 1}',
        "{'mug': 0, 'ball': 1}",
        "{0: 'mug', 1: 'ball'}",
        '[{"id": 0, "name": "mug"}, {"id": 1, "name": "ball"}]',
        "names:\n  0: mug\n  1: ball\n",
        "nc: 2\nnames:\n- mug\n- ball\n",
    ],
)
def test_each_once_is_read(tmp_path, text: str):
    file = tmp_path / "labels.txt"
    file.write_text(text)
    assert label_list(str(file)) == ["mug", "ball"]
