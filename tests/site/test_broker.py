"""The broker of files."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from kombu import Connection

from featurestore_site import broker
from featurestore_site.configuration import Configuration


def test_a_message_goes_through_the_folders(configuration: Configuration) -> None:
    broker.make_broker_folders(configuration)
    broker.make_broker_folders(configuration)
    options = broker.transport_options(configuration)
    with Connection(configuration.broker_url, transport_options=options) as connection:
        queue = connection.SimpleQueue("runs")
        queue.put({"run": 1})
        message = queue.get(timeout=2)
        message.ack()
        queue.close()
    assert message.payload == {"run": 1}
    assert len(list((configuration.broker_dir / "processed").iterdir())) == 1


def test_old_processed_messages_are_deleted(configuration: Configuration) -> None:
    assert broker.delete_processed_messages(configuration, older_than=timedelta(days=1)) == 0
    broker.make_broker_folders(configuration)
    old, new = (configuration.broker_dir / "processed" / name for name in ("old.msg", "new.msg"))
    old.touch()
    new.touch()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))

    assert broker.delete_processed_messages(configuration, older_than=timedelta(days=1)) == 1
    assert (old.exists(), new.exists()) == (False, True)
