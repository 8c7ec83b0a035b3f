"""A whole recording: two passes over its records, and a file for each view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from media.gathering import Packet, packets
from media.remux.cuts import Cuts
from media.remux.opened import Media, Opened, PartBegan, Remuxed, ViewFile
from media.remux.survey import Described, Survey, read_meta
from media.remux.timeline import Timeline
from media.remux.view import Remuxer, tracks_of, view_name, views_of

_SURVEY: Final = 0.25
"""What the first pass takes of the whole."""
_SAID_US: Final = 10_000_000


def remux(
    recorded: Callable[[], Iterator[Opened]],
    open_view: Callable[[str], ViewFile],
    progress: Callable[[float], None] = lambda done: None,
    *,
    duration_us: int = 0,
) -> list[Remuxed]:
    """Write the views of a recording, each of them from 0 to its end.

    `recorded` begins anew whenever it is called, and is called twice; it gives the records of all parts in
    order and just ends where a part is torn. `open_view` is called once for each view there is, with its
    name; the files stay open. `progress` is told how much is done, 0.0 to 1.0, now and then. The views end
    with the last record, or at `duration_us` if that is later. Blocks for as long as it takes.

    Raises:
        whatever `recorded`, `open_view` or a file raises; nothing else.
    """
    progress(0.0)
    cuts = Cuts()
    survey = _surveyed(recorded(), cuts, progress)
    timeline = Timeline(survey)
    until_us = max(duration_us, survey.end_us)
    views = [
        (kind, person, Remuxer(kind, person, survey, timeline, open_view(view_name(kind, person))))
        for kind, person in views_of(survey)
    ]
    by_track = {track: view for kind, person, view in views for track in tracks_of(kind, person)}
    expected_us = max(1, until_us)
    _fill(
        recorded(),
        cuts,
        by_track,
        lambda at_us: progress(_SURVEY + (1 - _SURVEY) * min(1.0, at_us / expected_us)),
    )
    until_us = max([until_us, *(view.flush() for _, _, view in views)])
    done = [view.close(until_us) for _, _, view in views]
    progress(1.0)
    return done


def _surveyed(recorded: Iterator[Opened], cuts: Cuts, progress: Callable[[float], None]) -> Survey:
    survey = Survey()
    for one in recorded:
        if isinstance(one, PartBegan):
            progress(_SURVEY * (one.part - 1) / max(1, one.parts))
        elif isinstance(one, Media):
            for packet in _packets(one):
                survey.packet(one.track, packet)
        else:
            survey.meta(one.body)
            cuts.meta(one.at_us, one.body)
    return survey


def _fill(
    recorded: Iterator[Opened], cuts: Cuts, by_track: dict[int, Remuxer], reached: Callable[[int], None]
) -> None:
    described: dict[int, Described] = {}
    said_us = 0
    for one in recorded:
        if isinstance(one, PartBegan):
            continue
        if not isinstance(one, Media):
            read_meta(one.body, described)
            continue
        view, known = by_track.get(one.track), described.get(one.track)
        if view is None or known is None:
            continue
        for packet in _packets(one):
            if cuts.keeps(packet.at_us):
                view.packet(one.track, packet, known)
        if one.at_us - said_us >= _SAID_US:
            said_us = one.at_us
            reached(said_us)


def _packets(record: Media) -> Iterator[Packet]:
    """The packets of a record; those before something that makes no sense."""
    try:
        yield from packets(record.body, record.at_us)
    except ValueError:
        return
