"""docker/: everything about the production set-up that can be checked without a container engine.

Backup, restore and entry point are run for real against the PostgreSQL of the checkout, which
bin/test provides.
"""

import ast
import configparser
import importlib.metadata
import json
import os
import re
import shutil
import stat
import subprocess
import uuid
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
OURS = "facturiere:19.0.2.0.0"


class StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key written twice; the second would silently win."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _value in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"{node.start_mark}: written twice: {sorted(twice)}")
        self.flatten_mapping(node)
        return super().construct_mapping(node, deep)


def dockerfile_instructions(text):
    """[(instruction, arguments)], comments dropped and continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(words[0], words[1] if len(words) > 1 else "") for words in found]


def nginx_tree(text):
    """[(words, children or None)] of an nginx file; ValueError for wrong braces or semicolons."""
    token = re.compile(
        r"""\s+|\#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:\$\{\w+\}|[^\s{};"'])+"""
    )
    stack, words, position = [[]], [], 0
    while position < len(text):
        match = token.match(text, position)
        if not match:
            raise ValueError(f"unreadable at {position}: {text[position : position + 30]!r}")
        position, word = match.end(), match.group()
        if word.isspace() or word.startswith("#"):
            continue
        if word == ";":
            stack[-1].append((words, None))
            words = []
        elif word == "{":
            stack[-1].append((words, []))
            stack.append(stack[-1][-1][1])
            words = []
        elif word == "}":
            if words or len(stack) == 1:
                raise ValueError(f"misplaced }} or missing ; before {position}: {words}")
            stack.pop()
        else:
            words.append(word[1:-1] if word[0] in "\"'" else word)
    if words or len(stack) > 1:
        raise ValueError("the file ends inside a directive or block")
    return stack[0]


def walk(tree, path=()):
    for words, children in tree:
        yield path, words, children
        if children is not None:
            yield from walk(children, (*path, tuple(words)))


def in_build_context(path):
    """Whether .dockerignore lets this path into the build; the last line that matches decides."""
    included = True
    parents = [path, *[str(p) for p in Path(path).parents][:-1]]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        negated, pattern = line.startswith("!"), line.lstrip("!").strip("/")
        regex = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(regex, candidate) for candidate in parents):
            included = negated
    return included


def locked(name):
    """{package: version} of a lock file in requirements/, normalised names."""
    text = (ROOT / "requirements" / name).read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.M)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in pins}


@pytest.fixture(scope="module")
def compose():
    text = (DOCKER / "compose.yaml").read_text()
    return yaml.load(text, Loader=StrictLoader)


