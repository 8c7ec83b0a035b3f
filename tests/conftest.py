"""What every test can ask for, and the rule that on a build machine nothing is skipped."""

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests import order
from tests.e2e.kit import services

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"with CI=true a skip is a failure: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Outside of the limit on a test's time: what it waits for its turn does not count."""
    with order.turn(item.nodeid, os.environ.get("PYTEST_XDIST_TESTRUNUID")):
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """On two cores the tests of a group run in one process, see `order.py`."""
    return order.Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On two cores the group that takes longest is first; one process runs them as they are found."""
    if hasattr(config, "workerinput"):
        order.longest_first(items)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis of this test run alone."""
    with services.redis() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL of this test run alone: postgresql://…, without a driver's name."""
    with services.postgres() as url:
        yield url
