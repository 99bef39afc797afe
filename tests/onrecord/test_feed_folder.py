"""The embedded host's raw feeds: what is put into a folder is on record, once, and gone from the folder."""

import errno
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from eventlog.clock import ManualClock
from onrecord.calendar import Calendar
from onrecord.feed_folder import FeedFolder
from onrecord.wiring import Workspace
from producers.publishing_service import EventStart
from producers.raw_feeds import RawFeeds
from tests.producers.test_raw_feeds import game


@pytest.fixture
def said() -> list[str]:
    """What was told of files."""
    return []


@pytest.fixture
def feeds(workspace: Workspace, tmp_path: Path, said: list[str]) -> FeedFolder:
    """Empty folders."""
    raw = RawFeeds(Calendar(workspace.log).start)
    folder = FeedFolder(tmp_path / "feeds", workspace.log, raw, workspace.clock, said.append)
    folder.prepare()
    return folder


def put(feeds: FeedFolder, name: str, feed: str = "odds-raw") -> Path:
    """An answer of a provider as a file."""
    path = feeds.folder / feed / name
    path.write_text(json.dumps([game()]))
    return path


def test_a_file_is_put_on_record_and_removed(feeds: FeedFolder, workspace: Workspace) -> None:
    """Its name says the provider; its event is on the calendar from then on."""
    path = put(feeds, "the-odds-api.1.json")

    assert feeds.take() == 1

    assert not path.exists()
    [raw] = workspace.newest(5, "raw_payloads")
    assert json.loads(str(raw["data"]))["provider"] == "the-odds-api"
    assert [row["type"] for row in workspace.newest(5, "events")] == ["EventScheduled"]
    assert len(list(workspace.newest(5, "odds"))) == 2


def test_a_file_that_is_still_written_waits(feeds: FeedFolder) -> None:
    """Its name begins with a dot until it is whole."""
    path = put(feeds, ".the-odds-api.1.json")
    assert feeds.take() == 0

    path.rename(path.with_name("the-odds-api.1.json"))

    assert feeds.take() == 1


def test_a_file_that_was_handled_before_a_crash_has_one_effect(feeds: FeedFolder, workspace: Workspace) -> None:
    """It was on record, and not removed yet."""
    path = put(feeds, "the-odds-api.1.json")
    kept = path.rename(path.with_name(".kept"))
    kept.with_name("the-odds-api.1.json").hardlink_to(kept)
    feeds.take()
    before = workspace.log.end()

    kept.rename(path)
    feeds.take()

    assert before == workspace.log.end()
    assert workspace.log.conflicts() == []


def date_ahead(path: Path, workspace: Workspace, by: timedelta) -> None:
    """As from a machine whose clock is ahead."""
    ahead_s = (workspace.clock.now() + by).timestamp()
    os.utime(path, (ahead_s, ahead_s))


def test_a_file_from_the_future_that_was_handled_before_a_crash_has_one_effect(
    feeds: FeedFolder, workspace: Workspace, clock: ManualClock
) -> None:
    """Its ids are of the time at which it was here first, however much later it is handled again."""
    path = put(feeds, "the-odds-api.1.json")
    date_ahead(path, workspace, timedelta(hours=1))
    kept = path.with_name(".kept")
    kept.hardlink_to(path)
    feeds.take()
    before = workspace.log.end()

    clock.advance(timedelta(minutes=1))
    kept.rename(path)
    feeds.take()

    assert before == workspace.log.end()
    assert workspace.log.conflicts() == []


def test_a_file_from_the_future_that_cannot_be_dated_anew_waits_for_its_time(
    feeds: FeedFolder, workspace: Workspace, clock: ManualClock, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be dated it may not be removed either: each turn would put it on record under other ids."""
    path = put(feeds, "the-odds-api.1.json")
    date_ahead(path, workspace, timedelta(hours=1))

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    assert [feeds.take(), feeds.take()] == [0, 0]
    assert said == [f"the feed {path} stays: Operation not permitted"]
    assert not list(workspace.newest(5, None))

    clock.advance(timedelta(hours=1))
    assert feeds.take() == 1


def test_a_folder_of_another_name_is_no_feed(feeds: FeedFolder) -> None:
    """Nothing in it is touched."""
    (feeds.folder / "other").mkdir()
    path = put(feeds, "x.json", feed="other")

    assert feeds.take() == 0
    assert path.exists()


def test_files_that_are_gone_or_cannot_be_read_hinder_no_others(
    feeds: FeedFolder, workspace: Workspace, said: list[str]
) -> None:
    """While the first is handled the second is withdrawn, and a folder takes the third's place: it is told once."""
    _, gone, folder, _ = [put(feeds, f"provider.{number}.json") for number in range(4)]

    def meanwhile(event_id: str) -> EventStart | None:
        if gone.exists():
            gone.unlink()
            folder.unlink()
            folder.mkdir()
        return Calendar(workspace.log).start(event_id)

    feeds = replace(feeds, feeds=RawFeeds(meanwhile))

    assert feeds.take() == 2
    put(feeds, "provider.4.json")
    assert feeds.take() == 1

    assert said == [f"the feed {folder} stays: Is a directory"]


def test_a_file_from_the_future_is_known_from_now(feeds: FeedFolder, workspace: Workspace) -> None:
    """No live record comes from the future, whatever the file's time says."""
    path = put(feeds, "the-odds-api.1.json")
    date_ahead(path, workspace, timedelta(days=40_000))

    assert feeds.take() == 1

    [raw] = workspace.newest(5, "raw_payloads")
    assert raw["occurred_at"] == workspace.clock.now()


def test_a_file_whose_name_is_no_text_is_put_on_record(feeds: FeedFolder, workspace: Workspace) -> None:
    """What its provider's name cannot hold is replaced; else `onrecord up` ended at it, and at each start again."""
    path = put(feeds, os.fsdecode(b"sportv\xe4rlden.1.json"))

    assert feeds.take() == 1

    assert not path.exists()
    [raw] = workspace.newest(5, "raw_payloads")
    assert json.loads(str(raw["data"]))["provider"] == "sportv\ufffdrlden"