@pytest.fixture(scope="module")
def dockerfile():
    return dockerfile_instructions((DOCKER / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def nginx():
    return nginx_tree((DOCKER / "nginx.conf").read_text())


@pytest.fixture(scope="module")
def odoo_conf():
    parser = configparser.RawConfigParser()
    parser.read(DOCKER / "odoo.conf")
    return parser


def services(compose, **wanted):
    """The services, narrowed to those with profiles (tools=True) or without."""
    tools = wanted.get("tools")
    return {
        name: service
        for name, service in compose["services"].items()
        if tools is None or bool(service.get("profiles")) == tools
    }


def names(references):
    return {ref if isinstance(ref, str) else ref["source"] for ref in references or []}


# --- compose.yaml


def test_compose_has_the_expected_form(compose):
    schema = json.loads((DOCKER / "compose.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema).iter_errors(compose)
    ]
    assert not errors
    assert set(services(compose, tools=False)) == {"web", "jobs", "db", "proxy", "backup"}


def test_compose_is_accepted_by_compose_itself_where_it_is_installed():
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True).returncode
        ):
            result = subprocess.run(
                [
                    *command,
                    "-f",
                    DOCKER / "compose.yaml",
                    "--profile",
                    "tools",
                    "config",
                    "--quiet",
                ],
                env={**os.environ, "FACTURIERE_URL": "https://facturiere.example"},
                capture_output=True,
                text=True,
            )
            assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("kind", ["secrets", "configs", "networks"])
def test_what_is_declared_is_used_and_the_other_way_round(compose, kind):
    used = set().union(*(names(service.get(kind)) for service in compose["services"].values()))
    assert used == set(compose[kind])


def test_volumes_are_declared_and_backups_survive_a_wiped_project(compose):
    used = {
        volume.split(":")[0]
        for s in compose["services"].values()
        for volume in s.get("volumes", [])
    }
    assert used == set(compose["volumes"])
    assert compose["volumes"]["backups"] == {"external": True, "name": "facturiere-backups"}


def test_every_file_that_compose_names_is_there(compose):
    for config in compose["configs"].values():
        assert (DOCKER / config["file"]).is_file(), config
    build = compose["services"]["web"]["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    for service in compose["services"].values():
        words = [
            *service.get("entrypoint", []),
            *service.get("command", []),
            *service.get("healthcheck", {}).get("test", []),
        ]
        for word in words:
            if word.startswith("/opt/facturiere/bin/"):
                assert os.access(DOCKER / Path(word).name, os.X_OK), word


def test_secrets_come_from_ignored_files_that_the_readme_explains(compose):
    explained = (DOCKER / "secrets" / "README").read_text()
    for secret in compose["secrets"].values():
        path = Path(secret["file"])
        assert path.parent == Path("secrets")
        assert path.name in explained
        assert path.name in (DOCKER / "README.md").read_text()
    assert (DOCKER / "secrets" / ".gitignore").read_text().splitlines()[0] == "*"


def test_no_secret_stands_in_an_environment_or_a_command(compose, odoo_conf):
    speaking = re.compile(r"pass(word|wd)?|secret|token|api_?key|credential", re.I)
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if speaking.search(variable):
                assert value.startswith("/run/"), f"{name}: {variable} must name a file"
        assert not [word for word in service.get("command", []) if speaking.search(word)]
    assert not [key for key in odoo_conf.options("options") if speaking.search(key)]
    assert not re.search(
        r"^\s*(ENV|ARG)\s+\S*(PASS|SECRET|TOKEN)", (DOCKER / "Dockerfile").read_text(), re.M | re.I
    )


def test_images_are_pinned_by_tag(compose):
    for name, service in compose["services"].items():
        assert re.fullmatch(
            r"[a-z0-9/._-]+:[0-9][\w.-]*(@sha256:[0-9a-f]{64})?", service["image"]
        ), name
    built = [name for name, service in compose["services"].items() if "build" in service]
    assert built == ["web"]
    assert compose["services"]["web"]["image"] == OURS


def test_every_running_service_is_watched_limited_and_restarted(compose):
    for name, service in services(compose, tools=False).items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name
    for name, service in compose["services"].items():
        options = service["logging"]["options"]
        assert int(options["max-file"]) * int(options["max-size"].removesuffix("m")) <= 100, name


def test_containers_have_no_rights_they_do_not_need(compose, dockerfile):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if service["image"] == OURS:
            assert "user" not in service  # the one of the Dockerfile
        else:
            assert service["user"].split(":")[0] not in ("", "0", "root"), name
    assert [arguments for word, arguments in dockerfile if word == "USER"][-1] == "odoo"


def test_the_database_is_out_of_the_proxys_reach(compose):
    networks = {name: set(service["networks"]) for name, service in compose["services"].items()}
    assert networks["db"] == {"back"}
    assert compose["networks"]["back"] == {"internal": True}
    assert not networks["proxy"] & (networks["db"] | networks["jobs"] | networks["backup"])
    assert networks["proxy"] & networks["web"]
    assert [name for name, service in compose["services"].items() if service.get("ports")] == [
        "proxy"
    ]


def test_jobs_run_apart_from_the_screens(compose, odoo_conf):
    web, jobs = compose["services"]["web"], compose["services"]["jobs"]
    assert web["environment"]["ODOO_QUEUE_JOB_CHANNELS"] == "root:0"
    assert odoo_conf.getint("options", "max_cron_threads") == 0
    assert odoo_conf.getint("options", "workers") > 1
    at_a_time = int(re.fullmatch(r"root:(\d+)", jobs["environment"]["ODOO_QUEUE_JOB_CHANNELS"])[1])
    options = dict(word[2:].split("=") for word in jobs["command"] if word.startswith("--"))
    assert int(options["workers"]) > at_a_time > 0  # one is left for the health check
    assert int(options["max-cron-threads"]) > 0
    assert int(options["limit-time-real"]) > odoo_conf.getint("options", "limit_time_real")
    modules = odoo_conf.get("options", "server_wide_modules").split(",")
    assert {"base", "web", "queue_job"} <= set(modules)


# --- Dockerfile


def test_dockerfile_follows_the_rules(dockerfile):
    words = [word for word, _arguments in dockerfile]
    assert words[0] == "ARG" and words.count("FROM") == 1, "a build argument for the tag, one stage"
    arguments = dict(dockerfile)
    assert arguments["FROM"] == "odoo:${ODOO_TAG}"
    default = [value for word, value in dockerfile if word == "ARG"][0]
    assert re.fullmatch(r"ODOO_TAG=19\.0[\w.-]*", default)
    assert "ADD" not in words and "MAINTAINER" not in words
    assert words.count("ENTRYPOINT") == words.count("CMD") == words.count("HEALTHCHECK") == 1
    for word in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(arguments[word]), list), "exec form, so that signals arrive"
    for run in (value for word, value in dockerfile if word == "RUN"):
        assert not re.search(r"\bsudo\b|chmod\s+(-R\s+)?777|curl\s|wget\s", run)
        if "apt-get install" in run:
            assert "--no-install-recommends" in run and "rm -rf /var/lib/apt/lists" in run
        if "pip install" in run:
            assert "--no-cache-dir" in run
    shell = json.loads(arguments["SHELL"])
    assert "-euo" in shell and "pipefail" in shell


def test_dockerfile_is_accepted_by_hadolint_where_it_is_installed():
    if shutil.which("hadolint"):
        result = subprocess.run(
            ["hadolint", "--failure-threshold", "warning", DOCKER / "Dockerfile"],
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout


def test_everything_copied_exists_and_is_in_the_build_context(dockerfile):
    for word, arguments in dockerfile:
        if word == "COPY":
            for source in arguments.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert in_build_context(source), f".dockerignore leaves {source} out"


def test_the_build_context_holds_no_secret_no_test_and_no_demo():
    for path in (
        ".odoo/venv",
        ".git/config",
        "docker/secrets/db_password",
        "docker/.env",
        "data/demo/generate.py",
    ):
        assert not in_build_context(path), path
    assert not in_build_context("addons/health_billing/tests/common.py")
    assert not in_build_context("addons/health_billing/models/__pycache__/x.pyc")
    assert in_build_context("addons/health_billing/models/health_fse.py")


def test_links_between_addons_and_data_survive_the_copy():
    for link in (path for path in (ROOT / "addons").rglob("*") if path.is_symlink()):
        target = os.readlink(link)
        assert not os.path.isabs(target), link
        inside = Path(os.path.normpath(link.parent / target)).relative_to(ROOT)
        assert (ROOT / inside).exists(), link
        assert in_build_context(str(inside)), f"{link} points at {inside}, which the image has not"


# --- the same lock as bin/provision


def test_image_and_provision_install_the_same_locked_addons(dockerfile):
    copied = {
        source
        for word, arguments in dockerfile
        if word == "COPY"
        for source in arguments.split()[:-1]
    }
    assert {"requirements/oca.txt", "requirements/odoo.txt"} <= copied
    pip = next(
        arguments for word, arguments in dockerfile if word == "RUN" and "pip install" in arguments
    )
    assert "--require-hashes" in pip and "--no-deps" in pip
    assert "-r /opt/facturiere/requirements/oca.txt" in pip
    provision = "\n".join(path.read_text() for path in sorted((ROOT / "bin" / "lib").glob("*.sh")))
    assert re.search(r"provision_python odoo oca", provision)
    assert "--require-hashes" in provision and "requirements/$set.txt" in provision


def extra_requirements(dockerfile, directory):
    """What the Dockerfile cuts out of requirements/odoo.txt, by its own awk command."""
    run = next(arguments for word, arguments in dockerfile if word == "RUN" and "awk" in arguments)
    command = run[: run.index("&&")].replace(
        "/opt/facturiere/requirements/extra.txt", str(directory / "extra.txt")
    )
    command = command.replace("/opt/facturiere/requirements/", f"{ROOT}/requirements/")
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True)
    return (directory / "extra.txt").read_text()


def test_libraries_beside_the_addons_are_the_locked_ones(dockerfile, tmp_path):
    text = extra_requirements(dockerfile, tmp_path)
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.M))
    assert set(pins) == {"openupgradelib", "cssselect", "fonttools"}
    everything = locked("odoo.txt")
    assert all(everything[package] == version for package, version in pins.items())
    for block in re.split(r"(?m)^(?=\S)", text)[1:]:
        assert "--hash=sha256:" in block and not block.rstrip().endswith("\\"), block


