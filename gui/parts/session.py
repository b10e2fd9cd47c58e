"""Where a person was when the window closed: folder, photo, what was shown, in which order."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import Settings
from .entries import ALL
from .models import Order, ReviewState

if TYPE_CHECKING:
    from ..pages.review import ReviewPage


@dataclass(frozen=True, slots=True)
class Session:
    """What is kept from one start to the next.

    Attributes:
        folder: under review; empty for none.
        photo: id of the current photo; 0 for none.
        kind: what the sidebar shows.
        order: value of an `Order`.
        state: value of a `ReviewState`.
        low: how sure the model is at least, percent. So `high`, at most.
    """

    folder: str = ""
    photo: int = 0
    kind: int = ALL
    order: str = Order.DOUBT.value
    state: str = ReviewState.ANY.value
    low: int = 0
    high: int = 100

    @classmethod
    def kept(cls, settings: Settings) -> Session:
        """As it was kept. A damaged one, or one of another version, reads as none."""
        try:
            found = cls(**json.loads(settings.session))
            Order(found.order), ReviewState(found.state)
            numbers = (found.photo, found.kind, found.low, found.high)
        except (ValueError, TypeError):
            return cls()
        return found if all(isinstance(each, int) for each in numbers) else cls()

    @classmethod
    def of(cls, page: ReviewPage) -> Session:
        """Where a person is now."""
        place, filters = page.grid.current(), page.filters
        return cls(
            folder="" if page.folder is None else str(page.folder),
            photo=0 if place is None else page.grid.photos.ids([place])[0],
            kind=page.sidebar.kind,
            order=filters.order.currentData().value,
            state=filters.state.currentData().value,
            low=filters.low.value(),
            high=filters.high.value(),
        )

    def keep(self, settings: Settings) -> None:
        settings.session = json.dumps(asdict(self))

    @property
    def path(self) -> Path | None:
        """The folder, where it is still there."""
        path = Path(self.folder)
        return path if self.folder and path.is_dir() else None

    def restore(self, page: ReviewPage) -> None:
        """Go back there, in the folder that is open now."""
        filters, review = page.filters, page.review
        filters.order.setCurrentIndex(filters.order.findData(Order(self.order)))
        filters.state.setCurrentIndex(filters.state.findData(ReviewState(self.state)))
        filters.low.setValue(self.low)
        filters.high.setValue(self.high)
        page.sidebar.show_kind(self.kind)
        if review is not None:
            row = int(review.table.id.searchsorted(self.photo))
            place = page.grid.photos.place(row) if row < len(review.table) else None
            if place is not None:
                page.grid.go_to(place)
