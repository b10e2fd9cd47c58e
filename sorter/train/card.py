"""The model card: README.md of a model folder."""

from __future__ import annotations

from sorter.train.result import FOLDS_PART, TrainResult


def model_card(result: TrainResult) -> str:
    """The card of a trained model, in Markdown."""
    model, metrics = result.model, result.metrics
    dataset = result.dataset.to_json()
    counts = "\n".join(
        f"| {name} | "
        + " | ".join(str(dataset["photos"][part][name]) for part in ("train", "val", "test"))
        + " |"
        for name in model.classes
    )
    figures = "\n".join(
        f"| {name.replace('_', ' ')} | {e.value:.4f} | {e.low:.4f} to {e.high:.4f} |"
        for name, e in metrics.estimates().items()
        if e.value == e.value
    )
    rule = ""
    if model.positive is not None:
        rule = (
            f"A photo is `{model.positive}` from a probability of {model.threshold:.4g}. "
            f"This threshold was chosen for {result.recipe.optimise}.\n"
        )
    measured = f"the {metrics.photos} photos of the {result.part} part."
    if result.part == FOLDS_PART:
        measured = f"all {metrics.photos} photos, each scored by a head that did not learn from it."
    if result.part != "test":
        measured += " The model was chosen on these photos, so expect less on others."
    return f"""# {model.name}

This model sorts photos into {", ".join(model.classes[:-1])} and {model.classes[-1]}.
`sorter train` made it with the recipe `{result.recipe.name}`: {result.recipe.backbone}, {result.length}.
{rule}Logits are divided by a temperature of {model.temperature:.4g}.

Use: `sorter run ./photos --out ./sorted --model {model.name}`

| photos | train | val | test |
|---|---|---|---|
{counts}

Measured on {measured}

| | | 95 % interval |
|---|---|---|
{figures}

Photos from another camera, place or season may do worse. `sorter evaluate` measures it.
`report/report.html` has more.
"""
