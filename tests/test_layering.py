import ast
import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
TOPS = sorted({package.partition(".")[0] for package in PACKAGES})
MAY_KNOW = {
    "programme": {"programme", "pydantic", "rfc8785", "yaml"},
    "workflows": {"programme", "pydantic", "temporalio", "workflows"},
}
# Modules that make two runs of the same rules differ. Time and chance come into the core as arguments.
UNREPEATABLE = {"asyncio", "random", "secrets", "socket", "subprocess", "threading", "time", "urllib"}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in named}


def modules_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(MAY_KNOW))
def test_nothing_from_outside_slips_into_the_durable_part(package: str) -> None:
    strangers = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules_of(package)
        for name in imports(path) - MAY_KNOW[package] - set(sys.stdlib_module_names)
    }
    assert not strangers


def test_the_core_imports_neither_clock_nor_chance() -> None:
    found = {f"{path.relative_to(ROOT)}: {name}" for path in modules_of("programme") for name in imports(path)}
    assert not {entry for entry in found if entry.rpartition(": ")[2] in UNREPEATABLE}


def test_every_folder_with_code_is_listed_for_installation() -> None:
    folders = {str(path.parent.relative_to(ROOT)).replace("/", ".") for top in TOPS for path in modules_of(top)}
    assert folders == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_run_no_code_when_they_are_imported(package: str) -> None:
    assert (ROOT / package.replace(".", "/") / "__init__.py").read_bytes() == b""


@pytest.mark.parametrize("name", TOPS)
def test_nobody_else_in_this_environment_provides_our_names(name: str) -> None:
    assert name not in sys.stdlib_module_names
    owners = set(importlib.metadata.packages_distributions().get(name, []))
    assert owners <= {"olivebranch"}
