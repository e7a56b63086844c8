"""JUnit XML, for build servers: a suite for each submission, a case for each criterion.

A case fails when it has no points, and is skipped while a person has to mark it. An error means that the machine, not
the student, kept a submission from being graded.
"""

from __future__ import annotations

from xml.etree import ElementTree

from harness.gradebook.results import Results, SubmissionResult
from harness.report.tables.spreadsheet import points
from harness.stages.evidence.grade import Mark

TITLE = "JUnit"

_MACHINES_FAULT = {"engine-failed", "harness-defect"}


def files(results: Results, column: str) -> dict[str, str]:
    """junit.xml."""
    suites = [_suite(row) for row in results.submissions]
    root = ElementTree.Element(
        "testsuites", name=_text(column), tests=str(sum(len(s.findall("testcase")) for s in suites))
    )
    root.extend(suites)
    ElementTree.indent(root)
    return {"junit.xml": '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"}


def _suite(row: SubmissionResult) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=_text(row.id))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("student", row.student), ("points", points(row.points)), ("status", row.status)):
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    cases = [_case(row.id, mark) for mark in row.marks]
    for finding in row.findings:
        if finding.code in _MACHINES_FAULT:
            case = ElementTree.Element("testcase", classname=_text(row.id), name=finding.code)
            ElementTree.SubElement(case, "error", message=_text(finding.message))
            cases.append(case)
    suite.extend(cases)
    for count, kind in (("tests", None), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(cases) if kind is None else sum(case.find(kind) is not None for case in cases)))
    return suite


def _case(id: str, mark: Mark) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_text(id), name=_text(mark.title))
    if mark.points is None:
        ElementTree.SubElement(case, "skipped", message=_text(mark.reason))
    elif mark.points < 0 or (mark.points == 0 and mark.max_points > 0):
        ElementTree.SubElement(case, "failure", message=_text(mark.reason))
    ElementTree.SubElement(case, "system-out").text = _text(
        f"{points(mark.points or 0)} of {points(mark.max_points)}: {mark.reason}"
    )
    return case


def _text(text: str) -> str:
    """The text without control characters, which XML does not allow even when escaped."""
    return "".join(c if c.isprintable() else " " for c in text)
