"""From messages to what is to be written and what is to be said. Pure: the clock is an argument, garbage is counted.

`take` a batch, write its `Due` to the disk, and only then say `acks`: that order is the whole point. The books in
memory are ahead of the disk until then; when the disk refuses, the process must end, and begin again from what was
written.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edge_noc import asking, reading
from edge_noc.asking import Asking, Kind, Patience, Question
from edge_noc.book import UNKNOWN_STREAM, StreamBook
from edge_noc.looks import Looks
from edge_noc.presence import Presence
from edge_noc.reading import Channel, Garbage, Numbered, Place
from edge_noc.witnessed import Witnessed

MAX_LEAP = 10_000_000
"""A number so far beyond the highest known is no number of ours: it would be asked for until the end of days."""
MAX_STREAMS = 10_000
"""Of one site. A box begins three with each start of its daemon."""

Key = tuple[str, str]
"""Tenant and site."""


@dataclass(frozen=True, slots=True)
class Arrived:
    topic: str
    payload: bytes
    retained: bool
    wall_s: float


@dataclass(slots=True)
class Stream:
    kind: Kind
    book: StreamBook = field(default_factory=StreamBook)
    row: int | None = None
    """Its number on the disk, once it has one."""


@dataclass(slots=True)
class Site:
    streams: dict[str, Stream] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    asking: Asking = field(default_factory=Asking)
    looks: Looks = field(default_factory=Looks)
    witnessed: Witnessed = field(default_factory=Witnessed)
    events: Counter[Channel] = field(default_factory=Counter)
    """Since we started, first time only, by how they came."""
    heard_s: float | None = None
    """Monotonic."""
    reborn: bool = False
    """It said its state on this connection of ours, or was asked to."""


@dataclass(frozen=True, slots=True)
class Row:
    """An event or a measurement, for the disk."""

    site: Key
    stream: str
    message: Numbered
    arrived_s: float


@dataclass(slots=True)
class Due:
    """What one batch amounts to."""

    rows: list[Row] = field(default_factory=list)
    streams: set[tuple[Key, str]] = field(default_factory=set)
    """Whose books changed."""
    presences: set[Key] = field(default_factory=set)
    acks: dict[tuple[Key, str], int] = field(default_factory=dict)
    """To be said once this is on the disk."""
    births: list[Key] = field(default_factory=list)
    """To be asked for their state: a retained one is as old as their connection."""


class Intake:
    def __init__(self, name: str, patience: Mapping[Kind, Patience] | None = None) -> None:
        """`name` is unique for this life of the consumer: questions are named after it."""
        self._patience = patience or asking.patience()
        self.sites: dict[Key, Site] = {}
        self.garbage: Counter[str] = Counter()
        self.questions: Counter[str] = Counter()
        """How questions ended: done, refused reasons, asked."""
        self._name, self._numbers = name, itertools.count(1)

    def site(self, key: Key) -> Site:
        found = self.sites.get(key)
        if found is None:
            found = self.sites[key] = Site(asking=Asking(self._patience))
        return found

    def new_id(self) -> str:
        return f"{self._name}-{next(self._numbers)}"

    def connected(self) -> None:
        """We have a broker again, which may have forgotten us meanwhile, and what came for us."""
        for site in self.sites.values():
            site.asking.connected_anew()
            site.reborn = False

    def take(self, batch: Iterable[Arrived], now_s: float) -> Due:
        due = Due()
        for arrived in batch:
            try:
                at = reading.place(arrived.topic)
                if at is not None and arrived.payload:
                    self._one(at, arrived, due, now_s)
            except Garbage as garbage:
                self.garbage[str(garbage)] += 1
        return due

    def ask(self, now_s: float) -> list[tuple[Key, Question]]:
        """The questions to be asked now."""
        asked = []
        for key, site in self.sites.items():
            if site.presence.up:
                streams = ((name, stream.kind, stream.book) for name, stream in site.streams.items())
                question = site.asking.due(streams, now_s, self.new_id)
                if question is not None:
                    asked.append((key, question))
        self.questions["asked"] += len(asked)
        return asked

    # ── one message ────────────────────────────────────────────────────────────────────────────────────
    def _one(self, at: Place, arrived: Arrived, due: Due, now_s: float) -> None:
        key = (at.tenant, at.site)
        if at.channel is Channel.HISTORY:
            self.site(key).asking.backlog_s = now_s
            for found, body in reading.members(arrived.payload):
                self._member(key, found, body, due, arrived.wall_s, now_s)
        else:
            found = reading.envelope(arrived.payload)
            match at.channel:
                case Channel.TIER | Channel.LOG | Channel.TELEMETRY:
                    self._numbered(
                        key, at.channel, reading.numbered(found, arrived.payload), due, arrived.wall_s, now_s
                    )
                case Channel.STATE:
                    self._state(key, reading.site_state(found), arrived.retained, due, now_s)
                case Channel.ANSWER:
                    self._answer(key, reading.answer(found), due, now_s)
                case Channel.SNAPSHOT:
                    self.site(key).looks.snapshot(at.thing, found.get("data"))
        if not arrived.retained:
            self.site(key).heard_s = now_s

    def _member(self, key: Key, found: reading.Doc, body: bytes, due: Due, wall_s: float, now_s: float) -> None:
        """As if it had come alone, but its channel is not known: to acknowledge a log event, too, does no harm."""
        try:
            if reading.kind_of(found) == "tombstone":
                self._bury(key, reading.tombstone(found), due, now_s)
            else:
                self._numbered(key, Channel.HISTORY, reading.numbered(found, body), due, wall_s, now_s)
        except Garbage as garbage:
            self.garbage[str(garbage)] += 1

    def _numbered(self, key: Key, channel: Channel, message: Numbered, due: Due, wall_s: float, now_s: float) -> None:
        site = self.site(key)
        book = self._book(site, message.stream, Kind.TELEMETRY if message.is_telemetry else Kind.EVENT)
        if message.sequence > book.known_last + MAX_LEAP:
            raise Garbage("leap")
        tier = channel is Channel.TIER or (channel is Channel.HISTORY and not message.is_telemetry)
        before, newest = book.watermark, message.sequence > book.held.last
        due.streams.add((key, message.stream))
        if book.take(message.first, message.sequence, tier=tier, now_s=now_s):
            site.events[channel] += 1
            due.rows.append(Row(key, message.stream, message, wall_s))
            if channel is Channel.TELEMETRY:
                site.looks.telemetry(message.kind, message.data)
            elif newest and not message.is_telemetry:
                _newest(site, message, now_s)
        # One that the site sends again below our watermark: it did not hear us.
        if book.watermark > before or (tier and message.sequence <= book.watermark):
            due.acks[key, message.stream] = book.watermark

    def _state(self, key: Key, told: reading.SiteState, retained: bool, due: Due, now_s: float) -> None:
        site = self.site(key)
        again = told.epoch != site.presence.epochs.get(told.stream)
        if not site.presence.told(told.state, told.stream, told.epoch):
            return
        due.presences.add(key)
        if told.durable is not None:
            site.looks.durable = told.durable
        if told.state != "online" or again:
            site.asking.connected_anew()
        if told.state == "online" and retained and not site.reborn:
            due.births.append(key)
        site.reborn = True
        for stream, last, acknowledged in told.heads:
            book = self._book(site, stream, Kind.EVENT)
            if last <= book.known_last + MAX_LEAP:
                before = book.watermark
                book.head(last, now_s)
                self._note(key, stream, book, before, due)
            if acknowledged < book.watermark:
                due.acks[key, stream] = book.watermark

    def _answer(self, key: Key, answer: reading.Answer, due: Due, now_s: float) -> None:
        """Whoever asked: what a site says of its streams is true for us, too."""
        site = self.site(key)
        for stone in answer.stones:
            self._bury(key, stone, due, now_s)
        question = site.asking.under_way
        if question is None or question.id != answer.id:
            return
        self.questions["done" if answer.done else answer.reason] += 1
        book = site.streams[question.stream].book
        if answer.reason == UNKNOWN_STREAM:
            before = book.watermark
            book.give_up(now_s)
            self._note(key, question.stream, book, before, due)
        site.asking.answered(book, now_s)

    def _bury(self, key: Key, stone: reading.Stone, due: Due, now_s: float) -> None:
        site = self.site(key)
        known = site.streams.get(stone.stream)
        book = self._book(site, stone.stream, known.kind if known else Kind.EVENT)
        if stone.last is not None and stone.last > book.known_last + MAX_LEAP:
            raise Garbage("leap")
        before = book.watermark
        book.bury(stone.first, stone.last, stone.why, now_s)
        self._note(key, stone.stream, book, before, due)

    def _note(self, key: Key, stream: str, book: StreamBook, before: int, due: Due) -> None:
        due.streams.add((key, stream))
        if book.watermark > before:
            due.acks[key, stream] = book.watermark

    def _book(self, site: Site, stream: str, kind: Kind) -> StreamBook:
        if stream not in site.streams:
            if len(site.streams) >= MAX_STREAMS:
                raise Garbage("too_many_streams")
            site.streams[stream] = Stream(kind)
        held = site.streams[stream]
        if not held.book.held.count:
            held.kind = kind  # so far only a tombstone spoke of it, and that does not say which kind it is
        return held.book


def _newest(site: Site, message: Numbered, now_s: float) -> None:
    """What an event says of how things are now."""
    site.looks.event(message.kind, message.tier, message.data)
    if message.kind == "ledger.checkpoint":
        site.witnessed.checkpoint(str(message.data.get("stream")), message.data.get("at"), now_s)
    else:
        site.witnessed.event(message.stream, message.sequence, now_s)
