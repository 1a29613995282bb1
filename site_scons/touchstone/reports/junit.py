# SPDX-License-Identifier: Apache-2.0
"""junit.xml: one test case a cell, in the form that CI servers and their parsers read.

A cell's time is what its stages took in this command, 0 where it was known before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from touchstone.results import CellResult, Report

SUITE = "touchstone"
# What XML 1.0 cannot hold, however it is escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GOOD = ("PASS",)
_LEFT_OUT = ("SKIP", "XFAIL", "QUARANTINED")
_ASSERTIONS = ("FAIL", "XPASS")


def render_junit(report: Report, details: Mapping[str, Any], seconds: Mapping[str, float]) -> bytes:
    """The document, UTF-8."""
    suites = ElementTree.Element("testsuites", name=SUITE)
    targets = dict.fromkeys(result.target for result in report.results)
    for target in targets:
        suite = ElementTree.SubElement(suites, "testsuite", name=target)
        for result in report.results:
            if result.target == target:
                _case(suite, result, report, details, seconds.get(result.id, 0.0))
        _count(suite)
    if report.problems:
        _problems(ElementTree.SubElement(suites, "testsuite", name="command"), report.problems)
    if report.exit_status != 0 and not suites.findall(".//failure") + suites.findall(".//error"):
        suite = ElementTree.SubElement(suites, "testsuite", name="matrix")
        case = ElementTree.SubElement(
            suite, "testcase", classname="matrix", name="something was verified", time="0.000"
        )
        ElementTree.SubElement(case, "failure", type="NOTHING_RAN", message="no cell passed")
        _count(suite)
    _total(suites)
    ElementTree.indent(suites, " ")
    data: bytes = ElementTree.tostring(suites, "utf-8", xml_declaration=True)
    return data + b"\n"


def _problems(suite: ElementTree.Element, problems: Sequence[str]) -> None:
    """What makes the command fail though no cell does."""
    for problem in problems:
        name = _clean(problem.partition(": ")[0])
        case = ElementTree.SubElement(
            suite, "testcase", classname="command", name=name, time="0.000"
        )
        ElementTree.SubElement(case, "failure", type="PROBLEM", message=_clean(problem))
    _count(suite)


def _case(
    suite: ElementTree.Element,
    result: CellResult,
    report: Report,
    details: Mapping[str, Any],
    seconds: float,
) -> None:
    target, kernel, name = result.id.split("/", 2)
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"{target}.{kernel}", name=name, time=f"{seconds:.3f}"
    )
    known = details["cells"].get(result.id, {})
    reason = _clean(result.reason or "")
    if result.id in report.unexpected_skips:
        note = f"{reason}; not in configs/expected_skips.yaml"
        ElementTree.SubElement(case, "failure", type="UNEXPECTED_SKIP", message=note)
    elif result.status in _LEFT_OUT:
        ElementTree.SubElement(case, "skipped", type=result.status, message=reason)
    elif result.status not in _GOOD:
        kind = "failure" if result.status in _ASSERTIONS else "error"
        element = ElementTree.SubElement(case, kind, type=result.status, message=reason)
        element.text = _clean("\n".join([reason, *_lines(known)]))
    if known.get("log"):
        ElementTree.SubElement(case, "system-out").text = _clean(known["log"])


def _lines(known: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{entry['case']}: {entry['count']} of {entry['total']} wrong"
        for entry in known.get("differences", ())
    ]
    if known.get("location"):
        lines.append(f"at {known['location']}")
    if known.get("rerun"):
        lines.append(f"rerun {known['rerun']}")
    return lines


def _count(suite: ElementTree.Element) -> None:
    """The totals of a suite, which parsers believe rather than count."""
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _total(suites: ElementTree.Element) -> None:
    for name in ("tests", "failures", "errors", "skipped"):
        suites.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    suites.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
