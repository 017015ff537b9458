"""How mistakes are shown."""

from syncer.config.render import render
from syncer.errors import ConfigError, Problem


def test_a_mistake_has_its_place_its_line_and_a_caret() -> None:
    problem = Problem("E102", 'unknown key "sorce", did you mean "source"?', 14, 5, "  - sorce: nginx")

    assert render(ConfigError("mirrors.yaml", [problem])).splitlines() == [
        'mirrors.yaml:14:5: error[E102]: unknown key "sorce", did you mean "source"?',
        "    14 |   - sorce: nginx",
        "       |     ^",
        "1 error. `syncer explain E102` tells more.",
    ]


def test_a_mistake_of_the_file_as_a_whole_has_no_line() -> None:
    text = render(ConfigError("m.yaml", [Problem("E101", "the file cannot be read"), Problem("E107", "x")]))

    assert text.splitlines() == [
        "m.yaml: error[E101]: the file cannot be read",
        "m.yaml: error[E107]: x",
        "2 errors. `syncer explain E101` tells more.",
    ]


def test_the_caret_stands_below_its_column_after_wide_characters_and_in_long_lines() -> None:
    wide = render(ConfigError("m", [Problem("E112", "x", 1, 4, "镜像:!")])).splitlines()
    long = render(ConfigError("m", [Problem("E112", "x", 1, 301, "a" * 300 + "!" + "b" * 300)])).splitlines()

    assert wide[2].index("^") == wide[1].index("!") + 2
    assert long[2].index("^") == long[1].index("!")
    assert len(long[1]) < 120
