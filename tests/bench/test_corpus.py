"""The corpus: the same bytes whenever it is made, and every form of image in it."""

from bench import corpus


def digests(images: corpus.Images) -> dict[tuple[str, str], str]:
    return {(name, tag): image.digest for name, tags in images.items() for tag, image in tags.items()}


def test_it_is_the_same_whenever_it_is_made() -> None:
    assert digests(corpus.small(1 / 50)) == digests(corpus.small(1 / 50))


def test_it_is_what_the_figures_were_set_for() -> None:
    known = corpus.census(corpus.small())

    assert (known.repositories, known.tags) == (12, 50)
    assert 360e6 < known.placed_bytes < 400e6
    assert 160e6 < known.distinct_bytes < 180e6
    assert known.placed > known.distinct > 350


def test_every_form_of_image_is_in_it() -> None:
    images = corpus.small(1 / 50)
    every = [each for tags in images.values() for root in tags.values() for each in corpus.everything(root)]
    said = b"".join(each.raw for each in every)

    assert len({each.media_type for each in every}) == 4
    assert max(len(each.blobs) for each in every) == 61
    for sign in (b"attestation-manifest", b"tar+zstd", b"artifactType", b'"subject"', b"cosign", b"arm64"):
        assert sign in said


def test_a_change_moves_three_tags_and_keeps_their_bases() -> None:
    before, after = corpus.small(1 / 50), corpus.changes(1, 1 / 50)
    moved = digests(after)

    assert len(moved) == 3
    assert all(digests(before)[key] != digest for key, digest in moved.items())
    for name, tags in after.items():
        assert set(corpus.blobs(tags)) & set(corpus.blobs(before[name]))
    assert digests(corpus.changes(2, 1 / 50)) != moved


def test_unchanged_tags_are_images_of_their_own() -> None:
    tags = corpus.tiny_tags(100)

    assert len({image.digest for image in tags.values()}) == len(tags) == 100
