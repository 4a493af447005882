#!/usr/bin/env python3
"""Write the input files of the demo agency, or check that the committed ones are what it makes.

python data/demo/generate.py            write
python data/demo/generate.py --check    exit 1 and name the files that differ
"""

import argparse
import gzip
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "addons" / "health_sesam")]

from demodata import bank, care, entry, returns, truth, writers  # noqa: E402

from norms import noemie  # noqa: E402

MADE = ("agency.json", "entry.json", "patients.csv", "expected.json", "README.md")
FOLDERS = ("fse", "arl", "noemie", "bank")


def build():
    """All files of the demo as name -> bytes."""
    fses = care.build()
    story = returns.build(fses)
    entries = bank.build(story)
    files = {
        **writers.fse_journals(fses),
        **writers.patients(fses),
        **writers.acknowledgements(story),
        **writers.noemie_files(story, noemie),
        **writers.bank_statements(entries),
    }
    found = truth.build(story, entries, files)
    return {
        **files,
        **writers.agency(files),
        **entry.write(),
        **writers.expected(found),
        **writers.readme(found, files, entries),
    }


def committed():
    """The files that stand in the folder, as name -> bytes."""
    paths = [HERE / name for name in MADE]
    for folder in FOLDERS:
        paths += sorted((HERE / folder).glob("*"))
    return {
        path.relative_to(HERE).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


def _plain(content):
    """Compressed bytes depend on the machine's zlib; what they hold does not."""
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def differences():
    """Names of the files that are missing, superfluous or different."""
    wanted, present = build(), committed()
    return sorted(
        name
        for name in wanted.keys() | present.keys()
        if name not in wanted
        or name not in present
        or _plain(wanted[name]) != _plain(present[name])
    )


def write():
    """Bring the folder up to date; returns the names of the files that changed."""
    wanted, changed = build(), differences()
    for name in changed:
        path = HERE / name
        if name in wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(wanted[name])
        else:
            path.unlink()
    return changed


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    check = parser.parse_args(arguments).check
    names = differences() if check else write()
    for name in names:
        print(("differs: " if check else "written: ") + name)
    print(f"{len(names)} file(s) {'differ' if check else 'written'}")
    return 1 if check and names else 0


if __name__ == "__main__":
    sys.exit(main())
