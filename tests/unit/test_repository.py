"""What holds for the whole repository, whichever part of it changes."""

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).parents[2]
ADDONS = sorted(path.parent for path in ROOT.glob("addons/*/__manifest__.py"))
PURE = sorted(
    path
    for package in ("journal", "matching", "ngap", "norms")
    for path in ROOT.glob(f"addons/*/{package}/**/*.py")
)
MODELS = sorted(
    path for folder in ("models", "wizards") for path in ROOT.glob(f"addons/*/{folder}/*.py")
)


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


def tracked():
    """Files that git tracks or would track; another user may own the checkout."""
    command = [
        "git",
        "-c",
        f"safe.directory={ROOT}",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def manifest(addon):
    return ast.literal_eval((addon / "__manifest__.py").read_text())


def model_classes(path):
    """(class, its _name or None, the names it inherits) for each Odoo model of a file."""
    found = []
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.ClassDef) or not any(
            isinstance(base, ast.Attribute)
            and base.attr in ("Model", "TransientModel", "AbstractModel")
            for base in node.bases
        ):
            continue
        values = {
            target.id: ast.literal_eval(statement.value)
            for statement in node.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name) and target.id in ("_name", "_inherit")
        }
        inherit = values.get("_inherit", [])
        found.append(
            (node, values.get("_name"), [inherit] if isinstance(inherit, str) else inherit)
        )
    return found


# --- pure packages


