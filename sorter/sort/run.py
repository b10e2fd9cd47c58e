"""`sorter run`: scan, infer, decide, file and report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.address import Address
from sorter.distribution import install_command
from sorter.engines.choice import Choice
from sorter.model.folder import ONNX, Model, read_model, shipped_model
from sorter.model.rule import UNSURE, Rule
from sorter.output.filer import Filer, Scored
from sorter.output.journal import Entry, Journal
from sorter.output.layout import FolderLayout
from sorter.output.names import check_class_folders
from sorter.output.prune import prune_emptied
from sorter.output.tagger import TaggingFiler
from sorter.output.tags import TagSettings
from sorter.pipeline import trial
from sorter.pipeline.embedded import choose_embedded
from sorter.pipeline.explain import HeatThumbnail
from sorter.pipeline.pool import Pool
from sorter.pipeline.scoring import classifying
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports.cards import THUMBNAIL, Thumbnails
from sorter.reports.csv import more_columns
from sorter.reports.html import RunInfo, write_html
from sorter.reports.ours import check_ours
from sorter.reports.parts import Report, check_report, report_at
from sorter.sort.options import SortOptions, resolved, scan_of
from sorter.sort.resume import NewFiles, configure, forget_the_gone, open_journal, settings_of
from sorter.sort.sources import Sources
from sorter.sort.summary import SortSummary
from sorter.system import available_cores, worker_limits
from sorter.types import (
    ActionKind,
    Decision,
    Failure,
    Photo,
    Result,
    Scores,
    SorterError,
    Status,
    UsageError,
)

if TYPE_CHECKING:
    from sorter.cluster.run import Cluster

BATCH = 64  # photos filed together: one commit to the disk before and one after
LARGE_BATCH = 1024  # where filing waits for a network, as many can wait at once
FLUSH_SECONDS = 0.25


def sort_folder(
    options: SortOptions,
    progress: Progress | None = None,
    ready: Callable[[Photo | Result[Scores]], bool] | None = None,
) -> SortSummary:
    """Sort photos into the folders of their classes.

    Args:
        ready: tells of what the scan finds whether this run may take it; None for all.

    Raises:
        UsageError: the options contradict each other, the model, or the output folder's journal.
        SorterError: the run cannot go on. The same call later goes on where it stopped.
        KeyboardInterrupt: the same call later goes on where it stopped.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    options = resolved(options)
    model = read_model(options.model or shipped_model())
    model.verify()
    rule = Rule.of(model, options.threshold, options.unsure, options.reject)
    if options.action not in (ActionKind.NONE, ActionKind.TAG):
        check_class_folders(options.out, rule.folders, FolderLayout.parse(options.layout))
    _check_ratings(options, rule)
    _check_reports(options)
    if options.explain:
        model.path(ONNX)  # raises ModelError before anything is done
    try:
        with (
            open_journal(options, progress.say) as journal,
            _cluster(options, progress) as cluster,
            closing(_filer(options, journal, cluster)) as filer,
        ):
            return _Run(options, model, rule, journal, filer, progress, cluster, ready).go(began)
    except OSError as error:
        raise SorterError(f"{error.filename or options.out}: {error.strerror or error}") from error