def test_every_locked_addon_has_a_hash_and_no_need_that_the_image_cannot_meet(dockerfile, tmp_path):
    text = (ROOT / "requirements" / "oca.txt").read_text()
    assert len(re.findall(r"^\S+==", text, re.M)) == len(
        re.findall(r"^\S+==\S+ \\\n\s+--hash=sha256:", text, re.M)
    )
    # the official image is made from Odoo's own package, which depends on these
    image = {"odoo", "requests", "xlrd", "xlsxwriter"}
    extra = set(re.findall(r"^([a-z0-9-]+)==", extra_requirements(dockerfile, tmp_path), re.M))
    for package in locked("oca.txt"):
        for requirement in importlib.metadata.requires(package) or []:
            need = re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()
            assert need in image | extra | set(locked("oca.txt")), f"{package} needs {need}"


def test_every_dependency_of_our_addons_is_in_odoo_or_in_the_lock():
    manifests = {
        path.parent.name: ast.literal_eval(path.read_text())
        for path in ROOT.glob("addons/*/__manifest__.py")
    }
    oca = {name.removeprefix("odoo-addon-").replace("-", "_") for name in locked("oca.txt")}
    odoo = odoo_sources() / "addons"
    for addon, manifest in manifests.items():
        for dependency in manifest["depends"]:
            assert dependency in manifests or dependency in oca or (odoo / dependency).is_dir(), (
                addon,
                dependency,
            )


