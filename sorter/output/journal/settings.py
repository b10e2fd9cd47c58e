"""What a run was configured with. The journal keeps it, so that a later command goes on in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorter.address import path_of
from sorter.model.rule import Rule
from sorter.output.tags import NO_TAGS, TagSettings
from sorter.photos.rows import FileList
from sorter.types import ActionKind

NO_RULE = Rule((), None, 0.5)  # where no model decided


@dataclass(frozen=True)
class RunSettings:
    """The settings of the last run into an output folder.

    Attributes:
        model: the model's name.
        model_folder: where the model lies; None where no model decided.
        fingerprint: the model's. It changes when a score can change.
        action: how photos got into their folders.
        layout: as for `sorter run --layout`.
        rule: what the folders were made with. It is `NO_RULE` in the quarantine of `sorter clean`.
        inputs: the folders and photos that were sorted.
        exclude: patterns as in a .gitignore.
        hidden: names that begin with a dot were scanned, too.
        follow_symlinks: linked folders were entered.
        reviewed_rule: a rule chosen in a review. It waits to be applied.
        rule_before: the rule of the run itself, where a review was applied since.
        export_of: where the photos are copies from the review of another output folder: that folder.
        include_protected: folders of other programs were entered.
        listing: the list that named the photos, where one did.
        links: `absolute` or `relative`, as for `sorter run --links`.
        companions: `auto` or `none`, as for `sorter run --companions`.
        tags: what `--action tag` writes for a class.
    """

    model: str
    model_folder: Path | None
    fingerprint: str
    action: ActionKind
    layout: str
    rule: Rule
    inputs: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = False
    reviewed_rule: Rule | None = None
    rule_before: Rule | None = None
    export_of: str | None = None
    include_protected: bool = False
    listing: FileList | None = None
    links: str = "absolute"
    companions: str = "auto"
    tags: TagSettings = NO_TAGS

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the model, in its order; none where no model decided."""
        return self.rule.classes

    @property
    def tree(self) -> bool:
        """Photos keep the folders they came in."""
        return self.layout == "tree"

    @property
    def relative_links(self) -> bool:
        """Symbolic links name the photo as seen from the link."""
        return self.links == "relative"

    @property
    def rule_in_force(self) -> Rule:
        """The rule that labels photos in a review: the one chosen there, else the run's."""
        return self.reviewed_rule or self.rule

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSettings:
        """What `to_json` of this version or of version 0.1 wrote.

        Raises:
            KeyError, TypeError, ValueError: something else wrote it.
        """
        classes, positive = data["classes"], data["positive"]

        def rule(key: str) -> Rule | None:
            values = data.get(key)
            return Rule.from_json(classes, positive, values) if classes and values else None

        return cls(
            model=data["model"],
            model_folder=Path(data["model_folder"]) if data["model_folder"] else None,
            fingerprint=data["fingerprint"],
            action=ActionKind(data["action"]),
            layout=data["layout"],
            rule=rule("rule") or NO_RULE,
            inputs=tuple(map(path_of, data.get("inputs", ()))),
            exclude=tuple(data.get("exclude", ())),
            hidden=data.get("hidden", False),
            follow_symlinks=data.get("follow_symlinks", False),
            reviewed_rule=rule("review"),
            rule_before=rule("rule_before"),
            export_of=data.get("export_of"),
            include_protected=data.get("include_protected", False),
            listing=FileList.from_json(data["listing"]) if data.get("listing") else None,
            links=data.get("links", "absolute"),
            companions=data.get("companions", "auto"),
            tags=TagSettings.from_json(data["tags"]) if "tags" in data else NO_TAGS,
        )

    def to_json(self) -> dict[str, Any]:
        """The keys and their order are those of version 0.1, which can read it."""
        data: dict[str, Any] = {
            "model": self.model,
            "model_folder": "" if self.model_folder is None else str(self.model_folder),
            "fingerprint": self.fingerprint,
            "classes": list(self.classes),
            "positive": self.rule.positive,
            "action": self.action.value,
            "layout": self.layout,
            "rule": self.rule.to_json() if self.classes else [None, None],
        }
        if self.inputs or self.listing:
            data |= {
                "inputs": [str(path) for path in self.inputs],
                "exclude": list(self.exclude),
                "hidden": self.hidden,
                "follow_symlinks": self.follow_symlinks,
            }
        later = {
            "review": None if self.reviewed_rule is None else self.reviewed_rule.to_json(),
            "rule_before": None if self.rule_before is None else self.rule_before.to_json(),
            "export_of": self.export_of,
            "include_protected": self.include_protected or None,
            "listing": None if self.listing is None else self.listing.to_json(),
            "links": self.links if self.relative_links else None,
            "companions": None if self.companions == "auto" else self.companions,
            "tags": None if self.tags == NO_TAGS else self.tags.to_json(),
        }
        return data | {key: value for key, value in later.items() if value is not None}
