"""A comparison as JUnit XML: one test case for each curve and layer, which every CI can show."""

import xml.etree.ElementTree as ET

from .comparison import Comparison, Judged
from .markdown import speed
from .states import FAIL, INCONCLUSIVE, PASS, UNFIT


def as_junit(comparison: Comparison) -> str:
    """Return the XML text: failures fail, what cannot be told or must not be judged is skipped with its reason."""
    cases = [case for one in comparison.judged for case in _cases(one)]
    for missing in comparison.missing:
        case = ET.Element("testcase", classname="ivfbench.compare.missing", name=missing, time="0")
        ET.SubElement(case, "failure", message="base has it, head does not")
        cases.append(case)
    suite = ET.Element(
        "testsuite",
        name=f"ivfbench compare: {comparison.head} against {comparison.base}",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        errors="0",
        time=f"{comparison.seconds:.3f}",
    )
    suite.extend(cases)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(one: Judged) -> list[ET.Element]:
    cases = [_case(one, "work", one.work.state, "; ".join(one.work.reasons))]
    if one.time is not None:
        cases.append(_case(one, "time", one.time.state, one.time.reason, speed(one.time.speed_up)))
    return cases


def _case(one: Judged, layer: str, state: str, reason: str, said: str = "") -> ET.Element:
    case = ET.Element("testcase", classname=f"ivfbench.compare.{layer}", name=str(one.curve), time="0")
    if state == FAIL and not one.accepted:
        ET.SubElement(case, "failure", message=reason)
    elif state in (INCONCLUSIVE, UNFIT) or state == FAIL:
        ET.SubElement(case, "skipped", message=f"accepted: {one.accepted}" if state == FAIL else f"{state}: {reason}")
    elif state == PASS and (said or reason):
        ET.SubElement(case, "system-out").text = "; ".join(part for part in (said, reason) if part)
    return case
