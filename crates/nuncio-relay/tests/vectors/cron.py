#!/usr/bin/env python3
"""Writes cron.json: what cronsim, which follows Debian's cron, says of expressions around changes of the clock.

pip install cronsim==2.8 && python3 cron.py > cron.json
"""

import json
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim

ZONES = {
    "Europe/Berlin": ["2026-03-28T12:00", "2026-10-24T12:00", "2026-03-29T00:10", "2026-10-25T00:10"],
    "America/New_York": ["2026-03-07T12:00", "2026-10-31T12:00", "2026-03-08T00:10", "2026-11-01T00:10"],
    "Australia/Lord_Howe": ["2026-04-04T12:00", "2026-10-03T12:00"],
    "Africa/Casablanca": ["2026-02-14T12:00", "2026-03-21T12:00"],
    "UTC": ["2026-02-27T23:59", "2027-12-31T23:58"],
    "Asia/Kolkata": ["2026-06-01T00:00"],
}
EXPRESSIONS = [
    "30 2 * * *", "0 2 * * *", "59 1 * * *", "0 3 * * *", "30 1 * * *", "15,45 2 * * *", "0 0 * * *",
    "30 */1 * * *", "*/20 * * * *", "0 * * * *", "* 2 * * *", "30 2 * * 0", "10-20/5 2-3 * * *", "17 1-3 * * MON-SAT",
    "0 0 1 * *", "0 0 29 2 *", "0 12 13 * 5", "0 9 * JAN,MAR Mon", "5 4 31 */2 *", "0 22 * * 1-5", "23 0-20/2 * * *", "0 0 1,15 * 3",
]

vectors = []
for zone, starts in ZONES.items():
    tz = ZoneInfo(zone)
    for start in starts:
        begin = datetime.fromisoformat(start).replace(tzinfo=tz)
        for expression in EXPRESSIONS:
            times = CronSim(expression, begin)
            due = [next(times).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for _ in range(8)]
            after = begin.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            vectors.append({"cron": expression, "time_zone": zone, "after": after, "due": due})
print("[")
print(",\n".join(json.dumps(vector) for vector in vectors))
print("]")
