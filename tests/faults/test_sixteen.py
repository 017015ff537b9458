"""The sixteen faults: whatever one of them does to a registry, the image arrives and the exit code says so."""

import pytest
import sixteen
from sixteen import IMAGE, Row


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """What syncer did with every row, each into an empty target of its own."""
    directory = tmp_path_factory.mktemp("sixteen")
    with sixteen.source_of(directory / "source") as source:
        return sixteen.all_rows(sixteen.syncer, source, directory)


def test_there_are_sixteen():
    assert len(sixteen.rows()) == len({row.name for row in sixteen.rows()}) == 16


@pytest.mark.parametrize("row", sixteen.rows(), ids=lambda row: row.name)
def test_the_image_arrives_and_the_exit_code_says_so(ended, row: Row):
    result = ended[row.name]
    assert result.fired == sixteen.wanted(row)
    assert (result.digest, result.code) == (IMAGE.digest, 0), result.said
    assert row.promise(result), (row.promised, result.pulled, result.source.passed)


def test_the_table_says_so_too(ended):
    assert sixteen.table({"syncer": ended}).endswith("| **right, and exit 0** | 16 of 16 |")


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_table_beside_skopeo(tmp_path):
    """What makes the table worth printing: syncer survives what the usual tool does not."""
    with sixteen.source_of(tmp_path / "source") as source:
        found = sixteen.all_copiers(source, tmp_path, limit=15)
    good = {copier: sum(each.good for each in ended.values()) for copier, ended in found.items()}
    assert good.pop("syncer") == 16
    assert all(1 <= count < 10 for count in good.values()), sixteen.table(found)
