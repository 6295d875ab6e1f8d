"""Subjects of commits are under 72 characters, since the commit that this rule began with.

python .ci/subjects.py          # of all commits since then, in CI
python .ci/subjects.py FILE     # of the message in a file: the hook commit-msg, by pre-commit
"""

import pathlib
import subprocess
import sys

LIMIT = 72
BEGAN = "3b97ead050c7aea52e2f2092b67c1fc513a52a03"


def git(*arguments: str) -> subprocess.CompletedProcess:
    """Run git in the present folder."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8")


def subjects() -> list[tuple[str, str]]:
    """Return the new commits, each as its short name and its subject."""
    # A shallow clone may begin after that commit: then all that it has is new.
    known = git("cat-file", "-e", f"{BEGAN}^{{commit}}").returncode == 0
    log = git("log", "--no-merges", "--format=%h %s", f"{BEGAN}..HEAD" if known else "HEAD")
    if log.returncode:
        sys.exit(log.stderr)
    return [(name, subject) for name, _, subject in (line.partition(" ") for line in log.stdout.splitlines())]


def message(path: str) -> list[tuple[str, str]]:
    """Return the subject of a message that is about to be committed."""
    return [("this message", pathlib.Path(path).read_text(encoding="utf-8").partition("\n")[0])]


def main(arguments: list[str]) -> int:
    """Print each subject that is too long; the exit code says whether there are any."""
    long = [one for one in (message(arguments[0]) if arguments else subjects()) if len(one[1]) >= LIMIT]
    for name, subject in long:
        print(f"{name}: {subject}\n  has a subject of {len(subject)} characters; say it in under {LIMIT}.")
    return bool(long)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