# --- odoo.conf


def odoo_sources():
    for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        if (Path(folder) / "odoo" / "tools" / "config.py").is_file():
            return Path(folder) / "odoo"
    home = Path(os.environ.get("FACTURIERE_HOME", ROOT / ".odoo"))
    return home / "root" / "usr" / "lib" / "python3" / "dist-packages" / "odoo"


def test_every_setting_and_option_is_one_of_odoos(compose, odoo_conf):
    source = (odoo_sources() / "tools" / "config.py").read_text()
    known = set(re.findall(r"""["']--([a-z][a-z_-]+)["']""", source)) | set(
        re.findall(r"""dest=["'](\w+)["']""", source)
    )
    for option in odoo_conf.options("options"):
        assert option in known, option
    for word in compose["services"]["jobs"]["command"][1:]:
        assert word[2:].split("=")[0] in known, word
    entrypoint = (DOCKER / "entrypoint.sh").read_text()
    for option in set(re.findall(r"(?<=\s)--([a-z][a-z-]+)(?=[\s=])", entrypoint)):
        assert option in known, option


def test_odoo_trusts_the_proxy_and_hides_its_databases(odoo_conf):
    assert odoo_conf.getboolean("options", "proxy_mode")
    assert not odoo_conf.getboolean("options", "list_db")
    assert odoo_conf.get("options", "addons_path") == "/opt/facturiere/addons"
    assert "werkzeug:WARNING" in odoo_conf.get("options", "log_handler"), (
        "request lines hold access tokens"
    )


