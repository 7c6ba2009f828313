"""The toolkit's version, a constant so that asking for it imports nothing."""

VERSION = "0.1.0"
