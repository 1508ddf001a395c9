"""Similarity: from 0 to 1, the same both ways and in batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.model.similar import Measure, similarities, similarity, similarity_table

MEASURES = st.sampled_from(Measure)


@given(st.text(max_size=10), st.text(max_size=10), MEASURES)
def test_it_lies_between_nothing_and_all_and_has_no_direction(first, second, measure):
    score = similarity(first, second, measure=measure)
    assert 0 <= score <= 1
    assert score == pytest.approx(similarity(second, first, measure=measure))


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4), MEASURES)
def test_batches_say_what_single_pairs_say(texts, measure):
    single = [similarity(text, texts[0], measure=measure) for text in texts]
    assert similarities(texts, [texts[0]] * len(texts), measure=measure).tolist() == pytest.approx(single)
    assert similarity_table(texts, texts[:1], measure=measure)[:, 0].tolist() == pytest.approx(single)