@dataclass
class _Run:
    options: SortOptions
    model: Model
    rule: Rule
    journal: Journal
    filer: Filer
    progress: Progress
    cluster: Cluster | None = None
    ready: Callable[[Photo | Result[Scores]], bool] | None = None
    taken: int = 0
    decoded: int = 0
    refiled: int = 0
    pruned: int = 0
    choice: Choice | None = None
    changed: bool = False
    rescored: set[int] = field(default_factory=set)
    news: NewFiles = field(init=False)
    sources: Sources = field(init=False)

    def __post_init__(self) -> None:
        moves = self.options.action is ActionKind.MOVE
        self.sources = Sources(self.options.inputs, self.options.listing is not None)
        scan = scan_of(self.options)
        found = scan if self.ready is None else filter(self.ready, scan)
        stopped = self.journal.setting("state") == "running"
        self.news = NewFiles(self.journal, found, self.batch, moves, self.progress, stopped)

    def go(self, began: float) -> SortSummary:
        self.filer.recover(go_on=True)
        self.changed = configure(self.journal, settings_of(self.options, self.model, self.rule))
        forget_the_gone(self.journal)
        in_parts = self.options.cluster is not None
        unfamiliar = self.options.reject or self.journal.knows_unfamiliar()
        more = more_columns(unfamiliar, shots=FolderLayout.parse(self.options.layout).needs_shot)
        csv = report_at(self._csv_path(), self.options.out, self.model.classes, in_parts, more)
        writes = not self.options.dry_run or self.options.report is not None
        if writes:
            csv.begin(self.journal.lines())
        try:
            self._settle(csv)
            self._sort(csv)
            self._follow()
            self.sources.check()
            if self.options.prune_empty and not self.options.dry_run:
                first = self.journal.setting("first_filing") or 0
                self.pruned = prune_emptied(self.journal, self.options.inputs, first)
        finally:
            csv.close()
        if writes:
            csv.finish(self.journal.lines())
        page = None if self.options.dry_run else self._page()
        if not self.options.dry_run:
            with self.journal.transaction():
                self.journal.set(state="done")
        return self._summary(began, csv.path if writes else None, page)

    # -- what the journal knows -------------------------------------------------------------------------------

    def _settle(self, csv: Report) -> None:
        """Move photos that the journal knows to the folders that the rule gives them, without decoding."""
        batch: list[Scored] = []
        classes = self.journal.classes()
        for entry in self._rescored(self.journal.unsettled(everything=self.changed)):
            if entry.scores is None:
                continue
            decision = self.rule(entry.scores)
            renamed = classes.decision(decision)
            if (
                entry.filing is not None
                and entry.decision is not None
                and entry.decision.label == renamed.label
            ):
                decision = renamed  # an apply put it there
            if entry.applied and entry.correction is not None:
                status = Status.UNSURE if entry.correction == UNSURE else Status.SORTED
                decision = replace(decision, label=entry.correction, status=status)
            settled = entry.filing is not None or self._stays(entry, decision)
            rescored = entry.id in self.rescored
            if settled and entry.failure is None and decision == entry.decision and not rescored:
                continue
            current = self.options.out / entry.destination if entry.destination is not None else None
            batch.append(Scored(entry.photo, entry.scores, decision, entry.filing, current, shot=entry.shot))
            if len(batch) == self.batch:
                self._refile(batch)
                batch = []
        self._refile(batch)
        if self.refiled:
            csv.begin(self.journal.lines())

    def _stays(self, entry: Entry, decision: Decision) -> bool:
        """Whether nothing is to be done for a photo that lies outside the output."""
        if isinstance(self.filer, TaggingFiler):
            return self.filer.tagger.is_tagged(entry.photo.path, decision.label)
        return self.options.action is ActionKind.NONE

    def _rescored(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """The entries. With --reject, photos that lack `unfamiliar` are decoded again, where they lie now."""
        if not self.rule.reject:
            yield from entries
            return
        while page := list(islice(entries, LARGE_BATCH)):
            lacking = [each for each in page if each.scores is not None and each.scores.unfamiliar is None]
            found = dict(
                zip([each.id for each in lacking], self._results(self._placed(lacking)), strict=True)
            )
            for each in page:
                outcome = found[each.id].outcome if each.id in found else None
                if isinstance(outcome, Scores):
                    self.rescored.add(each.id)
                    self.decoded += 1
                    each = replace(each, scores=outcome)
                yield each

    def _placed(self, entries: Sequence[Entry]) -> Iterator[Photo]:
        """The photos of entries, with the paths at which they lie now."""
        for entry in entries:
            filed = None if entry.destination is None else self.options.out / entry.destination
            yield replace(entry.photo, path=filed) if filed and os.path.lexists(filed) else entry.photo

    def _refile(self, batch: list[Scored]) -> None:
        if batch:
            self.filer.file(batch)
            self.refiled += len(batch)
            self.progress.advance(len(batch))

    # -- new photos --------------------------------------------------------------------------------------------

    def _sort(self, csv: Report) -> None:
        batch: list[Result[Scores]] = []
        flushed = 0.0
        for result in self._results(iter(self.news)):
            batch.append(result)
            if len(batch) >= self.batch or time.monotonic() - flushed > FLUSH_SECONDS:
                self._take_in(batch, csv)
                batch, flushed = [], time.monotonic()
        self._take_in(batch, csv)

    def _results(self, items: Iterator[Photo | Result[Scores]]) -> Iterator[Result[Scores]]:
        """Start the workers, if there is anything to decode, and run the photos through them."""
        head: list[Photo | Result[Scores]] = []
        for item in items:
            if isinstance(item, Photo):
                head.append(item)
                break
            yield item
        if not head:
            return

        def samples() -> Iterator[Photo]:
            """Photos to try engines on. Items taken from the scan for this wait in `head`."""
            yield from (item for item in head if isinstance(item, Photo))
            for item in items:
                head.append(item)
                if isinstance(item, Photo):
                    yield item

        options = self.options
        limits = worker_limits(options.limits, self.workers)
        choose = self.cluster.choose_engine if self.cluster else trial.choose_engine
        engine = options.engine
        if options.reject and engine.device == "auto":
            engine = replace(engine, device="cpu")  # torch, the usual engine of a GPU, gives no features
        paths = (photo.path for photo in samples())
        chosen = choose(self.model, engine, paths, limits, self.progress.say)
        if not self.cluster or engine.decode == "preview":  # nodes of a cluster may read the photos from afar
            chosen = choose_embedded(
                self.model, self.rule, chosen, engine, samples(), limits, self.progress.say
            )
        self.choice = replace(chosen, unfamiliar=options.reject)
        with self.journal.transaction():
            self.journal.set(engine=str(self.choice))
        everything = chain(head, items)
        if self.cluster:
            yield from self.cluster.predict(everything, self.model, self.choice, limits)
            return
        with classifying(
            self.model,
            self.choice,
            self.workers,
            limits,
            options.engine.batch_size,
            self.progress.say,
            self.rule,
        ) as processes:
            yield from processes.run(everything)

    def _take_in(self, batch: list[Result[Scores]], csv: Report) -> None:
        """Decide on a batch of results, file it and report it."""
        if not batch:
            return
        self.sources.check_after(batch)
        decided: list[Scored | Result[Scores]] = []
        for result in batch:
            if isinstance(result.outcome, Failure):
                decided.append(result)
            else:
                decided.append(Scored(result.photo, result.outcome, self.rule(result.outcome)))
        csv.add(self.journal.lines(self.filer.file(decided)))
        self.news.written(batch)
        self.taken += len(batch)
        self.decoded += sum(not isinstance(result.outcome, Failure) for result in batch)
        self.progress.advance(len(batch))

    def _follow(self) -> None:
        """File what became a companion of a photo after that was filed."""
        if self.options.action is ActionKind.NONE:
            return
        late = iter(self.journal.with_late_companions())
        while page := list(islice(late, self.batch)):
            self.filer.file(
                [
                    Scored(
                        each.photo,
                        each.scores,
                        each.decision,
                        each.filing,
                        self.options.out / each.destination,
                    )
                    for each in self.journal.of(page)
                    if each.scores and each.decision and each.destination
                ]
            )

    @property
    def batch(self) -> int:
        far = self.options.cluster is not None or isinstance(self.options.out, Address)
        return LARGE_BATCH if far else BATCH

    def _page(self) -> Path:
        """report.html, made again only where something changed."""
        target = self.options.out / "report.html"
        if target.exists() and not (self.taken or self.refiled or self.changed or self.options.explain):
            return target
        with self.journal.transaction():
            self.journal.index_labels()
        page = RunInfo(self.model.name, self._engine(), self.options.action, datetime.now().astimezone())
        limits = worker_limits(self.options.limits, self.workers)
        with ExitStack() as stack:

            def pictures(stage: Thumbnail | HeatThumbnail) -> Thumbnails:
                return stack.enter_context(Pool(stage, self.workers, limits)).run

            thumbnails = pictures(Thumbnail(THUMBNAIL, limits))
            heat = HeatThumbnail(self.model, self.rule, THUMBNAIL, limits) if self.options.explain else None
            heats = pictures(heat) if heat else None
            write_html(self.journal, target, page=page, rule=self.rule, thumbnails=thumbnails, heats=heats)
        return target

    def _engine(self) -> str:
        return str(self.choice) if self.choice else self.journal.setting("engine") or "none"

    @property
    def workers(self) -> int:
        return self.options.workers or available_cores()

    # -- the summary -------------------------------------------------------------------------------------------

    def _summary(self, began: float, csv: Path | None, page: Path | None) -> SortSummary:
        counts: dict[str, int] = {}
        failed: dict[str, int] = {}
        skipped: dict[str, int] = {}
        kinds = {Status.FAILED.value: failed, Status.SKIPPED.value: skipped}
        for (status, what), number in self.journal.counts().items():
            into = kinds.get(status, counts)
            into[what] = into.get(what, 0) + number
        return SortSummary(
            out=self.options.out,
            counts={label: counts.get(label, 0) for label in (*self.model.classes, *counts)},
            failed=failed,
            skipped=skipped,
            decoded=self.decoded,
            refiled=self.refiled,
            seconds=time.monotonic() - began,
            engine=str(self.choice) if self.choice else None,
            report=csv,
            page=page,
            dry_run=self.options.dry_run,
            pruned=self.pruned,
            companions=self.journal.companion_count(),
        )

    def _csv_path(self) -> Path:
        return self.options.report or self.options.out / "report.csv"


def _check_reports(options: SortOptions) -> None:
    """Refuse to replace a user's file by a report, before anything is done. Raises UsageError."""
    if options.report is not None or not options.dry_run:
        check_report(options.report or options.out / "report.csv", options.cluster is not None)
    if not options.dry_run:
        check_ours(options.out / "report.html", "--out")


def _check_ratings(options: SortOptions, rule: Rule) -> None:
    for label, _ in TagSettings.parse(options.tag_prefix, options.rating).ratings:
        if label not in rule.folders:
            raise UsageError(
                f"--rating: {label!r} is no class of the model; it has {', '.join(rule.folders)}"
            )


def _filer(options: SortOptions, journal: Journal, cluster: Cluster | None) -> Filer:
    if options.action is ActionKind.TAG:
        settings = TagSettings.parse(options.tag_prefix, options.rating)
        return TaggingFiler(journal, settings, options.dry_run)
    return Filer(
        journal,
        options.action,
        FolderLayout.parse(options.layout),
        options.dry_run,
        executor=cluster,
        relative_links=options.links == "relative",
    )


@contextmanager
def _cluster(options: SortOptions, progress: Progress) -> Iterator[Cluster | None]:
    """The cluster that `--cluster` names. Raises SorterError where Ray is not installed."""
    if options.cluster is None:
        yield None
        return
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise SorterError(f"ray is not installed; `{install_command('cluster')}` brings it")
    from sorter.cluster.run import Cluster

    with Cluster(options.cluster, options.workers, progress.say) as cluster:
        yield cluster
