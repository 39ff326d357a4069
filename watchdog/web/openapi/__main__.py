"""Prints watchdog/web/static/openapi.json."""

import sys

from watchdog.web.openapi import written

sys.stdout.write(written())
