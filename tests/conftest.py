"""What every test may use."""

import pytest
import tables


def pytest_addoption(parser):
    parser.addoption(tables.OPTION, metavar="DIR", help="run the table tests on the tables in DIR as well")


def pytest_configure(config):
    config.addinivalue_line("markers", "table(name, own, where={}): run once per case of a table; see tests/tables.py")


def pytest_generate_tests(metafunc):
    tables.parametrize(metafunc)


@pytest.fixture
def tables_dir(pytestconfig):
    """The directory that --tables names, or None."""
    return tables.directory(pytestconfig)
