"""Each attack that is known, S1 to S31, and the tests that hold it off; a name that is no test's is an error here.

S17 and S30, archives and pushes through a Docker engine, are held off by there being neither.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CODE = TESTS.parent / "syncer"
HERE, LAW_6, WIRE = "attacks", "behaviour/test_law_6_credentials.py", "behaviour/test_wire.py"
ORIGINS, ADDRESSES, CONTENT = f"{HERE}/test_origins.py", f"{HERE}/test_addresses.py", f"{HERE}/test_content.py"
BOMBS, LEAKS, FILES, ANYTHING = (f"{HERE}/test_{name}.py" for name in ("bombs", "leaks", "files", "anything"))

CATALOGUE: dict[str, dict[str, str]] = {
    "S1 a realm takes credentials": {
        ORIGINS: "no_credential_is_shown_at_another_realm",
        LAW_6: "docker_hubs_realm_belongs_to_docker_hub an_anonymous_realm_must_be_public",
        "unit/registry/test_urls.py": "a_credential_is_shown_at_no_realm_that_a_peer_refuses",
        "unit/registry/test_auth.py": "the_realm_of_the_first_challenge_stays",
    },
    "S2 credentials follow a redirect": {
        ORIGINS: "where_a_redirect_leads_no_credential_goes a_redirect_with_a_user_or_another_scheme_is_not_followed "
        "a_redirect_out_and_back_again_arrives_without_a_credential",
        LAW_6: "a_redirect_to_another_port_carries_nothing_of_ours a_location_that_is_no_plain_url_is_refused",
        "unit/registry/test_redirects.py": "a_sixth_redirect_is_refused",
    },
    "S3 an upload's Location names another host": {
        ORIGINS: "no_byte_of_a_layer_goes_to_another_upload_location what_is_pushed_is_never_redirected",
        "unit/repository/test_uploading.py": "no_byte_goes_to_another_origin",
    },
    "S4 a Link leads to another host": {
        ORIGINS: "a_list_of_tags_does_not_continue_elsewhere",
        "unit/repository/test_paging.py": "the_next_page_is_at_the_same_place",
    },
    "S5 private addresses": {
        ADDRESSES: "a_name_that_leads_to_a_private_address_is_refused_before_a_packet_leaves "
        "a_name_that_is_public_at_first_is_looked_at_again a_listener_of_this_machine_sees_no_connection "
        "an_address_is_no_more_public_for_being_wrapped an_address_in_disguise_is_no_host",
        ORIGINS: "the_cloud_s_metadata_is_not_asked_for",
        WIRE: "behind_a_proxy_a_private_address_is_still_refused",
    },
    "S6 down to http": {
        ORIGINS: "from_tls_nothing_leads_down_to_http",
        WIRE: "tls_is_never_given_up_for_plain_http "
        "verification_can_be_switched_off_for_an_endpoint_but_not_for_where_it_redirects",
    },
    "S7 another host's credential": {
        ORIGINS: "a_credential_is_for_exactly_the_origin_that_it_was_given_for",
        "unit/credentials/test_docker_config.py": "a_longer_host_with_the_same_beginning_gets_nothing",
        FILES: "a_config_of_docker_s_that_is_nonsense_is_named_and_not_quoted",
    },
    "S8 netrc, proxies, cookies": {
        ORIGINS: "a_cookie_is_neither_kept_nor_carried_on",
        WIRE: "nothing_of_the_users_environment_is_read a_proxy_gets_its_own_credential_and_the_registry_does_not",
    },
    "S9 a digest as a path": {
        CONTENT: "a_hostile_manifest_does_not_land",
        "unit/oci/test_digest.py": "any_text_is_a_digest_or_a_value_error",
        WIRE: "a_malformed_path_is_never_sent",
    },
    "S10 other content for a digest": {
        CONTENT: "other_content_than_asked_for_does_not_land whatever_the_digest_header_says_only_the_right_bytes_land",
    },
    "S11 two things at once": {
        CONTENT: "a_hostile_manifest_does_not_land a_content_type_that_contradicts_the_body_does_not_land",
    },
    "S12 sizes": {CONTENT: "a_hostile_manifest_does_not_land a_hostile_index_does_not_land"},
    "S13 bombs": {
        BOMBS: "an_endless_answer_is_cut_off four_mebibytes_of_small_values_are_not_unpacked",
        WIRE: "a_server_that_keeps_us_waiting_is_left",
    },
    "S14 nested and cyclic indexes": {
        CONTENT: "a_chain_of_two_hundred_indexes_is_refused_after_a_few "
        "a_diamond_of_a_thousand_paths_is_read_once_per_manifest an_index_that_holds_itself_is_a_lie_about_a_digest",
        BOMBS: "a_thousand_large_manifests_under_one_index_are_not_all_read",
    },
    "S15 foreign layers": {CONTENT: "a_layer_is_never_fetched_from_where_its_urls_say"},
    "S16 compressed answers": {
        CONTENT: "other_content_than_asked_for_does_not_land",
        WIRE: "compressed_content_is_neither_asked_for_nor_taken",
        f"{HERE}/test_catalogue.py": "nothing_is_ever_unpacked",
    },
    "S17 archives": {f"{HERE}/test_catalogue.py": "nothing_is_ever_unpacked"},
    "S18 embedded content": {CONTENT: "a_hostile_manifest_does_not_land"},
    "S19 names and headers": {
        "unit/repository/test_paging.py": "a_tag_that_cannot_be_is_named_and_nothing_of_the_list_believed",
        LEAKS: "what_a_server_says_stays_on_its_line_and_moves_no_terminal",
        "unit/registry/test_headers.py": "a_warning_is_shown_or_ignored",
    },
    "S20 lists that lie": {
        BOMBS: "a_cursor_that_comes_again_ends_a_list a_list_of_referrers_without_end_is_cut_off",
        "unit/repository/test_paging.py": "a_list_without_end_is_cut_off half_a_list_is_an_error "
        "more_entries_than_a_registry_can_have_are_an_error",
    },
    "S21 lying mirrors": {
        CONTENT: "six_lying_mirrors_are_named_and_the_right_bytes_land",
        "behaviour/test_law_2_tags.py": "a_mirror_without_trust_is_not_believed_however_resolve_reads",
    },
    "S22 mixed bytes": {
        CONTENT: "six_lying_mirrors_are_named_and_the_right_bytes_land",
        "unit/transfer/test_reading.py": "where_two_hosts_sent_parts_nobody_is_named",
    },
    "S23 poisoned state and spool": {
        FILES: "a_poisoned_state_knows_nothing_and_stops_nothing "
        "a_state_with_damaged_pages_knows_nothing_and_stops_nothing",
        "unit/transfer/test_spooling.py": "a_wrong_byte_on_disk_is_found_and_thrown_away",
    },
    "S24 YAML": {"unit/config/test_hostile_files.py": "what_would_take_the_machine_is_refused_at_once"},
    "S25 variables": {
        "unit/config/test_variables.py": "a_value_is_expanded_once keys_are_not_expanded",
        FILES: "a_variable_of_bytes_that_are_no_text_is_sent_as_it_is_and_hidden",
    },
    "S26 challenges": {
        "unit/registry/test_challenge.py": "more_than_the_limits_is_refused anything_else_is_a_value_error "
        "reading_takes_linear_time",
        ANYTHING: "whatever_is_answered_a_run_ends_in_outcomes_and_what_it_tagged_is_whole",
    },
    "S27 JSON": {
        "unit/oci/test_strict_json.py": "what_readers_could_differ_on_is_refused any_bytes_are_json_or_a_value_error "
        "a_document_has_at_most_so_many_values",
    },
    "S28 injection into reports and logs": {LEAKS: "what_a_server_says_stays_on_its_line_and_moves_no_terminal"},
    "S29 secrets in output": {
        LEAKS: "no_secret_is_in_anything_that_a_run_leaves no_secret_is_in_what_a_crash_leaves "
        "no_secret_is_in_a_dump_or_on_the_command_line",
        "unit/config/test_hostile_files.py": "no_message_shows_a_secret",
    },
    "S30 a Docker engine that does not tell": {f"{HERE}/test_catalogue.py": "no_docker_engine_is_spoken_to"},
    "S31 local files": {
        FILES: "a_link_that_was_planted_is_not_followed a_report_is_not_written_through_a_link_beside_it "
        "whatever_the_umask_state_and_spool_are_closed_to_others",
        "unit/state/test_spool.py": "what_is_planted_under_our_name_is_replaced_and_its_victim_left_alone "
        "a_directory_that_others_may_write_to_is_refused",
    },
}
PACKERS = {"bz2", "gzip", "lzma", "pickle", "shelve", "tarfile", "zipfile", "zlib", "zstandard"}


@cache
def collected_in(path: str) -> frozenset[str]:
    """The tests that pytest collects from a file: its functions, none of them marked to be left out."""
    functions = [node for node in ast.parse((TESTS / path).read_text()).body if hasattr(node, "decorator_list")]
    left_out = ("skip", "xfail", "soak")
    kept = (
        each for each in functions if not any(mark in ast.dump(d) for d in each.decorator_list for mark in left_out)
    )
    return frozenset(node.name.removeprefix("test_") for node in kept if node.name.startswith("test_"))


def test_no_attack_is_missing():
    assert [name.split()[0] for name in CATALOGUE] == [f"S{number}" for number in range(1, 32)]


@pytest.mark.parametrize("attack", CATALOGUE)
def test_each_attack_has_tests_that_are_collected(attack):
    assert CATALOGUE[attack]
    for path, names in CATALOGUE[attack].items():
        assert set(names.split()) - collected_in(path) == set(), path


def imported() -> dict[str, set[str]]:
    """The modules that each file of the product imports; the sandbox is none of it."""
    found = {}
    for path in CODE.rglob("*.py"):
        if "sandbox" not in path.parts:
            nodes = list(ast.walk(ast.parse(path.read_text())))
            names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
            found[str(path)] = names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return found


def test_nothing_is_ever_unpacked():
    """Blobs pass as they are: what is never decompressed and never extracted cannot swell or escape."""
    for path, names in imported().items():
        assert {name.split(".")[0] for name in names} & PACKERS == set(), path


def test_no_docker_engine_is_spoken_to():
    """Of docker's package only the reading of credentials is used: an engine's push fails without saying so."""
    used = {name for names in imported().values() for name in names if name.split(".")[0] == "docker"}

    assert used == {"docker.auth", "docker.errors"}
