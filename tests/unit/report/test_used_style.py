"""A page that stands alone has the rules that it uses, and no other."""

from __future__ import annotations

import re

import pytest

from harness.report.rendering import Renderer
from harness.report.used_style import names, used_only

_PAGE = '<body class="page"><p class="lead wide">a</p><svg class="bar"><rect/></svg></body>'


@pytest.mark.parametrize(
    ("style", "left"),
    [
        ("p{a:b}h1{a:b}", "p{a:b}"),
        ("p,h1,.lead{a:b}", "p,.lead{a:b}"),
        (".wide.lead > p{a:b}.wide.thin{a:b}", ".wide.lead > p{a:b}"),
        ("svg.bar rect{a:b}svg.bar path{a:b}", "svg.bar rect{a:b}"),
        (":root{a:b}*{a:b}[hidden]{a:b}html{a:b}", ":root{a:b}*{a:b}[hidden]{a:b}html{a:b}"),
        ("p:not(.a,.b),h1:first-child{a:b}", "p:not(.a,.b){a:b}"),
        ("p :is(th,td){a:b}", "p :is(th,td){a:b}"),
        ("p::before{content:attr(x)}", "p::before{content:attr(x)}"),
        ("@media print{p{a:b}h1{a:b}}@media print{h1{a:b}}p{a:b}", "@media print{p{a:b}}p{a:b}"),
    ],
)
def test_a_rule_stays_if_the_page_has_all_that_it_names(style: str, left: str) -> None:
    assert used_only(style, names(_PAGE)) == left


def test_a_page_with_everything_keeps_the_whole_style() -> None:
    style = str(Renderer().style)
    selectors = " ".join(re.findall(r"[^{}]+(?=\{)", style))
    classes = {f".{name}" for name in re.findall(r"\.([a-z][\w-]*)", selectors)}
    assert used_only(style, classes | set(re.findall(r"[a-z]\w*", selectors))) == style
