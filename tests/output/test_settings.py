"""What a run was configured with, as the journal keeps it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sorter.clean.remove import SETTINGS
from sorter.model.rule import Rule
from sorter.output.journal import Journal, JournalError, RunSettings
from sorter.types import ActionKind

# Word for word what version 0.1 wrote.
RUN = (
    '{"model": "car", "model_folder": "/models/car", "fingerprint": "f00d", "classes": ["car", "not-car"], '
    '"positive": "car", "action": "move", "layout": "tree", "rule": [0.5, [0.2, 0.6]], '
    '"inputs": ["/photos", "s3://bucket/more"], "exclude": ["*.png"], "hidden": true, "follow_symlinks": false}'
)
QUARANTINE = (
    '{"model": "none (sorter clean)", "model_folder": "", "fingerprint": "sorter clean", "classes": [], '
    '"positive": null, "action": "move", "layout": "tree", "rule": [null, null]}'
)


@pytest.mark.parametrize("text", [RUN, QUARANTINE])
def test_keys_are_those_of_version_0_1(text: str) -> None:
    assert json.dumps(RunSettings.from_json(json.loads(text)).to_json()) == text


def test_protected_folders_were_entered_only_where_the_key_is() -> None:
    run = RunSettings.from_json(json.loads(RUN))
    assert run.include_protected is False
    entered = replace(run, include_protected=True)
    assert entered.to_json() == run.to_json() | {"include_protected": True}
    assert RunSettings.from_json(entered.to_json()) == entered


def test_a_quarantine_has_no_rule() -> None:
    assert json.dumps(SETTINGS.to_json()) == QUARANTINE
    assert RunSettings.from_json(json.loads(QUARANTINE)) == SETTINGS
    assert SETTINGS.classes == ()


def test_a_reviewed_rule_is_in_force_until_it_is_applied() -> None:
    run = RunSettings.from_json(json.loads(RUN))
    assert (run.action, run.tree, run.rule_in_force) == (ActionKind.MOVE, True, run.rule)
    stricter = Rule(run.classes, "car", 0.9)
    reviewed = replace(run, reviewed_rule=stricter, rule_before=run.rule, export_of="/sorted")
    data = json.loads(json.dumps(reviewed.to_json()))
    assert (data["review"], data["rule_before"], data["export_of"]) == (
        [0.9, None],
        [0.5, [0.2, 0.6]],
        "/sorted",
    )
    assert RunSettings.from_json(data) == reviewed
    assert reviewed.rule_in_force == stricter


def test_settings_that_cannot_be_read_are_an_error_with_a_way_out(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path)) as journal:
        assert journal.run_settings() is None
        for damaged in ({}, {"classes": 3}, [], "settings", json.loads(RUN) | {"action": "burn"}):
            with journal.transaction():
                journal.set(run=damaged)
            with pytest.raises(JournalError, match=r"journal\.db: holds settings that cannot be read"):
                journal.run_settings()