# --- nginx.conf


@pytest.mark.parametrize("broken", ["server { listen 80; ", "server } {", "listen 80", "a { b }"])
def test_the_reader_of_nginx_files_sees_what_is_broken(broken):
    with pytest.raises(ValueError):
        nginx_tree(broken)


def test_nginx_speaks_of_the_services_there_are(nginx, compose, odoo_conf):
    targets = {words[1]: words[2] for _path, words, _c in walk(nginx) if words[0] == "set"}
    ports = {
        "$odoo": odoo_conf.get("options", "http_port"),
        "$odoo_gevent": odoo_conf.get("options", "gevent_port"),
    }
    assert targets == {variable: f"http://web:{port}" for variable, port in ports.items()}
    passed = {words[1] for _path, words, _c in walk(nginx) if words[0] == "proxy_pass"}
    assert passed == set(targets)
    proxy = compose["services"]["proxy"]
    inside = {port.split(":")[1] for port in proxy["ports"]}
    assert {words[1] for _path, words, _c in walk(nginx) if words[0] == "listen"} == inside
    mounted = {f"/run/secrets/{secret}" for secret in proxy["secrets"]}
    assert {
        words[1] for _p, words, _c in walk(nginx) if words[0].startswith("ssl_certificate")
    } == mounted
    writable = [mount.split(":")[0] for mount in proxy["tmpfs"]]
    for _path, words, _children in walk(nginx):
        if words[0].endswith("_temp_path") or words[0] == "pid":
            assert words[1].startswith(tuple(f"{folder}/" for folder in writable)), words


def tls_server(nginx):
    http = next(children for words, children in nginx if words == ["http"])
    for words, children in http:
        if words == ["server"] and any(w[0] == "ssl_certificate" for w, _c in children):
            return children
    raise AssertionError("no server with TLS")


def test_nginx_is_tight(nginx):
    server = tls_server(nginx)
    values = {words[0]: words[1:] for words, _children in server}
    assert values["ssl_protocols"] == ["TLSv1.2", "TLSv1.3"]
    headers = {words[1]: words[2:] for words, _children in server if words[0] == "add_header"}
    assert set(headers) >= {
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
    }
    assert all(words[-1] == "always" for words in headers.values())
    assert int(re.search(r"max-age=(\d+)", headers["Strict-Transport-Security"][0])[1]) >= 31536000
    # nginx drops all inherited headers where a block has one of its own, sent or received
    for path, words, _children in walk(nginx):
        if any(block[0] == "location" for block in path):
            assert words[0] not in ("add_header", "proxy_set_header"), (path, words)
    told = {words[1]: words[2] for words, _children in server if words[0] == "proxy_set_header"}
    assert told["X-Forwarded-Proto"] == "https" and told["X-Forwarded-For"] == "$remote_addr"
    plain = [words for path, words, _c in walk(nginx) if words[0] == "return" and words[1] == "308"]
    assert plain == [["return", "308", "https://$host$request_uri"]]


def location_of(server, uri):
    """The location nginx takes: exact, else the first regular expression, else the longest."""
    regexes, prefixes = [], []
    for words, children in server:
        if words[0] == "location":
            if words[1] == "=" and words[2] == uri:
                return children
            if words[1] == "~" and re.search(words[2], uri):
                regexes.append(children)
            elif words[1].startswith("/") and uri.startswith(words[1]):
                prefixes.append((len(words[1]), children))
    return regexes[0] if regexes else max(prefixes)[1]


@pytest.mark.parametrize(
    "uri",
    [
        "/web/database/manager",
        "/web/database",
        "/fr/web/database/list",
        "/queue_job/runjob",
        "/fr_FR/queue_job/runjob",
        "/xmlrpc/2/common",
        "/jsonrpc",
    ],
)
def test_what_outsiders_have_no_business_with_is_not_there(nginx, uri):
    assert location_of(tls_server(nginx), uri) == [(["return", "404"], None)]


