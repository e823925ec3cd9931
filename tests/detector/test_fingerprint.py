"""The fingerprint changes with everything that changes an embedding, and with nothing else."""

import dataclasses
import json

import pytest

from indexer.detector.registry import COMMUNITY_FORENSICS
from indexer.detector.spec import Head, fingerprint

WEIGHTS = "ab" * 32
ARCHITECTURE, PREPROCESSING, HEAD = (
    COMMUNITY_FORENSICS.architecture,
    COMMUNITY_FORENSICS.preprocessing,
    COMMUNITY_FORENSICS.head,
)
PLAIN = fingerprint(WEIGHTS, ARCHITECTURE, PREPROCESSING, HEAD)


def test_it_is_the_same_in_every_version_of_dejafake() -> None:
    assert PLAIN == "0cbcea5db345371d66a1ab2261cd87dc3b97165994754f28048894eaafd5f62b"


@pytest.mark.parametrize(
    "changed",
    [
        fingerprint("ac" * 32, ARCHITECTURE, PREPROCESSING, HEAD),
        fingerprint(WEIGHTS, dataclasses.replace(ARCHITECTURE, heads=12), PREPROCESSING, HEAD),
        fingerprint(WEIGHTS, dataclasses.replace(ARCHITECTURE, layer_norm_eps=1e-12), PREPROCESSING, HEAD),
        fingerprint(WEIGHTS, ARCHITECTURE, dataclasses.replace(PREPROCESSING, resample=2), HEAD),
        fingerprint(WEIGHTS, ARCHITECTURE, dataclasses.replace(PREPROCESSING, std=(0.5, 0.5, 0.5)), HEAD),
        fingerprint(WEIGHTS, ARCHITECTURE, PREPROCESSING, Head("softmax", 1, ("real", "fake"))),
    ],
    ids=["weights", "heads", "epsilon", "resampling", "std", "head"],
)
def test_it_changes_with_weights_preprocessing_and_head(changed: str) -> None:
    assert changed != PLAIN


def test_a_spec_is_plain_json() -> None:
    plain = COMMUNITY_FORENSICS.as_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["preprocessing"]["mean"] == [0.48145466, 0.4578275, 0.40821073]
    assert plain["head"] == {"kind": "sigmoid", "fake_index": 0, "classes": ["fake"]}
