"""Exit 1 if a locked package has a known vulnerability, as far as anybody says.

Where the data cannot be had, or not in time, a line says so and nothing fails.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent / "lock" / "test.txt"
# Of all that is locked; without pip, which would resolve it anew.
COMMAND = ("pip-audit", "--progress-spinner=off", "--disable-pip", "--require-hashes")
SECONDS = 30.0


def audit(seconds: float) -> bool:
    """Whether no locked package is known to be vulnerable."""
    command = [*COMMAND, "--format=json", f"--requirement={LOCK}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=seconds)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        say("Known vulnerabilities could not be checked: nobody could be asked about them.")
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
