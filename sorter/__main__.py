"""`python -m sorter`."""

import sys

from sorter.cli import main

if __name__ == "__main__":
    sys.exit(main())