def test_patients_links_and_log_in_are_slowed_down(nginx):
    zones = {}
    for _path, words, _children in walk(nginx):
        if words[0] == "limit_req_zone":
            zones[words[2].split("=")[1].split(":")[0]] = words[3]
    server = tls_server(nginx)
    for uri in ("/ma-note/abc", "/fr/ma-note/abc/payer", "/web/login", "/web/session/authenticate"):
        limits = [words for words, _children in location_of(server, uri) if words[0] == "limit_req"]
        assert len(limits) == 1, uri
        zone = limits[0][1].split("=")[1]
        assert int(re.fullmatch(r"rate=(\d+)r/m", zones[zone])[1]) <= 60
    for uri in ("/odoo", "/web/assets/1/x.js", "/web/database_backup_explained"):
        assert not [
            words
            for words, _children in location_of(server, uri)
            if words[0] in ("limit_req", "return")
        ]
    assert ["proxy_pass", "$odoo_gevent"] in [
        words for words, _c in location_of(server, "/websocket")
    ]


def test_access_tokens_stay_out_of_the_log(nginx):
    formats = [words for _path, words, _children in walk(nginx) if words[0] == "log_format"]
    assert len(formats) == 1
    assert not re.search(
        r"\$(request|request_uri|args|query_string|uri|http_referer)\b", formats[0][2]
    )
    masks = next(
        children for _p, words, children in walk(nginx) if words == ["map", "$uri", "$logged_path"]
    )
    assert any(
        re.search(words[0][1:], "/ma-note/abc") for words, _c in masks if words[0].startswith("~")
    )


def test_proxy_waits_at_least_as_long_as_odoo_works(nginx, odoo_conf):
    values = {words[0]: words[1] for words, _children in tls_server(nginx) if len(words) == 2}
    assert int(values["proxy_read_timeout"].removesuffix("s")) > odoo_conf.getint(
        "options", "limit_time_real"
    )


