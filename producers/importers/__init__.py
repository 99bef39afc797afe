"""Importers: files of many layouts as moments, which a replay puts on record in the order in which they happened."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from producers.importers import football_data, forecasts, injuries, mlb, nba, nfl, odds_json, odds_rows
from producers.importers.files import FileRefused
from producers.importers.moments import FileMoments, Moment, Tally, moments_of, replay

__all__ = ["IMPORTERS", "FileMoments", "FileRefused", "Importer", "Moment", "Tally", "moments_of", "replay"]

Importer = Callable[[Path], FileMoments]
"""Reads a file and says what happened when. Raises FileRefused."""

IMPORTERS: Mapping[str, Importer] = MappingProxyType(
    {
        football_data.FORMAT: football_data.moments,
        nfl.ARCHIVE: nfl.archive_moments,
        nfl.NFELO: nfl.nfelo_moments,
        mlb.FORMAT: mlb.moments,
        nba.FORMAT: nba.moments,
        odds_rows.SNAPSHOTS: odds_rows.snapshot_moments,
        odds_rows.API_CSV: odds_rows.api_moments,
        odds_json.FORMAT: odds_json.moments,
        injuries.NBA: injuries.nba_moments,
        injuries.EPL: injuries.epl_moments,
        forecasts.GAMES: forecasts.games_moments,
        forecasts.SPI: forecasts.spi_moments,
    }
)
"""By format name."""
