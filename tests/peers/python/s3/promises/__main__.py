"""What S3 promises, case by case, asked of the gateway with boto3.

Every case has an empty bucket: TEST_BUCKET, or one that is made for it. All cases run, and all that
fail are told. Writes how many there were.
"""

import importlib
import sys
import traceback
from pathlib import Path

from . import case

FILES = sorted(Path(__file__).parent.glob("*.py"))


def place(error):
    """The last line of a case that is in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent == Path(__file__).parent]
    return f"line {ours[-1].lineno} of {Path(ours[-1].filename).name}"


def main():
    for file in FILES:
        if not file.name.startswith("__"):
            importlib.import_module(f"{__package__}.{file.stem}")
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    # Loading a file twice, or not at all, would go unseen otherwise.
    cases = [(name, run) for name, run in case.cases if wanted in name and case.applies(run)]
    assert len({name for name, _ in cases}) == len(cases), "two cases have one name"
    failed = []
    for number, (name, run) in enumerate(cases):
        try:
            try:
                run(case.empty_bucket(number))
            finally:
                case.clean_up()
        except Exception as error:
            failed.append(name)
            print(f"{name}, {place(error)}: {error!r}", file=sys.stderr)
    print(f"{len(cases)} cases, {len(failed)} failed", file=sys.stderr)
    print(len(cases))
    sys.exit(1 if failed else 0)


main()
