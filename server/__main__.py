"""Starts the command line: python -m server."""

import sys

if not __debug__:
    sys.exit(
        "meridian: error: python -O removes checks this program needs\nmeridian: hint: start it without -O"
    )

from server.cli.main import main

if __name__ == "__main__":
    main()