@each(PURE)
def test_pure_packages_do_not_know_odoo(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            # beyond the package itself it would reach into the addon, which imports Odoo
            package = next(p for p in path.parents if p.parent.parent.name == "addons")
            assert node.level <= len(path.relative_to(package).parts), (
                f"line {node.lineno} leaves the package"
            )
        else:
            continue
        assert not [name for name in modules if name.split(".")[0] == "odoo"], f"line {node.lineno}"


@each(PURE)
def test_pure_packages_count_in_whole_cents(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("float", "round"), f"line {node.lineno}: {node.func.id}()"


# --- addons


def test_the_addons_are_there_and_speak_with_one_voice():
    assert {addon.name for addon in ADDONS} >= {
        "health_billing",
        "health_sesam",
        "health_noemie",
        "health_collections",
    }
    for key in ("version", "license", "author"):
        assert len({manifest(addon)[key] for addon in ADDONS}) == 1, key
    assert manifest(ADDONS[0])["license"] == "AGPL-3"
    assert manifest(ADDONS[0])["author"] == "Facturière"
    assert re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", manifest(ADDONS[0])["version"])
    licence = (ROOT / "LICENSE").read_text()
    assert (
        "GNU AFFERO GENERAL PUBLIC LICENSE" in licence
        and "17. Interpretation of Sections" in licence
    )


def test_dependencies_go_one_way():
    below = {
        "health_billing": set(),
        "report_chromium": set(),
        "health_sesam": {"health_billing"},
        "health_collections": {"health_billing"},
        "health_noemie": {"health_sesam", "health_billing"},
    }
    for addon in ADDONS:
        ours = {name for name in manifest(addon)["depends"] if name in below}
        assert ours <= below[addon.name], addon.name


@each(ADDONS)
def test_an_addon_explains_itself(path):
    description = path / "readme" / "DESCRIPTION.md"
    assert description.is_file() and len(description.read_text()) > 100


@each(ADDONS)
def test_an_addons_files_are_declared_and_there(path):
    declared = manifest(path)
    files = declared.get("data", []) + declared.get("demo", [])
    assert len(files) == len(set(files))
    for name in files:
        assert (path / name).is_file(), name
    for folder in ("views", "security", "wizards", "report"):
        for found in (path / folder).glob("*.xml"):
            assert str(found.relative_to(path)) in files, f"{found.name} is not in the manifest"


@each(ADDONS)
def test_french_is_complete(path):
    translations = path / "i18n" / "fr.po"
    assert translations.is_file()
    catalogue = polib.pofile(str(translations))
    assert len(catalogue) > 0
    assert not [entry.msgid for entry in catalogue if not entry.obsolete and not entry.msgstr]
    assert not [entry.msgid for entry in catalogue if entry.fuzzy]
    placeholder = re.compile(r"%\((\w+)\)[sdif]")
    for entry in catalogue:
        if not entry.obsolete:
            asked, given = placeholder.findall(entry.msgid), placeholder.findall(entry.msgstr)
            assert sorted(set(asked)) == sorted(set(given)), entry.msgid


@each(ADDONS)
def test_every_model_has_its_access_rights(path):
    new = {
        name
        for file in MODELS
        if path in file.parents
        for node, name, inherited in model_classes(file)
        if name
        and name not in inherited  # a mixin is added to a model of another addon
        and not any(base.attr == "AbstractModel" for base in node.bases)
    }
    with (path / "security" / "ir.model.access.csv").open(newline="") as rows:
        granted = {
            row["model_id:id"].split(".")[-1].removeprefix("model_") for row in csv.DictReader(rows)
        }
    assert {name.replace(".", "_") for name in new} <= granted


@each([path for path in MODELS if path.name != "__init__.py"])
def test_one_model_per_file_named_after_it(path):
    classes = model_classes(path)
    assert len(classes) <= 1, [node.name for node, _name, _inherited in classes]
    for node, name, inherited in classes:
        if inherited == ["account.chart.template"] and path.stem.startswith("template_"):
            continue  # Odoo's own habit: one file per chart
        model = name or inherited[0]
        slug = model.replace(".", "_")
        # a large extension may have a file per topic beside the model's own
        topic = name is None and path.stem.startswith(f"{slug}_")
        assert path.stem == slug or topic
        camel = "".join(word.capitalize() for word in re.split(r"[._]", model))
        assert node.name.lower() == camel.lower(), node.name


@each([path for path in MODELS if path.name != "__init__.py"])
def test_a_models_file_is_imported(path):
    assert re.search(
        rf"^\s*(from \. import .*|import |)\b{path.stem}\b",
        (path.parent / "__init__.py").read_text(),
        re.M,
    )


# --- scripts and locks


@each(sorted(path for path in (ROOT / "bin").iterdir() if path.is_file()) + [ROOT / ".ci" / "run"])
def test_commands_can_be_run(path):
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith(
        ("#!/usr/bin/env bash\n", "#!/bin/bash\n", "#!/usr/bin/env python3\n")
    )


@each(
    sorted(
        path
        for pattern in ("bin/*", "bin/lib/*.sh", ".ci/run")
        for path in ROOT.glob(pattern)
        if path.is_file()
    )
)
def test_shell_scripts_are_well_formed(path):
    if path.suffix == ".sh" or "bash" in path.read_text().splitlines()[0]:
        assert subprocess.run(["bash", "-n", path], capture_output=True).stderr == b""
        if shutil.which("shellcheck"):
            command = ["shellcheck", "--external-sources", "--severity=error", path]
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout


@each(sorted((ROOT / "requirements").glob("*.in")))
def test_what_is_asked_for_is_what_is_locked(path):
    def normal(name):
        return re.sub(r"[-_.]+", "-", name).lower()

    lock = path.with_suffix(".txt").read_text()
    locked = {
        normal(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.M)
    }
    assert lock.count("--hash=sha256:") >= len(locked) > 0
    for line in path.read_text().splitlines():
        asked = re.match(r"([\w.-]+)\s*(?:==\s*([^\s;#]+))?", line.split("#")[0].strip())
        if asked and not line.startswith("-"):
            assert normal(asked[1]) in locked, line
            assert asked[2] in (None, locked[normal(asked[1])]), line


# --- everything tracked


def readable(path):
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""  # a picture, a sample in an old encoding


def test_no_registry_and_no_machine_is_named():
    # archives and mirrors are the machine's business: its own settings, or DEBIAN_MIRROR
    names = "pypi|pythonhosted|npmjs|yarnpkg|golang|debian|ubuntu|nightly[.]odoo|docker|ghcr|quay"
    # the host part of an address, with or without its scheme: "https://x.pypi…/", "deb.debian…"
    host = re.compile(
        rf"(?://|\b(?:deb|security|archive|snapshot|registry|proxy|files)[.])[\w.-]*\b(?:{names})[.](?:org|com|io)\b"
        r"|\b(?:pypi|pythonhosted|ghcr|quay)[.](?:org|io)\b"
        r"|--(extra-)?index[-]url|--trusted[-]host"
    )
    tld = "org"
    for example in (
        f"https://files.pythonhosted.{tld}/x",
        f"deb.debian.{tld}",
        f"registry.npmjs.{tld}",
        f"pypi.{tld}",
    ):
        assert host.search(example), example
    place = re.compile(
        r"""(?:^|[\s=:(,\["'`])/(?:work|root|Users|home/\w+|tmp/(?!facturiere)[a-z]+)/""", re.M
    )
    found = []
    for path in tracked():
        for number, line in enumerate(readable(path).splitlines(), 1):
            if host.search(line) or place.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found, "\n".join(found)


def test_no_secret_and_no_rubbish_is_tracked():
    for path in tracked():
        name = path.relative_to(ROOT)
        assert path.suffix not in (".pyc", ".dump", ".pem", ".key", ".orig", ".rej"), name
        assert path.name not in (".env", ".DS_Store"), name
        assert path.stat().st_size < 2_000_000, f"{name} is large"
        text = readable(path)
        assert not re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----", text), name
        assert not re.search(r"^(<{7}|>{7}) ", text, re.M), f"{name}: a merge was not finished"


def test_ci_counts_a_skipped_test_as_failed(tmp_path):
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_skips.py").write_text(
        "import unittest, pytest\n"
        "def test_plain(): pytest.skip('no browser')\n"
        "@pytest.mark.skip(reason='marked')\n"
        "def test_marked(): pass\n"
        "@unittest.skip('unittest')\n"
        "class Case(unittest.TestCase):\n"
        "    def test_case(self): pass\n"
        "@pytest.mark.xfail\n"
        "def test_known(): assert False\n"
        "def test_good(): pass\n"
    )
    (tmp_path / "test_module.py").write_text(
        "import pytest\npytest.importorskip('no_such_module')\n"
    )
    expected = {
        "true": ("1 failed, 1 passed, 1 xfailed, 3 errors", 1),
        "": ("1 passed, 4 skipped, 1 xfailed", 0),
    }
    for ci, (summary, code) in expected.items():
        command = [sys.executable, "-m", "pytest", "-p", "no:odoo", "-p", "no:cacheprovider", "-q"]
        result = subprocess.run(
            [*command, "--continue-on-collection-errors", tmp_path],
            cwd=tmp_path,
            env={**os.environ, "CI": ci, "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
        )
        assert summary in result.stdout, result.stdout
        assert result.returncode == code
        if ci:
            assert "skipped, which CI does not accept: no browser" in result.stdout
