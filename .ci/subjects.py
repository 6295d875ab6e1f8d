"""Subjects of commits are under 72 characters, since the commit that this rule began with."""

import subprocess
import sys

LIMIT = 72
BEGAN = "3b97ead050c7aea52e2f2092b67c1fc513a52a03"


def git(*arguments: str) -> subprocess.CompletedProcess:
    """Run git in the present folder."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8")


def main() -> int:
    """Print each subject that is too long; the exit code says whether there are any."""
    # A shallow clone may begin after that commit: then all that it has is new.
    known = git("cat-file", "-e", f"{BEGAN}^{{commit}}").returncode == 0
    log = git("log", "--no-merges", "--format=%h %s", f"{BEGAN}..HEAD" if known else "HEAD")
    if log.returncode:
        sys.exit(log.stderr)
    long = [line for line in log.stdout.splitlines() if len(line.partition(" ")[2]) >= LIMIT]
    for line in long:
        print(f"{line}\n  has a subject of {len(line.partition(' ')[2])} characters; say it in under {LIMIT}.")
    return bool(long)


if __name__ == "__main__":
    sys.exit(main())
