"""What published tables call the boards."""

from __future__ import annotations

import pytest

from harness.bench import boards
from harness.bench.boards import titles


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("NVIDIA Jetson Nano Developer Kit (B01)", "jetson-nano-4gb"),
        ("JETSON_NANO", "jetson-nano-4gb"),
        ("Jetson Nano (4 GB), MAXN", "jetson-nano-4gb"),
        ("Nano 2GB", "jetson-nano-2gb"),
        ("TX2", "jetson-tx2"),
        ("TX2 NX", "jetson-tx2-nx"),
        ("Xavier", "jetson-agx-xavier"),
        ("AGX Xavier 16GB", "jetson-agx-xavier"),
        ("Jetson Xavier NX 16 GB (JetPack 5.1)", "jetson-xavier-nx"),
        ("Orin NX 16G", "jetson-orin-nx-16gb"),
        ("Orin NX 8GB", "jetson-orin-nx-8gb"),
        ("Orin Nano", "jetson-orin-nano"),
        ("Jetson Orin Nano Super Developer Kit", "jetson-orin-nano-super"),
        ("AGX Orin Developer Kit", "jetson-agx-orin-64gb"),
        ("AGX Orin 32G", "jetson-agx-orin-32gb"),
        ("Orin Nano 4GB", None),
        ("Jetson TX2i", None),
        ("Jetson TX1", None),
        ("Jetson AGX Thor", None),
        ("Raspberry Pi 4B", None),
        ("NVIDIA", None),
        ("", None),
    ],
)
def test_a_board_by_what_tables_call_it(title: str, name: str | None) -> None:
    found = titles.find(title)
    assert (found and found.name) == name


def test_no_two_boards_share_a_name() -> None:
    """Whatever is left of a name without noise, each board's own name and title still mean that board."""
    for name in boards.names():
        board = boards.load(name)
        for title in (board.name, board.title, *board.aliases):
            assert (found := titles.find(title)) and found.name == name, title


def test_the_power_mode_tells_the_super_from_the_plain() -> None:
    assert (found := titles.find("Orin Nano", "MAXN_SUPER")) and found.name == "jetson-orin-nano-super"


def test_every_board_of_the_list_is_one() -> None:
    assert set(titles.listed()) <= set(boards.names())
