"""Chores: what a person starts now and then. What CI runs stands in ``[tool.tox]``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.sessions = []
nox.options.error_on_missing_interpreters = True

CONSTRAINTS = Path("constraints.txt")
CONSTRAINTS_HEAD = """\
# The versions CI and contributors use, one set for Python 3.11.0 to 3.14: the library, its `dev`
# group and its build back end. Renewed by `nox -s constraints`."""


def install(session: nox.Session, *groups: str, library: bool = True) -> None:
    """Install dependency groups, and the library in place, at the pinned versions."""
    wanted = [part for group in groups for part in ("--group", group)]
    session.install(*wanted, *(["-e", "."] if library else []), env={"PIP_CONSTRAINT": str(CONSTRAINTS)})


@nox.session
def bench(session: nox.Session) -> None:
    """Run every benchmark beside its peers: `nox -s bench -- --quick`, or one: `-- records --json`."""
    install(session, "bench")
    named = [each for each in session.posargs if not each.startswith("-")]
    options = [each for each in session.posargs if each.startswith("-")]
    scripts = [Path("bench", name).with_suffix(".py") for name in named] or sorted(Path("bench").glob("[!_]*.py"))
    for script in scripts:
        session.run("python", str(script), *options)


@nox.session
def proofs(session: nox.Session) -> None:
    """Search long: every property with 10,000 examples. A seed given resumes that run."""
    install(session, "tests")
    session.run(
        "pytest",
        *(session.posargs or ["-n", "logical", "--dist", "loadfile", "tests/property"]),
        env={"HYPOTHESIS_PROFILE": "long"},
    )


def prove(session: nox.Session, *tests: str, **settings: str) -> None:
    """Run proofs longer than CI does. ``NUBETIS_TEST_SEED`` repeats a run, ``NUBETIS_SHARD=2/4`` does a part of it."""
    install(session, "tests")
    session.run("pytest", *tests, *session.posargs, env=settings)


@nox.session
def races(session: nox.Session) -> None:
    """Let 8 processes fight 100 rounds, on each store, for guarded pools, the last administrator, and rows."""
    tests = ("tests/proof/test_processes.py", "tests/proof/test_history.py", "-k", "not killed")
    prove(session, *tests, NUBETIS_PROCESSES="8", NUBETIS_ROUNDS="100")


@nox.session
def kills(session: nox.Session) -> None:
    """Kill an import 1,000 times on each store at random moments and resume it."""
    prove(session, "tests/proof/test_processes.py", "-k", "killed", NUBETIS_KILLS="1000")


@nox.session
def contract(session: nox.Session) -> None:
    """Let the state machine of the contract suite look long for a difference between each store and memory."""
    prove(session, "tests/contract", "-k", "any_order", HYPOTHESIS_PROFILE="long")


@nox.session
def power(session: nox.Session) -> None:
    """Cut the power of SQLite 2,000 times in each profile (needs strace), and crash PostgreSQL 100 times."""
    tests = ("tests/proof/test_power.py", "tests/proof/test_server_power.py")
    prove(session, *tests, NUBETIS_IMAGES="2000", NUBETIS_CRASHES="100")


@nox.session
def tampering(session: nox.Session) -> None:
    """Tamper 10,000 times with the journal, on each store, with and without a key."""
    prove(session, "tests/session/test_seals.py", "-k", "every_tampering", NUBETIS_TAMPERING="40000")


@nox.session
def filters(session: nox.Session) -> None:
    """Compare 1,000,000 pairs of filter and record in Python, in memory, in SQLite and in PostgreSQL."""
    install(session, "tests")
    session.run("python", "-m", "tests.property.proof_filters", "--pairs", "1000000", *session.posargs)


@nox.session
def access(session: nox.Session) -> None:
    """Hold random worlds to the oracle by 1,000,000 checks, in memory, in SQLite and in PostgreSQL: who has what."""
    install(session, "tests")
    session.run("python", "-m", "tests.access.proof_access", "--checks", "1000000", *session.posargs)


@nox.session
def interference(session: nox.Session) -> None:
    """Make 10,000 calls in pairs of worlds that differ only in what somebody may not see; answers are the same."""
    install(session, "tests")
    session.run("python", "-m", "tests.access.proof_interference", "--calls", "10000", *session.posargs)


@nox.session(name="docs-live")
def docs_live(session: nox.Session) -> None:
    """Serve the documentation and build it anew at each change."""
    install(session, "docs")
    session.install("sphinx-autobuild")
    session.run("sphinx-autobuild", "--watch", "src", "docs", "docs/_build/html", *session.posargs)


@nox.session
def messages(session: nox.Session) -> None:
    """Collect the texts users see, merge them into each catalogue, compile: `src/nubetis/locale`."""
    install(session, "chores")
    session.run("python", "chores/messages.py")


@nox.session
def constraints(session: nox.Session) -> None:
    """Pin the newest versions that fit together on the oldest Python we support, its first patch level.

    Wheels that want 3.11.5 do not install on the 3.11.2 of Debian 12, so a plain freeze would not do.
    """
    report = Path(session.create_tmp(), "report.json")
    oldest = ("--python-version", "3.11", "--only-binary=:all:", "--target", str(report.parent))
    resolve = ("install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report))
    wanted = nox.project.load_toml("pyproject.toml")["project"]["dependencies"]
    session.run("python", "-m", "pip", *resolve, *oldest, "--group", "dev", "hatchling", *wanted)
    chosen = [each["metadata"] for each in json.loads(report.read_text("utf-8"))["install"]]
    pins = sorted((f"{each['name']}=={each['version']}" for each in chosen), key=str.lower)
    CONSTRAINTS.write_text("\n".join([CONSTRAINTS_HEAD, *pins, ""]), encoding="utf-8")


@nox.session
def release(session: nox.Session) -> None:
    """Join the changelog fragments and build what is uploaded: `nox -s release -- 0.1.0`."""
    (version,) = session.posargs
    install(session, "lint", "chores", library=False)
    shutil.rmtree("dist", ignore_errors=True)
    session.run("towncrier", "build", "--yes", "--version", version)
    session.run("python", "-m", "build")
