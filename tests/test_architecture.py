"""The import rules (docs/architecture.md), read from the code itself."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "rl_teacher"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "versions" not in path.parts)

FORBIDDEN = {
    "agents": {"reward", "teachers", "queries", "feedback", "loop", "rounds", "server"},
    "feedback": {"plug", "server", "teachers", "agents", "envs", "reward", "loop", "rounds", "clips"},
    "server": {
        "teachers",
        "agents",
        "envs",
        "reward",
        "loop",
        "rounds",
        "clips",
        "queries",
        "session",
        "teach",
        "build",
        "insight",
        "plug",
    },
    "insight": {
        "plug",
        "agents",
        "teachers",
        "envs",
        "reward",
        "queries",
        "loop",
        "rounds",
        "server",
        "clips",
        "session",
        "build",
    },
    "reward": {"plug", "agents", "teachers", "queries", "feedback", "envs", "loop", "rounds", "server", "clips"},
    "queries": {"plug", "agents", "teachers", "reward", "feedback", "envs", "loop", "rounds", "server", "clips"},
    "envs": {"plug", "agents", "teachers", "reward", "queries", "feedback", "loop", "rounds", "server", "clips"},
    "clips": {"plug", "agents", "teachers", "reward", "queries", "feedback", "loop", "rounds", "server"},
    "teachers": {"plug", "agents", "reward", "queries", "envs", "loop", "rounds", "server"},
    "plug": {"agents", "teachers", "queries", "feedback", "server", "clips", "session", "build", "teach"},
    "protocols": {
        "plug",
        "agents",
        "teachers",
        "reward",
        "queries",
        "feedback",
        "envs",
        "loop",
        "rounds",
        "server",
        "clips",
    },
    "trajectory": {
        "plug",
        "protocols",
        "config",
        "agents",
        "teachers",
        "reward",
        "queries",
        "feedback",
        "envs",
        "loop",
        "rounds",
    },
}
AGENTS_MAY = {"rl_teacher.plug.wrappers", "rl_teacher.plug.adapting"}
LOOP_MAY = {"rounds", "protocols", "trajectory", "pace", "errors"}
ROUNDS_MAY = {"protocols", "pace"}
HEAVY = {"torch", "gymnasium", "mujoco", "envpool", "safetensors.torch"}


def imports(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it, without those for type checkers only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part(module: str) -> str:
    """rl_teacher.envs.make → envs."""
    return module.split(".")[1] if module.startswith("rl_teacher.") else ""


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_go_in_one_direction(path):
    owner = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    wrong = {module for module in imports(path) if part(module) in FORBIDDEN.get(owner, set())}
    assert not wrong


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name == "agents"], ids=name)
def test_agents_use_no_more_of_the_plug_than_its_wrappers(path):
    used = {module for module in imports(path) if part(module) == "plug"}
    assert all(any(module.startswith(may) for may in AGENTS_MAY) for module in used)


def test_the_loop_knows_only_verbs():
    assert {part(module) for module in imports(PACKAGE / "loop.py")} - {""} == LOOP_MAY
    assert {part(module) for module in imports(PACKAGE / "rounds.py")} - {""} == ROUNDS_MAY


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name in {"feedback", "server", "routes"}], ids=name)
def test_feedback_and_server_import_no_torch_and_no_simulator(path):
    assert not {module for module in imports(path) if module.split(".")[0] in HEAVY}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_pickle_on_any_path(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {module.split(".")[0] for module in imports(path)} & {"pickle", "cloudpickle", "dill", "joblib"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load":
            owner = ast.unparse(node.func.value)
            guarded = any(k.arg == "allow_pickle" and ast.unparse(k.value) == "False" for k in node.keywords)
            assert guarded or owner not in {"torch", "np", "numpy"}, f"{owner}.load at line {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_assert_for_users_and_no_swallowed_exception(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert), f"assert at line {node.lineno}: raise instead"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except at line {node.lineno}"
            empty = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
            assert not empty, f"swallowed exception at line {node.lineno}"


def test_no_module_bears_a_foreign_name():
    """`python rl_teacher/teach.py` puts the package's folder on the import path: a `types.py` would be found first."""
    mine = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__init__.py"}
    taken = set(sys.stdlib_module_names) | set(packages_distributions()) - {"rl_teacher"}
    taken.discard("build")  # not the builder of wheels, but a folder that was left in TorchRL's wheel
    assert not mine & taken


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_files_stay_readable(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330
