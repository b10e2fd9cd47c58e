"""The rule for one photo and the rule for arrays agree, on the very edges too."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.labels import doubts, predicted_classes, predicted_labels
from sorter.model.rule import UNSURE, Rule
from sorter.types import Scores

CLASSES = ("a", "b", "c", "d")
EDGES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
PROBABILITY = st.one_of(EDGES, st.floats(0, 1))
UNSURE_BAND = st.none() | st.tuples(PROBABILITY, PROBABILITY).map(lambda pair: (min(pair), max(pair)))
THRESHOLD = st.one_of(st.sampled_from([0.25, 0.5, 0.75]), st.floats(0.001, 0.999))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Two classes of which either is positive, or more."""
    count = draw(st.integers(2, 4))
    positive = draw(st.sampled_from(CLASSES[:2])) if count == 2 else None
    return Rule(CLASSES[:count], positive, draw(THRESHOLD), draw(UNSURE_BAND))


@given(rules(), st.data())
def test_both_forms_of_the_rule_agree(rule: Rule, data: st.DataObject) -> None:
    count = len(rule.classes)
    if rule.binary:
        values = [(one, 1 - one) for one in data.draw(st.lists(PROBABILITY, min_size=1, max_size=8))]
    else:
        row = st.tuples(*[PROBABILITY] * count)
        values = data.draw(st.lists(row, min_size=1, max_size=8))
    decisions = [rule(Scores(each, 1, 1)) for each in values]
    table = np.array(values, np.float64)
    at = rule.positive_index
    probability = table.max(1) if at is None else table[:, at]
    codes = predicted_labels(rule, probability, table.argmax(1).astype(np.int16))
    labels = (*rule.classes, UNSURE)
    assert [labels[code] for code in codes] == [decision.label for decision in decisions]
    assert probability.tolist() == [decision.probability for decision in decisions]
    sure = Rule(rule.classes, rule.positive, rule.threshold)
    classes = predicted_classes(table, at, rule.threshold)
    assert [rule.classes[code] for code in classes] == [sure(Scores(each, 1, 1)).label for each in values]
    assert np.all((doubts(rule, probability) >= 0) & (doubts(rule, probability) <= 1))


@given(rules())
def test_a_rule_comes_back_from_json(rule: Rule) -> None:
    assert Rule.from_json(list(rule.classes), rule.positive, rule.to_json()) == rule


def test_what_was_not_scored_has_no_label() -> None:
    missing = np.array([np.nan])
    for rule in (Rule(("a", "b"), "a", 0.5, (0, 1)), Rule(("a", "b", "c"), None, 0.5)):
        assert predicted_labels(rule, missing, np.array([-1], np.int16)).tolist() == [-1]
        assert np.isnan(doubts(rule, missing)).all()
