"""Where logs live: one contract (`base`), one version per store."""
