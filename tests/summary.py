#!/usr/bin/env python3
"""The slowest tests of a run, and in one last line how the whole of it went.

Arguments: a folder with what `cargo test` printed, and where there is one the JUnit file of cargo-nextest.
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 20
RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored; .*finished in ([\d.]+)s", re.M)


def main():
    folder, *junit = sys.argv[1:]
    passed = failed = ignored = 0
    seconds = 0.0
    for path in Path(folder).iterdir():
        for result in RESULT.finditer(path.read_text()):
            passed, failed, ignored = (sum(pair) for pair in zip(
                (passed, failed, ignored), map(int, result.groups()[:3])))
            seconds += float(result.group(4))
    for path in junit:
        root = ElementTree.parse(path).getroot()
        cases = [(float(case.get("time")), f'{suite.get("name")} {case.get("name")}', case)
                 for suite in root.iter("testsuite") if not suite.get("name").startswith("@setup-script")
                 for case in suite.iter("testcase")]
        bad = sum(1 for _, _, case in cases if case.find("failure") is not None or case.find("error") is not None)
        failed += bad
        passed += len(cases) - bad
        seconds += float(root.get("time"))
        print(f"\nThe slowest {SLOWEST} tests:")
        for time, name, _ in sorted(cases, key=lambda case: -case[0])[:SLOWEST]:
            print(f"{time:8.1f} s  {name}")
    word = "FAILED" if failed else "ok"
    print(f"\ntest result: {word}. {passed} passed; {failed} failed; {ignored} ignored; finished in {seconds:.2f}s")


if __name__ == "__main__":
    main()
