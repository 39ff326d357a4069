"""Mycelia's command line tools, as the sandbox plays them. Only stdlib: they start fast."""
