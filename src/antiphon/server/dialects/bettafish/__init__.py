"""BettaFish's dialect over the server's processes, logs, forum and runs."""

from antiphon.server.dialects.bettafish.making import make_bettafish

__all__ = ["make_bettafish"]
