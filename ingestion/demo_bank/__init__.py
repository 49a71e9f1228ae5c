"""The demo bank: past days of groups, exports, people and readers, lived through by the store itself."""

from ingestion.demo_bank.leaving import archive_demo_bank
from ingestion.demo_bank.replay import Replay, replay_demo_bank, replay_to_do

__all__ = ["Replay", "archive_demo_bank", "replay_demo_bank", "replay_to_do"]
