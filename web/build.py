"""What Python makes for the front end before esbuild runs: python -m web.build [--check].

Writes the messages scripts of every page and language; with --check only says what is not right in them.
"""

import sys

from web.catalog_build import main

if __name__ == "__main__":
    sys.exit(main(["check" if sys.argv[1:] == ["--check"] else "compile"]))
