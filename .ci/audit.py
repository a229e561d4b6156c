"""Exit 1 if a locked package has a known vulnerability.

If the data is not available, or not in time, print a warning and exit 0.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent / "lock" / "test.txt"
# All locked packages. Without pip, which would resolve them again.
COMMAND = ("pip-audit", "--progress-spinner=off", "--disable-pip", "--require-hashes")
SECONDS = 30.0


def audit(seconds: float) -> bool:
    """Whether no locked package is known to be vulnerable."""
    command = [*COMMAND, "--format=json", f"--requirement={LOCK}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=seconds)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        say("Known vulnerabilities could not be checked: pip-audit gave no answer.")
        return True
    unknown = sum("skip_reason" in each for each in packages)
    if unknown:
        say(f"Known vulnerabilities of {unknown} of {len(packages)} packages could not be checked.")
    vulnerable = [each for each in packages if each.get("vulns")]
    for each in vulnerable:
        ids = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
        say(f"{each['name']} {each['version']} is vulnerable: {ids}")
    return not vulnerable


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(0 if audit(SECONDS) else 1)
