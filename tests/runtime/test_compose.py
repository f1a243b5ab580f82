import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
COLLECTOR: dict[str, Any] = yaml.safe_load((ROOT / "ops" / "otel-collector.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"temporal-schema", "temporal-namespace", "migrations"}
LASTING = sorted(SERVICES.keys() - ONCE)


def awaited(condition: str) -> set[str]:
    return {
        name
        for service in SERVICES.values()
        for name, rule in service.get("depends_on", {}).items()
        if rule["condition"] == condition
    }


def test_everything_that_the_product_needs_is_there() -> None:
    assert {"postgres", "temporal", "temporal-ui", "migrations", "api", "worker", "mail"} <= SERVICES.keys()
    assert {"otel-collector", "jaeger"} <= SERVICES.keys()


@pytest.mark.parametrize("name", LASTING)
def test_whatever_keeps_running_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert check["retries"] > 0
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_whatever_runs_once_is_awaited() -> None:
    assert awaited("service_completed_successfully") == ONCE
    assert awaited("service_healthy") <= set(LASTING)
    assert all(SERVICES[name]["restart"].startswith("on-failure") for name in ONCE)


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY)\w*)([^}]*)\}", text)
    assert {name for name, _ in secrets} >= {"POSTGRES_PASSWORD", "OLIVE_DB_PASSWORD", "TEMPORAL_DB_PASSWORD"}
    # The mail server's password may be absent: the catcher needs none. It has no value either way.
    assert all(rule.startswith(":?") or rule == ":-" for _, rule in secrets), secrets


def test_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|SECRET|KEY", variable):
                assert str(value).startswith("${"), (name, variable)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^#? ?(\w*(?:PASSWORD|API_KEY))=(.+)$", example, re.MULTILINE) == []


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_have_a_version(name: str) -> None:
    service = SERVICES[name]
    inline = service.get("build", {}).get("dockerfile_inline", "") if isinstance(service.get("build"), dict) else ""
    built = {one["image"] for one in SERVICES.values() if "build" in one}
    images = re.findall(r"^FROM (\S+)", inline, re.MULTILINE) or sorted({service["image"]} - built)
    assert all(re.search(r":v?\d", image) for image in images)


def test_our_own_image_is_built_once() -> None:
    # Built by each of the three, it becomes three images (compose labels each with its service), and every
    # `up --build` then replaces what runs.
    assert [name for name in ("migrations", "api", "worker") if "build" in SERVICES[name]] == ["migrations"]


def test_a_temporal_of_ones_own_is_named_in_a_file_that_git_ignores() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    taken_off = set(re.findall(r"^# (\w+)=", example, re.MULTILINE))
    assert taken_off == {"OLIVE_TEMPORAL_ADDRESS", "OLIVE_UPDATES_IN_FLIGHT"}
    assert taken_off <= SERVICES["api"]["environment"].keys()
    for name in ("api", "worker"):
        # Not `environment`: a variable of the shell would come in too, and an empty key asks for TLS.
        assert SERVICES[name]["env_file"] == [{"path": "temporal.env", "required": False}]
        assert not any(variable.startswith("TEMPORAL_") for variable in SERVICES[name]["environment"])
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "temporal.env"} <= set(ignored)


def test_the_collector_ends_after_whoever_reports_to_it() -> None:
    assert all("otel-collector" in SERVICES[name]["depends_on"] for name in ("api", "worker"))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_mounted_file_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.partition(":")[0]
        if source.startswith("./"):
            assert (ROOT / source).is_file()


@pytest.mark.parametrize("name", ["api", "worker", "migrations"])
def test_our_own_processes_can_change_nothing_but_their_data(name: str) -> None:
    assert SERVICES[name]["read_only"]
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001$", dockerfile, re.MULTILINE)
    assert "--require-hashes -r requirements.lock" in dockerfile


def test_the_collector_receives_where_the_processes_send() -> None:
    endpoint = SERVICES["api"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert endpoint.endswith(COLLECTOR["receivers"]["otlp"]["protocols"]["http"]["endpoint"].partition(":")[2])
    for pipeline in COLLECTOR["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= COLLECTOR[part].keys()


def test_the_cluster_takes_as_many_updates_as_the_embedded_server() -> None:
    config = yaml.safe_load((ROOT / "ops" / "temporal-dynamic-config.yaml").read_text(encoding="utf-8"))
    assert config == {"history.maxInFlightUpdates": [{"value": 1000}]}


@pytest.mark.parametrize("script", [".ci/run", "ops/postgres-init.sh", "ops/temporal-schema.sh"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o100
    shell = "bash" if path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash") else "sh"
    subprocess.run([shell, "-n", str(path)], check=True)


def test_the_image_holds_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tops = {package.partition(".")[0] for package in project["tool"]["setuptools"]["packages"]}
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    assert copied == tops
