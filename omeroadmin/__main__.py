"""``python -m omeroadmin`` is ``omero``."""

from omeroadmin.cli.quick import main

main()