def test_nginx_accepts_its_file_where_it_is_installed(tmp_path):
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary and shutil.which("openssl"):
        certificate = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
        ]
        subprocess.run(
            [*certificate, "-keyout", tmp_path / "tls_key", "-out", tmp_path / "tls_certificate"],
            check=True,
            capture_output=True,
        )
        (tmp_path / "mime.types").write_text("types { text/html html; }\n")
        text = (DOCKER / "nginx.conf").read_text()
        text = re.sub(r" (/run/secrets|/etc/nginx|/tmp)/", f" {tmp_path}/", text)
        version = subprocess.run([binary, "-v"], capture_output=True, text=True).stderr
        if tuple(map(int, re.search(r"(\d+)\.(\d+)\.(\d+)", version).groups())) < (1, 25, 1):
            text = text.replace("http2 on;", "")
        (tmp_path / "nginx.conf").write_text(text)
        result = subprocess.run(
            [binary, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr


# --- the scripts, run against a real PostgreSQL


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_executable_strict_and_well_formed(script):
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    assert subprocess.run(["bash", "-n", script], capture_output=True).stderr == b""
    if shutil.which("shellcheck"):
        result = subprocess.run(["shellcheck", script], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def postgres():
    """Environment in which psql, pg_dump … reach the checkout's PostgreSQL."""
    if not os.environ.get("PGHOST"):
        pytest.skip("no PostgreSQL is named (PGHOST): run it through bin/test")
    home = Path(os.environ.get("FACTURIERE_HOME", ROOT / ".odoo"))
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *(home / "pgroot/usr/lib/postgresql").glob("*/bin"),
    ]
    folders = sorted(
        (str(f) for f in folders if (f / "pg_dump").exists()),
        key=lambda f: float(re.findall(r"/(\d+)/bin", f)[0]),
    )
    environment = {**os.environ, "PATH": os.pathsep.join([*folders[-1:], os.environ["PATH"]])}
    libraries = [str(path) for path in (home / "pgroot/usr/lib").glob("*-linux-gnu")]
    if libraries:
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    return environment


@pytest.fixture
def site(postgres, tmp_path):
    """A database with one attached file, and the folders and variables that the containers have."""
    name = f"facturiere_docker_{uuid.uuid4().hex[:8]}"
    environment = {
        **postgres,
        "PGDATABASE": name,
        "BACKUP_DIR": str(tmp_path / "backups"),
        "FILESTORE": str(tmp_path / "filestore"),
        "KEEP_DAILY": "3",
        "KEEP_MONTHLY": "2",
        "TZ": "UTC",
    }
    (tmp_path / "backups").mkdir()
    (tmp_path / "filestore" / name / "ab").mkdir(parents=True)
    (tmp_path / "filestore" / name / "ab" / "abcd").write_text("scan")
    site = Site(name, environment, tmp_path)
    site.sql("postgres", f'CREATE DATABASE "{name}"')
    site.sql(
        name,
        "CREATE TABLE ir_attachment (id serial, store_fname text);"
        "INSERT INTO ir_attachment (store_fname) VALUES ('ab/abcd'), (NULL);"
        "CREATE TABLE account_move (state text, date date);"
        "INSERT INTO account_move VALUES ('posted', '2026-03-02'), ('draft', NULL);"
        "CREATE TABLE account_move_line (parent_state text, balance numeric);"
        "INSERT INTO account_move_line VALUES ('posted', 16.13), ('posted', -16.13)",
    )
    yield site
    for database in site.databases():
        site.sql("postgres", f'DROP DATABASE "{database}" WITH (FORCE)')


class Site:
    def __init__(self, name, environment, folder):
        self.name, self.environment, self.folder = name, environment, folder
        self.backups, self.filestore = folder / "backups", folder / "filestore"

    def run(self, script, *arguments, **variables):
        environment = {**self.environment, **variables}
        return subprocess.run(
            [DOCKER / script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def sql(self, database, statement):
        command = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    def databases(self):
        return self.sql(
            "postgres", f"SELECT datname FROM pg_database WHERE datname LIKE '{self.name}%'"
        ).split()

    def kept(self):
        return sorted(path.name for path in self.backups.iterdir() if path.is_dir())


def test_backup_drill_and_replacement(site):
    assert site.run("backup.sh", "check").returncode == 1, "there is a database and no backup"
    made = site.run("backup.sh", "once")
    assert made.returncode == 0, made.stderr
    (name,) = site.kept()
    assert {path.name for path in (site.backups / name).iterdir()} == {
        "database.dump",
        "filestore.tar.gz",
        "SHA256SUMS",
    }
    assert stat.S_IMODE((site.backups / name / "database.dump").stat().st_mode) & 0o007 == 0
    assert site.run("backup.sh", "check").returncode == 0
    assert site.run("restore.sh", "list").stdout.split()[::2] == [name, "whole"]

    drill = site.run("restore.sh", "drill")
    assert drill.returncode == 0, drill.stderr
    assert "entries posted: 1, last of 2026-03-02" in drill.stdout
    assert "ledger difference: 0.00" in drill.stdout
    assert site.databases() == [site.name]
    assert [path.name for path in site.filestore.iterdir()] == [site.name]

    # something happens after the backup; then it is called back
    site.sql(site.name, "DELETE FROM account_move")
    (site.filestore / site.name / "ab" / "abcd").unlink()
    replaced = site.run("restore.sh", "replace", "latest")
    assert replaced.returncode == 0, replaced.stderr
    assert site.sql(site.name, "SELECT count(*) FROM account_move") == "2"
    assert (site.filestore / site.name / "ab" / "abcd").read_text() == "scan"
    (before,) = set(site.databases()) - {site.name}
    assert before.startswith(f"{site.name}_before_")
    assert site.sql(before, "SELECT count(*) FROM account_move") == "0"
    assert (site.filestore / before / "ab").is_dir()


def test_restore_refuses_what_is_damaged_incomplete_or_unknown(site):
    site.run("backup.sh", "once")
    (name,) = site.kept()
    assert site.run("restore.sh", "replace", "2001-01-01T000000Z").returncode == 1
    with (site.backups / name / "database.dump").open("ab") as dump:
        dump.write(b"x")
    damaged = site.run("restore.sh", "replace", name)
    assert damaged.returncode == 1 and "damaged" in damaged.stderr
    assert site.run("restore.sh", "list").stdout.split()[2] == "DAMAGED"
    assert site.databases() == [site.name]

    (site.filestore / site.name / "ab" / "abcd").unlink()
    site.run("backup.sh", "once")
    incomplete = site.run("restore.sh", "drill", "latest")
    assert incomplete.returncode == 1 and "1 attached files are missing" in incomplete.stderr
    assert site.databases() == [site.name], "what a failed restore made is gone"


def test_a_failed_backup_leaves_nothing_that_looks_like_one(site):
    missing = site.run("backup.sh", "once", PGDATABASE=f"{site.name}_none")
    assert missing.returncode == 1
    (site.folder / "bin").mkdir()
    broken = site.folder / "bin" / "pg_dump"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    failed = site.run("backup.sh", "once", PATH=f"{broken.parent}:{site.environment['PATH']}")
    assert failed.returncode == 3
    assert site.kept() == []
    assert not (site.backups / "last-success").exists()


def test_old_backups_go_and_the_first_of_a_month_stays(site):
    old = [
        "2026-01-01T013000Z",
        "2026-01-02T013000Z",
        "2026-02-01T013000Z",
        "2026-02-27T013000Z",
        "2026-02-28T013000Z",
    ]
    for name in [*old, "not-ours"]:
        (site.backups / name).mkdir()
    result = site.run("backup.sh", "once")
    assert result.returncode == 0, result.stderr
    today = max(set(site.kept()) - {"not-ours"})
    # the last three; and of the last two months with a backup (today's and February) the first
    assert site.kept() == [
        "2026-02-01T013000Z",
        "2026-02-27T013000Z",
        "2026-02-28T013000Z",
        today,
        "not-ours",
    ]


def test_entry_point_keeps_the_password_in_a_private_file(site):
    for folder in ("secrets", "run"):
        (site.folder / folder).mkdir()
    (site.folder / "secrets" / "db_password").write_text("a:b\\c d\n")
    variables = {
        "FACTURIERE_SECRETS": str(site.folder / "secrets"),
        "FACTURIERE_RUN": str(site.folder / "run"),
        "FACTURIERE_CONF": str(DOCKER / "odoo.conf"),
        "PGPASSFILE": str(site.folder / "run" / "pgpass"),
    }
    told = site.run("entrypoint.sh", "env", **variables)
    assert told.returncode == 0, told.stderr
    assert "a:b" not in told.stdout
    assert f"ODOO_RC={site.folder}/run/odoo.conf" in told.stdout.splitlines()
    passwords = site.folder / "run" / "pgpass"
    assert passwords.read_text() == "*:*:*:*:a\\:b\\\\c d\n"
    conf = site.folder / "run" / "odoo.conf"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (passwords, conf)} == {0o600}
    parser = configparser.RawConfigParser()
    parser.read(conf)
    first = parser.get("options", "admin_passwd")
    assert len(first) == 64 and parser.get("options", "list_db") == "False"
    site.run("entrypoint.sh", "true", **variables)
    parser.read(conf)
    assert parser.get("options", "admin_passwd") != first

    (site.folder / "secrets" / "db_password").unlink()
    refused = site.run("entrypoint.sh", "env", **variables)
    assert refused.returncode == 1 and "db_password" in refused.stderr


def test_database_settings_are_ones_of_postgresql(site, compose):
    settings = [word.split("=") for word in compose["services"]["db"]["command"] if "=" in word]
    for name, value in settings:
        assert (
            site.sql(site.name, f"SELECT count(*) FROM pg_settings WHERE name = '{name}'") == "1"
        ), (name, value)
    logged = dict(settings)
    assert logged["log_min_error_statement"] == "panic"
    assert "log_statement" not in logged and "log_min_duration_statement" not in logged
