"""What every test may use."""

import pytest
import tables
from hypothesis import Phase, settings

# For `make mutants`: it matters that something fails, every time the same, and not what the smallest example is.
settings.register_profile("mutants", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate])


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
